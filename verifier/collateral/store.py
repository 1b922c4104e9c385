"""The collateral store: a folder of files that git, rsync or an object store can carry as it is.

    collateral.json                     what the folder is, and the version of its layout
    objects/<sha256>                    one object each; its name says whether it is still what was stored
    index/<kind>/<subject>.json         one `Record` each

An object is written before the entry that names it, and each file appears whole or not at all, so that a process that
is killed, or two that write at the same time, lose nothing: at worst an object stays that no entry names.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from verifier.collateral.record import SUBJECT, CollateralError, Kind, Record

MARKER: Final = "collateral.json"
MAX_OBJECT_BYTES: Final = 2_097_152
"""More than ten times the largest object that a vendor serves."""

_LAYOUT: Final = b'{"layout": "bailiwick-collateral", "version": 1}\n'
_MAX_ENTRY_BYTES: Final = 16_384


def is_store(directory: Path) -> bool:
    """Whether a folder is a collateral store, and not one with the files for a single piece of evidence."""
    return (directory / MARKER).is_file()


def object_path(sha256: str) -> str:
    """Where an object is, from the store's folder."""
    return f"objects/{sha256}"


def entry_path(kind: Kind, subject: str) -> str:
    """Where an entry is, from the store's folder; CollateralError for a subject that is no file name."""
    if not SUBJECT.fullmatch(subject):
        raise CollateralError(f"{kind}: {subject!r:.80} is no subject of collateral")
    return f"index/{kind}/{subject}.json"


class Store:
    """A store in `directory`, which is made when something is first put there. Safe for several processes."""

    def __init__(self, directory: Path) -> None:
        self.directory: Final = directory
        if directory.exists() and any(directory.glob("[!.]*")) and not is_store(directory):
            raise CollateralError(
                f"{directory}: neither empty nor a collateral store, which has a file {MARKER}; name another folder"
            )
        _require_layout(directory / MARKER)

    @classmethod
    def existing(cls, directory: Path) -> Store:
        """The store in a folder; CollateralError when there is none."""
        if not is_store(directory):
            raise CollateralError(f"{directory}: no collateral store; `bailiwick collateral fetch` makes one")
        return cls(directory)

    def put(self, record: Record, content: bytes) -> None:
        """Store an object with its entry, in place of what the entry named before."""
        if hashlib.sha256(content).hexdigest() != record.sha256 or len(content) != record.size:
            raise CollateralError(f"{record.name}: the object is not the one that its entry describes")
        marker = self.directory / MARKER
        if not marker.exists():
            _write(marker, _LAYOUT)
        target = self.directory / object_path(record.sha256)
        if not _holds(target, record):
            _write(target, content)
        _write(self.directory / entry_path(record.kind, record.subject), record.to_json())

    def find(self, kind: Kind, subject: str) -> Record | None:
        """The entry, or None; CollateralError when its file is damaged or is another's."""
        path = self.directory / entry_path(kind, subject)
        text = _read(path, _MAX_ENTRY_BYTES)
        if text is None:
            return None
        record = Record.from_json(text, str(path))
        if (record.kind, record.subject) != (kind, subject):
            raise CollateralError(f"{path}: it describes {record.name}; fetch or import it again")
        return record

    def content(self, record: Record) -> bytes:
        """The object of an entry; CollateralError names its file when it is missing or was changed."""
        path = self.directory / object_path(record.sha256)
        content = _read(path, MAX_OBJECT_BYTES)
        if content is None:
            raise CollateralError(f"{path}: missing, and {record.name} needs it; fetch or import it again")
        if hashlib.sha256(content).hexdigest() != record.sha256:
            raise CollateralError(f"{path}: changed: {record.name} has another hash; fetch or import it again")
        return content

    def records(self, kind: Kind | None = None) -> Iterator[Record]:
        """Every entry, by kind and subject; CollateralError when one is damaged."""
        for each in Kind if kind is None else (kind,):
            for path in sorted((self.directory / "index" / each).glob("[!.]*.json")):
                record = self.find(each, path.stem)
                if record is not None:
                    yield record


def _require_layout(marker: Path) -> None:
    text = _read(marker, _MAX_ENTRY_BYTES)
    if text not in {None, _LAYOUT}:
        raise CollateralError(
            f"{marker}: a layout that this version does not read; {_LAYOUT.decode().strip()} expected"
        )


def _holds(path: Path, record: Record) -> bool:
    content = _read(path, MAX_OBJECT_BYTES)
    return content is not None and hashlib.sha256(content).hexdigest() == record.sha256


def _read(path: Path, limit: int) -> bytes | None:
    """Content of a file, None when it is not there."""
    try:
        with path.open("rb") as file:
            content = file.read(limit + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise CollateralError(f"{path}: {error.strerror}") from None
    if len(content) > limit:
        raise CollateralError(f"{path}: larger than {limit} bytes")
    return content


def _write(path: Path, content: bytes) -> None:
    """Let a file appear with its whole content, durably."""
    draft = path.with_name(f".{path.name[:64]}.{secrets.token_hex(8)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise CollateralError(f"{path}: {error.strerror}; nothing was stored under this name") from None
    finally:
        draft.unlink(missing_ok=True)
