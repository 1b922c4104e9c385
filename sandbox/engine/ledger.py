"""The resources of a stack while a run changes them, with every change on disk before the next."""

import hashlib
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal

from sandbox.engine import journal
from sandbox.engine.checkpoint import Checkpoint
from sandbox.engine.graph import in_dependency_order
from sandbox.engine.resource import ResourceState, decode, encode
from sandbox.engine.secrets import SecretBox

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


BLANK: Final = Entry(-1, ResourceState("", ""))


class Ledger:
    """The resources of a stack during a run. Thread-safe. Nothing is written before the first operation."""

    def __init__(self, checkpoint: Checkpoint, box: SecretBox, digest: str, journal_size: int) -> None:
        self._checkpoint = checkpoint
        self._box = box
        self._journal = journal.Journal(checkpoint.journal, digest, box, journal_size)
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
            raise self._checkpoint.unwritable(error) from error

    def fold(self) -> None:
        """Write everything into the checkpoint and end the journal. Does nothing when nothing has changed."""
        with self._lock:
            if not (self._dirty and self.writable):
                return
            digest = hashlib.sha256(self._checkpoint.write(self._deployment())).hexdigest()
            self._append([["folded", digest]])
            self._checkpoint.install()
            self._journal.remove()
            self._journal = journal.Journal(self._checkpoint.journal, digest, self._box)
            self._dirty = False

    def close(self) -> None:
        """Let go of the journal, which stays where it is when it has not been folded."""
        with self._lock:
            self._journal.close()

    def deployment(self) -> dict[str, Any]:
        """As in the checkpoint: resources in dependency order, secrets sealed, pending operations at the end."""
        with self._lock:
            return self._deployment()

    def _deployment(self) -> dict[str, Any]:
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
        return deployment

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
