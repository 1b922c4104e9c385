"""The checkpoint file of a stack: an untyped deployment, version 3, of sdk/go/common/apitype/core.go.

It is replaced whole and atomically: written beside, synced, renamed; the one before stays as `<file>.bak`.
"""

import errno
import json
import os
from pathlib import Path
from typing import Any, Final

from sandbox.engine.errors import StateError

DEPLOYMENT_VERSION: Final = 3


class Checkpoint:
    """The file at `path` and the files beside it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.backup = path.with_name(f"{path.name}.bak")
        self.journal = path.with_name(f"{path.name}.journal")
        self.lock = path.with_name(f"{path.name}.lock")
        self._new = path.with_name(f"{path.name}.new")

    def read(self) -> bytes | None:
        """The file's content, None when there is no file."""
        try:
            return self.path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StateError(f"cannot read {self.path}: {error.strerror}") from error

    def parse(self, content: bytes) -> dict[str, Any]:
        """The deployment in the file's content; raises `StateError` with the remedy."""
        try:
            document = json.loads(content)
            version, deployment = document["version"], document["deployment"]
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise self.corrupt(str(error)) from error
        if not isinstance(version, int) or not isinstance(deployment, dict):
            raise self.corrupt("version is not a number or deployment not an object")
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

    def write(self, deployment: dict[str, Any]) -> bytes:
        """Write `deployment` beside the file and sync it; `install` puts it in place. Returns what was written."""
        content = json.dumps({"version": DEPLOYMENT_VERSION, "deployment": deployment}, indent=2).encode() + b"\n"
        try:
            descriptor = os.open(self._new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            self._new.unlink(missing_ok=True)
            raise self.unwritable(error) from error
        return content

    def install(self) -> None:
        """Put what `write` wrote in place, and keep the file before it as the backup."""
        try:
            if self.path.exists():
                spare = self.backup.with_name(f"{self.backup.name}.new")
                spare.unlink(missing_ok=True)
                os.link(self.path, spare)
                spare.replace(self.backup)
            self._new.replace(self.path)
            directory = os.open(self.path.parent, os.O_RDONLY)
            try:
                os.fsync(directory)
            finally:
                os.close(directory)
        except OSError as error:
            raise self.unwritable(error) from error

    def corrupt(self, detail: str) -> StateError:
        remedy = "restore a copy of it"
        if self.backup.exists():
            remedy = f"restore the one before it with: cp {self.backup} {self.path}"
        return StateError(f"{self.path}: corrupt state file ({detail}); {remedy}")

    def unwritable(self, error: OSError) -> StateError:
        remedy = "make room" if error.errno in (errno.ENOSPC, errno.EDQUOT) else "make it a folder you may write to"
        return StateError(
            f"cannot write the state of {self.path.stem} to {self.path.parent}: {error.strerror}; what was there is"
            f" intact, what was begun is in the journal: {remedy}, then run the same command again"
        )
