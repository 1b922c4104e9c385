"""A stack's state on disk: a checkpoint that `pulumi stack import` reads, and a journal of what came since.

The checkpoint (`<stack>.json`) is an untyped deployment, version 3, of sdk/go/common/apitype/core.go. It is replaced
whole and atomically: written beside, synced, renamed; the one before stays as `<stack>.json.bak`. While a run lasts,
each operation goes to the journal (`sandbox.engine.journal`), which the next run folds in if this one is killed.
`<stack>.json.lock` is held for as long as a run lasts; the kernel lets go of it when the process ends, however it ends.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import re
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal

from sandbox.engine import journal
from sandbox.engine.errors import StateError, StateLockedError
from sandbox.engine.graph import in_dependency_order
from sandbox.engine.resource import ResourceState, decode, encode
from sandbox.engine.secrets import SecretBox

DEPLOYMENT_VERSION: Final = 3
STACK_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")

PendingType = Literal["creating", "updating", "deleting", "reading"]


@dataclass(frozen=True, slots=True)
class PendingOperation:
    """An operation that had begun when the run that began it ended: its outcome is not known."""

    number: int
    type: PendingType
    resource: ResourceState


@dataclass(frozen=True, slots=True)
class Entry:
    """A resource in the ledger. The key stays when the resource changes; -1 marks what a preview only foretells."""

    key: int
    state: ResourceState


def check_stack_name(stack: str) -> str:
    """`stack`, when it is a name and not a path."""
    if not STACK_NAME.fullmatch(stack):
        raise StateError(
            f"not a stack name: {stack!r} (letters, digits, '_', '-' and '.', at most 100, e.g. azure-germany)"
        )
    return stack


BLANK: Final = Entry(-1, ResourceState("", ""))


class StateFile:
    """One stack's checkpoint and what lies beside it."""

    def __init__(self, path: Path, passphrase: str) -> None:
        self.path = path.absolute()
        self.passphrase = passphrase

    @classmethod
    def of_stack(cls, project_dir: Path, stack: str, passphrase: str) -> "StateFile":
        return cls(project_dir / ".bailiwick" / "state" / f"{check_stack_name(stack)}.json", passphrase)

    @property
    def backup_path(self) -> Path:
        return self._beside("bak")

    @property
    def journal_path(self) -> Path:
        return self._beside("journal")

    def _beside(self, suffix: str) -> Path:
        return self.path.with_name(f"{self.path.name}.{suffix}")

    @contextlib.contextmanager
    def locked(self) -> Iterator["Ledger"]:
        """The state, for one run: nobody else can open it until the run ends."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self._beside("lock").open("a+") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                lock.seek(0)
                holder = lock.read().strip() or "unknown"
                raise StateLockedError(
                    f"stack {self.path.stem} is in use by another run (process {holder}): wait until it has ended"
                ) from None
            lock.truncate(0)
            lock.write(str(os.getpid()))
            lock.flush()
            yield self._load()

    def read(self) -> "Ledger":
        """The state as of now, to look at; a run in progress does not hinder it."""
        return self._load()

    def export(self) -> dict[str, Any]:
        """The deployment, as `pulumi stack import` takes it. Secrets stay encrypted."""
        return self._load().deployment()

    def _load(self) -> "Ledger":
        raw = self._read_checkpoint()
        digest = hashlib.sha256(raw).hexdigest() if raw is not None else ""
        recorded = journal.read(self.journal_path)
        if recorded is not None and recorded.folded == digest:
            recorded = None
        if recorded is not None and recorded.base != digest:
            raise StateError(
                f"{self.journal_path}: belongs to another version of {self.path.name}; move the journal away to go on"
                " from the checkpoint, then run refresh"
            )
        deployment = self._parse(raw) if raw is not None else {}
        salt = recorded.salt if recorded else self._salt_of(deployment)
        try:
            box = SecretBox.open(self.passphrase, salt) if salt else SecretBox.new(self.passphrase)
            ledger = Ledger(self, box, digest, recorded.size if recorded else 0)
            ledger.fill(deployment, recorded.operations if recorded else ())
        except StateError as error:
            raise StateError(f"{self.path}: {error}") from error
        except (KeyError, TypeError, AttributeError, IndexError) as error:
            raise StateError(self._corrupt(f"unexpected content ({type(error).__name__}: {error})")) from error
        return ledger

    def _read_checkpoint(self) -> bytes | None:
        try:
            return self.path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StateError(f"cannot read {self.path}: {error.strerror}") from error

    def _parse(self, raw: bytes) -> dict[str, Any]:
        try:
            document = json.loads(raw)
            version = document["version"]
            deployment = document["deployment"]
        except (ValueError, KeyError, TypeError) as error:
            raise StateError(self._corrupt(str(error))) from error
        if not isinstance(version, int) or not isinstance(deployment, dict):
            raise StateError(self._corrupt("version is not a number or deployment not an object"))
        if version > DEPLOYMENT_VERSION:
            raise StateError(
                f"{self.path}: written by a newer program (deployment version {version}, this one reads"
                f" {DEPLOYMENT_VERSION}): update bailiwick"
            )
        if version < DEPLOYMENT_VERSION:
            raise StateError(
                f"{self.path}: deployment version {version} is too old; import and export it with pulumi first"
            )
        return deployment

    def _corrupt(self, detail: str) -> str:
        backup = self.backup_path
        remedy = f"restore the one before it with: cp {backup} {self.path}" if backup.exists() else "restore a copy"
        return f"{self.path}: corrupt state file ({detail}); {remedy}"

    def _salt_of(self, deployment: dict[str, Any]) -> str | None:
        provider = deployment.get("secrets_providers")
        if provider is None:
            return None
        if provider["type"] != "passphrase":
            raise StateError(
                f"{self.path}: secrets are kept by {provider['type']}, this engine reads passphrase; change it with"
                " pulumi stack change-secrets-provider passphrase"
            )
        salt: str = provider["state"]["salt"]
        return salt

    def write(self, document: dict[str, Any]) -> tuple[bytes, Path]:
        """Write `document` beside the checkpoint and sync it. Raises `StateError` with the checkpoint untouched."""
        data = json.dumps(document, indent=2).encode() + b"\n"
        temporary = self._beside("new")
        try:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            temporary.unlink(missing_ok=True)
            raise self.unwritable(error) from error
        return data, temporary

    def install(self, temporary: Path) -> None:
        """Put the written checkpoint in place, keep the one before it as the backup."""
        try:
            if self.path.exists():
                spare = self._beside("bak.new")
                spare.unlink(missing_ok=True)
                os.link(self.path, spare)
                spare.replace(self.backup_path)
            temporary.replace(self.path)
            directory = os.open(self.path.parent, os.O_RDONLY)
            try:
                os.fsync(directory)
            finally:
                os.close(directory)
        except OSError as error:
            raise self.unwritable(error) from error

    def unwritable(self, error: OSError) -> StateError:
        return StateError(
            f"cannot write the state of {self.path.stem} to {self.path.parent}: {error.strerror}; what was there is"
            " intact, what was begun is in the journal: make room, then run the same command again"
        )


class Ledger:
    """The resources of a stack during a run. Thread-safe. Nothing is written before the first operation."""

    def __init__(self, file: StateFile, box: SecretBox, digest: str, journal_size: int) -> None:
        self._file = file
        self._box = box
        self._journal = journal.Journal(file.journal_path, digest, box.salt, journal_size)
        self._lock = threading.Lock()
        self._entries: dict[int, ResourceState] = {}
        self._encoded: dict[int, dict[str, Any]] = {}
        self._pending: dict[int, PendingOperation] = {}
        self._renames: dict[str, str] = {}
        self._next = 0
        self._dirty = False
        self.writable = True
        """A preview sets this to False: then every change stays in memory."""

    def fill(self, deployment: dict[str, Any], operations: Sequence[journal.Operation]) -> None:
        """Take in a checkpoint, then the operations of a journal that continues it."""
        for record in deployment.get("resources") or ():
            self._insert(self._next, record)
        for pending in deployment.get("pending_operations") or ():
            self._replay(["begin", self._next, pending["type"], pending["resource"]])
        for operation in operations:
            self._replay(operation)
        self._dirty = bool(operations)

    def _insert(self, key: int, record: dict[str, Any]) -> None:
        self._entries[key] = decode(record, self._box)
        self._encoded[key] = record
        self._next = max(self._next, key + 1)

    def _replay(self, operation: journal.Operation) -> None:
        match operation:
            case ["put", key, record]:
                self._insert(key, record)
            case ["drop", key]:
                del self._entries[key], self._encoded[key]
            case ["begin", number, kind, record]:
                self._pending[number] = PendingOperation(number, kind, decode(record, self._box))
                self._next = max(self._next, number + 1)
            case ["end", number]:
                del self._pending[number]
            case ["rename", old, new]:
                self._renames[old] = new
            case _:
                raise KeyError(f"journal operation {operation[0]!r}")

    def entries(self) -> list[Entry]:
        """Every resource, in the order of the checkpoint."""
        with self._lock:
            return [Entry(key, state) for key, state in self._entries.items()]

    def resources(self) -> list[ResourceState]:
        """Every resource, what it needs first."""
        with self._lock:
            return self._ordered()

    def pending(self) -> list[PendingOperation]:
        with self._lock:
            return list(self._pending.values())

    def begin(self, kind: PendingType, resource: ResourceState) -> int:
        """Record that an operation on the cloud is about to start; its number goes to `commit`."""
        with self._lock:
            number = self._take_key()
            self._append([["begin", number, kind, encode(resource, self._box)]])
            self._pending[number] = PendingOperation(number, kind, resource)
            return number

    def commit(
        self,
        *,
        end: int | None = None,
        put: ResourceState | None = None,
        at: int | None = None,
        mark: Entry | None = None,
        drop: int | None = None,
        rename: tuple[str, str] | None = None,
    ) -> Entry:
        """Record, at once, what an operation has changed: the resource that it made or changed (`put`, in place of
        entry `at` if given), one that stays in another form (`mark`), one that is gone (`drop`). Returns the entry of
        `put`, else of `mark`, else a blank one."""
        with self._lock:
            stored = [mark] if mark is not None else []
            if put is not None:
                stored.insert(0, Entry(self._take_key() if at is None else at, put))
            records = [encode(entry.state, self._box) for entry in stored]
            operations: list[journal.Operation] = [
                ["put", entry.key, record] for entry, record in zip(stored, records, strict=True)
            ]
            operations += [["drop", drop]] if drop is not None else []
            operations += [["rename", *rename]] if rename is not None else []
            operations += [["end", end]] if end is not None else []
            self._append(operations)
            for entry, record in zip(stored, records, strict=True):
                self._entries[entry.key], self._encoded[entry.key] = entry.state, record
            if drop is not None:
                del self._entries[drop], self._encoded[drop]
            if rename is not None:
                self._renames[rename[0]] = rename[1]
            if end is not None:
                del self._pending[end]
            return stored[0] if stored else BLANK

    def _take_key(self) -> int:
        self._next += 1
        return self._next - 1

    def _append(self, operations: list[journal.Operation]) -> None:
        self._dirty = True
        if not self.writable:
            return
        try:
            self._journal.append(operations)
        except OSError as error:
            raise self._file.unwritable(error) from error

    def fold(self) -> None:
        """Write everything into the checkpoint and end the journal. Does nothing when nothing has changed."""
        with self._lock:
            if not (self._dirty and self.writable):
                return
            data, temporary = self._file.write(self._document())
            digest = hashlib.sha256(data).hexdigest()
            self._append([["folded", digest]])
            self._file.install(temporary)
            self._journal.remove()
            self._journal = journal.Journal(self._file.journal_path, digest, self._box.salt)
            self._dirty = False

    def deployment(self) -> dict[str, Any]:
        with self._lock:
            return self._document()

    def _document(self) -> dict[str, Any]:
        ordered = self._ordered()
        records = {id(state): self._encoded[key] for key, state in self._entries.items()}
        deployment: dict[str, Any] = {
            "manifest": {"time": timestamp(), "magic": "", "version": ""},
            "secrets_providers": {"type": "passphrase", "state": {"salt": self._box.salt}},
            "resources": [records.get(id(state)) or encode(state, self._box) for state in ordered],
        }
        if self._pending:
            deployment["pending_operations"] = [
                {"type": pending.type, "resource": encode(pending.resource, self._box)}
                for pending in self._pending.values()
            ]
        deployment["metadata"] = {}
        return {"version": DEPLOYMENT_VERSION, "deployment": deployment}

    def _ordered(self) -> list[ResourceState]:
        """In dependency order, with renamed URNs followed and references to what is gone taken out."""
        states = list(self._entries.values())
        if self._renames:
            states = [state.renamed(self._renames) for state in states]
        existing = {state.urn for state in states}
        return in_dependency_order([state.without_dangling(existing) for state in states])


def timestamp() -> str:
    """Now, RFC 3339 in UTC, as Pulumi writes it."""
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
