"""The store of wrapped data keys: what the broker may release, encrypted under KEKs that it does not have."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from verifier import canonical
from verifier.errors import VerifierError

_SUFFIX = ".wrapped.json"


class WrappedKeysError(VerifierError):
    """A wrapped key cannot be read or written."""


@dataclass(frozen=True)
class WrappedKey:
    """One data key: its KBS path, the KEK it is wrapped under, the wrapped blob, and what else is worth knowing.

    metadata: JSON object of public facts (the artefact it encrypts, when it was made); never a secret.
    """

    path: str
    kek: str
    blob: bytes
    metadata: Mapping[str, Any] = field(default_factory=dict)


class WrappedKeys:
    """A directory with one JSON file for each wrapped key, readable by all replicas."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def put(self, key: WrappedKey) -> None:
        """Write or replace a wrapped key, atomically and durably."""
        target = self._file(key.path)
        temporary = target.with_name(f"{target.name}.{os.getpid()}.{threading.get_ident()}")
        record = {
            "path": key.path,
            "kek": key.kek,
            "blob": base64.b64encode(key.blob).decode("ascii"),
            "metadata": key.metadata,
        }
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(canonical.encode(record))
                stream.flush()
                os.fsync(stream.fileno())
            temporary.replace(target)
        except OSError as error:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise WrappedKeysError(f"cannot write {target}: {error.strerror}; free disk space") from None

    def get(self, path: str) -> WrappedKey | None:
        """The wrapped key at a resource path, or None; WrappedKeysError when its file is damaged."""
        file = self._file(path)
        try:
            record = canonical.parse_object(file.read_bytes())
            key = WrappedKey(
                record["path"], record["kek"], base64.b64decode(record["blob"], validate=True), record["metadata"]
            )
        except FileNotFoundError:
            return None
        except (OSError, KeyError, TypeError, ValueError):
            raise WrappedKeysError(f"{file} is damaged: wrap the key again, or restore the file") from None
        if key.path != path:
            raise WrappedKeysError(f"{file} holds the key of {key.path!r:.80}, not of {path!r}: restore the file")
        return key

    def _file(self, path: str) -> Path:
        return self._directory / (hashlib.sha256(path.encode("utf-8")).hexdigest() + _SUFFIX)
