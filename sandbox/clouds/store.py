"""The objects of an emulated cloud, in one SQLite file that survives the process.

Tables: `objects` (what exists), `links` (which object names which), `claims` (names that are taken, see
`sandbox.clouds.claims`), `graves` (soft-deleted objects that still hold their name), `unstarted` (objects that are
written but whose hardware has not been started yet). Ids are
compared without letter case, as Azure Resource Manager does; each is stored as it was first written.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sandbox.clouds.claims import Claims
from sandbox.provider import Properties, ProviderError

_TABLES = """
CREATE TABLE IF NOT EXISTS objects (
    key TEXT PRIMARY KEY, id TEXT NOT NULL, kind TEXT NOT NULL, type TEXT NOT NULL, urn TEXT NOT NULL,
    parent TEXT NOT NULL, inputs TEXT NOT NULL, outputs TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS objects_parent ON objects (parent, kind);
CREATE INDEX IF NOT EXISTS objects_kind ON objects (kind);
CREATE TABLE IF NOT EXISTS links (
    source TEXT, target TEXT, path TEXT, PRIMARY KEY (target, source, path)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS links_source ON links (source);
CREATE TABLE IF NOT EXISTS graves (
    space TEXT, name TEXT, kind TEXT, id TEXT, inputs TEXT, purge_at REAL, PRIMARY KEY (space, name)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS unstarted (key TEXT PRIMARY KEY) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Object:
    """One existing object: `kind` is the cloud's name of its type, `parent` the id of what encloses it."""

    id: str
    kind: str
    pulumi_type: str
    urn: str
    parent: str
    inputs: Properties
    outputs: Properties

    @property
    def name(self) -> str:
        return self.id.rsplit("/", 1)[-1]


@dataclass(frozen=True, slots=True)
class Grave:
    """A soft-deleted object: recoverable until `purge_at` (POSIX seconds), and holding its name until then."""

    space: str
    name: str
    kind: str
    id: str
    inputs: Properties
    purge_at: float


class Store:
    """Not thread-safe by itself: the cloud serialises the calls. A file that it cannot use raises `ProviderError`."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)  # inputs may hold what a program marks as secret
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        try:
            # Emulated objects are rebuilt by the next `up`: losing the last ones in a power cut is no harm.
            self._db.executescript(
                "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; PRAGMA busy_timeout=10000;" + _TABLES
            )
        except sqlite3.Error as error:
            self._db.close()
            raise ProviderError(
                f"{path}: the emulated cloud's file cannot be used ({error}): make it writable, or put back a copy;"
                " without one, delete the file and run refresh"
            ) from error
        self.claims = Claims(self._db)

    def close(self) -> None:
        self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of it or nothing."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def get(self, object_id: str) -> Object | None:
        return next(self._objects("key = ?", object_id.lower()), None)

    def put(self, item: Object, links: Iterable[tuple[str, str]]) -> None:
        """Write an object and the (path, id) pairs of what it names, replacing what it named before."""
        key = item.id.lower()
        self._db.execute(
            "INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                key, item.id, item.kind, item.pulumi_type, item.urn, item.parent.lower(),
                json.dumps(item.inputs), json.dumps(item.outputs),
            ),
        )  # fmt: skip
        self._db.execute("DELETE FROM links WHERE source = ?", (key,))
        self._db.executemany(
            "INSERT OR IGNORE INTO links VALUES (?, ?, ?)", [(key, target.lower(), path) for path, target in links]
        )

    def remove(self, object_id: str) -> None:
        """Remove an object, what it named and the names it held."""
        key = object_id.lower()
        self._db.execute("DELETE FROM objects WHERE key = ?", (key,))
        self._db.execute("DELETE FROM links WHERE source = ?", (key,))
        self.mark_started(key)
        self.claims.release(key)

    def mark_unstarted(self, object_id: str) -> None:
        self._db.execute("INSERT OR IGNORE INTO unstarted VALUES (?)", (object_id.lower(),))

    def mark_started(self, object_id: str) -> None:
        self._db.execute("DELETE FROM unstarted WHERE key = ?", (object_id.lower(),))

    def is_unstarted(self, object_id: str) -> bool:
        return self._db.execute("SELECT 1 FROM unstarted WHERE key = ?", (object_id.lower(),)).fetchone() is not None

    def children(self, parent: str, kind: str | None = None) -> list[Object]:
        """The objects directly inside `parent`, in the order of their ids."""
        if kind is None:
            return list(self._objects("parent = ?", parent.lower()))
        return list(self._objects("parent = ? AND kind = ?", parent.lower(), kind))

    def of_kind(self, kind: str) -> list[Object]:
        return list(self._objects("kind = ?", kind))

    def of_urn(self, kind: str, urn: str) -> Object | None:
        """The object of a type that was deployed under a URN."""
        return next(self._objects("kind = ? AND urn = ?", kind, urn), None)

    def referrers(self, object_id: str) -> list[Object]:
        """The objects that name `object_id` or something inside it, other than itself and its own children."""
        key = object_id.lower()
        return list(
            self._objects(
                "key IN (SELECT source FROM links WHERE (target = ? OR (target > ? AND target < ?)))"
                " AND key != ? AND parent != ?",
                key, f"{key}/", f"{key}0", key, key,
            )
        )  # fmt: skip

    def targets(self, object_id: str) -> list[str]:
        """The ids that an object names, in lower case."""
        rows = self._db.execute("SELECT target FROM links WHERE source = ? ORDER BY path, target", (object_id.lower(),))
        return [str(target) for (target,) in rows.fetchall()]

    def bury(self, grave: Grave) -> None:
        self._db.execute(
            "INSERT OR REPLACE INTO graves VALUES (?, ?, ?, ?, ?, ?)",
            (grave.space.lower(), grave.name.lower(), grave.kind, grave.id, json.dumps(grave.inputs), grave.purge_at),
        )

    def grave(self, space: str, name: str) -> Grave | None:
        return next(self._graves("space = ? AND name = ?", space.lower(), name.lower()), None)

    def graves_until(self, moment: float) -> list[Grave]:
        """The soft-deleted objects whose retention has ended by `moment`."""
        return list(self._graves("purge_at <= ?", moment))

    def exhume(self, grave: Grave) -> None:
        """Forget a soft-deleted object: it was recovered or purged."""
        self._db.execute("DELETE FROM graves WHERE space = ? AND name = ?", (grave.space.lower(), grave.name.lower()))

    def _objects(self, condition: str, *values: object) -> Iterator[Object]:
        rows = self._db.execute(
            f"SELECT id, kind, type, urn, parent, inputs, outputs FROM objects WHERE {condition} ORDER BY key",  # noqa: S608 - the conditions are literals of this module
            values,
        )
        for item_id, kind, pulumi_type, urn, parent, inputs, outputs in rows.fetchall():
            yield Object(item_id, kind, pulumi_type, urn, parent, json.loads(inputs), json.loads(outputs))

    def _graves(self, condition: str, *values: object) -> Iterator[Grave]:
        rows = self._db.execute(
            f"SELECT space, name, kind, id, inputs, purge_at FROM graves WHERE {condition} ORDER BY space, name",  # noqa: S608 - the conditions are literals of this module
            values,
        )
        for space, name, kind, item_id, inputs, purge_at in rows.fetchall():
            yield Grave(space, name, kind, item_id, json.loads(inputs), purge_at)
