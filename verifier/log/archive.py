"""What was attested, kept beside the log so that an auditor can judge it again: files named by their SHA-256.

Evidence is written only after it has been found genuine, so that nobody fills the disk with noise. Content-addressed
files need no lock: replicas that write the same content write the same file.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
from pathlib import Path

from verifier.errors import VerifierError


class ArchiveError(VerifierError):
    """Something cannot be archived, or what is there is not what its name says."""


class Archive:
    """A directory of immutable files, `<kind>-<sha256 hex>`."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def put(self, kind: str, content: bytes) -> str:
        """Keep `content` durably; the result is its SHA-256 in hex. ArchiveError when that is not possible."""
        digest = hashlib.sha256(content).hexdigest()
        path = self._path(kind, digest)
        temporary = path.with_name(f"{path.name}.{os.getpid()}.{threading.get_ident()}")
        try:
            if path.is_file():
                return digest
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            temporary.replace(path)
        except OSError as error:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise ArchiveError(f"cannot write {path}: {error.strerror}; free disk space or fix permissions") from None
        return digest

    def get(self, kind: str, digest: str) -> bytes:
        """The content with this SHA-256; ArchiveError when it is absent or was changed."""
        path = self._path(kind, digest)
        try:
            content = path.read_bytes()
        except OSError as error:
            raise ArchiveError(f"cannot read {path}: {error.strerror}") from None
        if hashlib.sha256(content).hexdigest() != digest:
            raise ArchiveError(f"{path} was changed: its SHA-256 is not the one in its name")
        return content

    def digests(self, kind: str) -> list[str]:
        """Digests of everything of a kind, sorted."""
        return sorted(path.name.removeprefix(f"{kind}-") for path in self._directory.glob(f"{kind}-{'[0-9a-f]' * 64}"))

    def _path(self, kind: str, digest: str) -> Path:
        if len(digest) != 64 or not set(digest) <= set("0123456789abcdef"):
            raise ArchiveError(f"{digest!r:.80} is not a SHA-256 in hex")
        return self._directory / f"{kind}-{digest}"
