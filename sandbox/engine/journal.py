"""The journal beside a checkpoint: what has happened since the checkpoint was written, one line per event.

A line is a JSON list of operations that take effect together: `begin` and `end` of an operation on the cloud, `put`
and `drop` of a resource, `rename` of a URN. Appending costs the same whatever the size of the state, so that a run is
linear in its resources, and a process that is killed leaves at most one unfinished line, which is ignored. The first
line names the checkpoint that the journal continues, by digest; `folded` names the one that took it in.
"""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from sandbox.engine.errors import StateError
from sandbox.engine.secrets import SecretBox

VERSION: Final = 1
Operation = list[Any]
"""`["begin", number, type, resource]`, `["end", number]`, `["put", key, resource]`, `["drop", key]`,
`["rename", old, new]` or `["folded", digest]`."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A journal as read: the digest of its checkpoint, the salt of its secrets, its operations, who took it in, and
    the size in bytes of its finished lines."""

    base: str
    salt: str
    operations: tuple[Operation, ...]
    folded: str | None
    size: int


def read(path: Path) -> Recorded | None:
    """The journal at `path`, or None where there is none or where not even its first line was finished."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    size = data.rfind(b"\n") + 1
    lines = data[:size].splitlines()
    if not lines:
        return None
    try:
        header, *rest = (json.loads(line) for line in lines)
        if header["journal"] != VERSION:
            raise StateError(f"{path}: journal version {header['journal']}, this program reads {VERSION}: update it")
        operations = [operation for line in rest for operation in line]
        folded = [operation[1] for operation in operations if operation[0] == "folded"]
        return Recorded(
            header["base"],
            header["salt"],
            tuple(operation for operation in operations if operation[0] != "folded"),
            folded[-1] if folded else None,
            size,
        )
    except (ValueError, KeyError, TypeError, IndexError, RecursionError) as error:
        raise StateError(
            f"{path}: the journal of an interrupted run is damaged ({error}); move it away to go on from the last"
            " checkpoint, then run refresh"
        ) from error


class Journal:
    """Appends to a journal file, whose secrets are sealed in `box`. Every line is on disk when `append` returns.

    The file is made with the first line; with a `size` it goes on after that many bytes of an existing journal.
    """

    def __init__(self, path: Path, base: str, box: SecretBox, size: int = 0) -> None:
        self._path = path
        self._base = base
        self._box = box
        self._file: IO[bytes] | None = None
        self._size = size

    def append(self, operations: Sequence[Operation]) -> None:
        """Raises `OSError` with the journal as it was before, so that a full disk damages nothing."""
        line = json.dumps(operations, separators=(",", ":")).encode() + b"\n"
        if self._size == 0:
            header = {"journal": VERSION, "base": self._base, "salt": self._box.salt}
            line = json.dumps(header).encode() + b"\n" + line
        if self._file is None:
            self._file = self._path.open("r+b" if self._size else "wb", buffering=0)
            self._file.truncate(self._size)
            self._file.seek(self._size)
        try:
            write_all(self._file, line)
            os.fdatasync(self._file.fileno())
        except OSError:
            self._file.truncate(self._size)
            self._file.seek(self._size)
            raise
        self._size += len(line)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def remove(self) -> None:
        """Once a checkpoint has taken it in."""
        self.close()
        self._path.unlink(missing_ok=True)
        self._size = 0


def write_all(file: IO[bytes], data: bytes) -> None:
    """An unbuffered write may stop short, as it does when the disk fills up."""
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]
