"""The append-only transparency log on disk, shared by the verifier's replicas.

One SQLite database (WAL, synchronous=FULL) holds the entries as canonical JSON, the hashes of the Merkle tree's
perfect subtrees and the last signed checkpoint. An append is one transaction that ends in a disk flush: when `append`
returns, the entry is durable and under a signed checkpoint. SQLite's write lock makes one writer at a time of threads
and processes. Opening a log recomputes everything and compares it with the signed checkpoint, so that a changed,
dropped or truncated entry is an error and not a surprise. Rolling the whole database back to an older, signed state
is visible to whoever holds a newer receipt or checkpoint, and to nobody else; export evidence regularly.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from verifier import canonical
from verifier.keystore import KeyStore, KeyStoreError, KeyStoreSigner
from verifier.log import checkpoint as checkpoints
from verifier.log import merkle
from verifier.log.archive import Archive
from verifier.log.receipt import Receipt

DATABASE = "log.db"
ARCHIVE = "attested"
_BUSY_SECONDS = 30.0
_SCHEMA = """
CREATE TABLE IF NOT EXISTS entry (number INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS node (
    level INTEGER, number INTEGER, hash BLOB NOT NULL, PRIMARY KEY (level, number)
) STRICT;
CREATE TABLE IF NOT EXISTS head (
    id INTEGER PRIMARY KEY CHECK (id = 1), size INTEGER NOT NULL, note TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS spent (nonce TEXT PRIMARY KEY, until INTEGER NOT NULL) STRICT;
"""


class LogError(Exception):
    """The log cannot be written, or is not what was signed. One line that says what to do."""


class TransparencyLog:
    """The log in `directory`, its checkpoints signed by the key `key_name` of `keystore`.

    origin: the log's name in its checkpoints, a URL without scheme; it cannot change once the log exists.
    archive: evidence and results that entries name by digest.
    """

    def __init__(
        self, directory: Path, keystore: KeyStore, key_name: str, *, origin: str = "bailiwick.internal/log"
    ) -> None:
        self._path = directory / DATABASE
        self.archive = Archive(directory / ARCHIVE)
        self._origin = origin
        self._lock = threading.RLock()
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise LogError(f"cannot use {directory}: {error.strerror}") from None
        with self._guard():
            self._connection = self._connect()
            self._signer = self._open_signer(keystore, key_name)
        try:
            self.verify()
        except LogError:
            self.close()
            raise

    @property
    def public_key(self) -> ec.EllipticCurvePublicKey:
        """The key that verifies this log's checkpoints."""
        return self._signer.public_key

    @property
    def origin(self) -> str:
        """The log's name."""
        return self._origin

    @property
    def size(self) -> int:
        """Number of entries."""
        with self._guard():
            return self._size()

    def append(self, entry: dict[str, Any]) -> Receipt:
        """Log one JSON object, durably, and prove it; LogError, and nothing logged, when that is not possible."""
        try:
            body = canonical.encode(entry)
        except canonical.JsonError as error:
            raise LogError(f"the entry cannot be logged: {error}") from None
        leaf = merkle.leaf_hash(body)
        with self._guard(), self._transaction():
            index = self._size()
            self._connection.execute("INSERT INTO entry VALUES (?, ?)", (index, body))
            self._connection.executemany("INSERT INTO node VALUES (?, ?, ?)", merkle.completed(index, leaf, self._node))
            note = self._sign_head(index + 1)
            proof = merkle.inclusion_proof(index, index + 1, self._node)
        return Receipt(canonical.parse_object(body), index, index + 1, leaf, tuple(proof), note)

    def receipt(self, index: int) -> Receipt:
        """The entry number `index` with a proof under the newest checkpoint; LogError when there is no such entry."""
        with self._guard():
            size, note = self._head()
            row = self._connection.execute("SELECT body FROM entry WHERE number = ?", (index,)).fetchone()
            if row is None or index >= size:
                raise LogError(f"the log has no entry {index}; it holds entries 0 to {size - 1}")
            proof = merkle.inclusion_proof(index, size, self._node)
            return Receipt(canonical.parse_object(row[0]), index, size, merkle.leaf_hash(row[0]), tuple(proof), note)

    def receipts(self) -> list[Receipt]:
        """Every entry with its proof under the newest checkpoint."""
        return [self.receipt(index) for index in range(self.size)]

    def checkpoint(self) -> str:
        """The newest signed checkpoint."""
        with self._guard():
            return self._head()[1]

    def spend(self, nonce: str, until: datetime, now: datetime) -> bool:
        """Mark a nonce as used, for all replicas; False when it was used before. Forgotten once `until` has passed."""
        with self._guard(), self._transaction():
            self._connection.execute("DELETE FROM spent WHERE until < ?", (int(now.timestamp()),))
            cursor = self._connection.execute(
                "INSERT OR IGNORE INTO spent VALUES (?, ?)", (nonce, int(until.timestamp()) + 1)
            )
            return cursor.rowcount == 1

    def verify(self) -> checkpoints.Checkpoint:
        """Recompute the tree from the entries and compare it with the signed checkpoint; LogError says what differs."""
        with self._guard():
            size, note = self._head()
            try:
                checkpoint = checkpoints.verify(note, self.public_key)
            except checkpoints.CheckpointError as error:
                raise self._damaged(str(error)) from None
            if checkpoint.origin != self._origin:
                raise LogError(f"{self._path} is the log {checkpoint.origin!r}, not {self._origin!r}")
            self._compare(checkpoint, size)
        return checkpoint

    def close(self) -> None:
        """Close the database."""
        with self._lock:
            self._connection.close()

    def _compare(self, checkpoint: checkpoints.Checkpoint, size: int) -> None:
        nodes: dict[tuple[int, int], bytes] = {}
        rows = self._connection.execute("SELECT number, body FROM entry ORDER BY number")
        for expected, (number, body) in enumerate(rows):
            if number != expected:
                raise self._damaged(f"entry {expected} is missing")
            for level, position, digest in merkle.completed(number, merkle.leaf_hash(body), lambda *at: nodes[at]):
                nodes[level, position] = digest
        entries = self._size()
        if not checkpoint.size == size == entries:
            raise self._damaged(f"the checkpoint covers {checkpoint.size} entries and {entries} are there")
        if merkle.root_hash(size, lambda *at: nodes[at]) != checkpoint.root:
            raise self._damaged("an entry was changed: the root differs from the signed checkpoint's")
        stored = self._connection.execute("SELECT level, number, hash FROM node")
        if {(level, number): digest for level, number, digest in stored} != nodes:
            raise self._damaged("the stored tree differs from the entries")

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.executescript(_SCHEMA)
        return connection

    def _open_signer(self, keystore: KeyStore, key_name: str) -> KeyStoreSigner:
        """The log's key; it is made together with the empty log's first checkpoint, and never again."""
        with self._transaction():
            if self._connection.execute("SELECT 1 FROM head").fetchone() is not None:
                return KeyStoreSigner(keystore, key_name)
            if self._size():
                raise self._damaged("the checkpoint is missing")
            if key_name not in keystore.names():
                keystore.create_signing_key(key_name)
            self._signer = KeyStoreSigner(keystore, key_name)
            self._sign_head(0)
        return self._signer

    def _sign_head(self, size: int) -> str:
        root = merkle.root_hash(size, self._node)
        note = checkpoints.sign(checkpoints.Checkpoint(self._origin, size, root), self._signer)
        self._connection.execute("INSERT OR REPLACE INTO head VALUES (1, ?, ?)", (size, note))
        return note

    def _size(self) -> int:
        return int(self._connection.execute("SELECT coalesce(max(number) + 1, 0) FROM entry").fetchone()[0])

    def _head(self) -> tuple[int, str]:
        row = self._connection.execute("SELECT size, note FROM head").fetchone()
        if row is None:
            raise self._damaged("the checkpoint is missing")
        return int(row[0]), str(row[1])

    def _node(self, level: int, index: int) -> bytes:
        row = self._connection.execute(
            "SELECT hash FROM node WHERE level = ? AND number = ?", (level, index)
        ).fetchone()
        if row is None:
            raise self._damaged(f"the hash of subtree {level}/{index} is missing")
        return bytes(row[0])

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    @contextmanager
    def _guard(self) -> Iterator[None]:
        """One thread at a time on the connection, and every failure as a LogError."""
        with self._lock:
            try:
                yield
            except canonical.JsonError as error:
                raise self._damaged(f"an entry is {error}") from None
            except KeyStoreError as error:
                raise LogError(f"the log's key cannot sign: {error}") from None
            except sqlite3.OperationalError as error:
                raise LogError(f"{self._path} cannot be used: {error}; free disk space or fix permissions") from None
            except sqlite3.DatabaseError as error:
                raise self._damaged(str(error)) from None

    def _damaged(self, reason: str) -> LogError:
        return LogError(
            f"{self._path} is damaged: {reason}; keep the file as evidence and restore the log from its last export"
        )
