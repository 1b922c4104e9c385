"""A stack's state on disk: a checkpoint that `pulumi stack import` reads, and a journal of what came since.

While a run lasts, each operation goes to the journal (`sandbox.engine.journal`), which is folded into the checkpoint
(`sandbox.engine.checkpoint`) at the end, or by the next run if this one is killed. `<file>.lock` is held for as long as
a run lasts; the kernel lets go of it when the process ends, however it ends.
"""

import contextlib
import fcntl
import hashlib
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sandbox.engine import journal
from sandbox.engine.checkpoint import DEPLOYMENT_VERSION, Checkpoint
from sandbox.engine.errors import StateError, StateLockedError
from sandbox.engine.ledger import Ledger
from sandbox.engine.secrets import SecretBox

STACK_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")


def check_stack_name(stack: str) -> str:
    """`stack`, when it is a name and not a path."""
    if not STACK_NAME.fullmatch(stack):
        raise StateError(
            f"not a stack name: {stack!r} (letters, digits, '_', '-' and '.', at most 100, e.g. azure-germany)"
        )
    return stack


class StateFile:
    """One stack's state at `path`, whose secrets are sealed under `passphrase`."""

    def __init__(self, path: Path, passphrase: str) -> None:
        self.path = path.absolute()
        self.passphrase = passphrase
        self._checkpoint = Checkpoint(self.path)

    @classmethod
    def of_stack(cls, project_dir: Path, stack: str, passphrase: str) -> "StateFile":
        """`.bailiwick/state/<stack>.json` of a project."""
        return cls(project_dir / ".bailiwick" / "state" / f"{check_stack_name(stack)}.json", passphrase)

    def exists(self) -> bool:
        """Whether a run has written anything; the journal alone, when the first one was killed."""
        return self.path.exists() or self._checkpoint.journal.exists()

    @contextlib.contextmanager
    def locked(self) -> Iterator[Ledger]:
        """The state, for one run: nobody else can open it until the run ends."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            lock = self._checkpoint.lock.open("a+")
        except OSError as error:
            raise self._checkpoint.unwritable(error) from error
        with lock:
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
            ledger = self.read()
            try:
                yield ledger
            finally:
                ledger.close()

    def read(self) -> Ledger:
        """The state as of now, to look at; a run in progress does not hinder it. Raises `StateError`."""
        content = self._checkpoint.read()
        digest = hashlib.sha256(content).hexdigest() if content is not None else ""
        deployment = self._checkpoint.parse(content) if content is not None else {}
        recorded = self._recorded(digest)
        try:
            salt = recorded.salt if recorded else _salt_of(deployment)
            box = SecretBox.open(self.passphrase, salt) if salt else SecretBox.new(self.passphrase)
            ledger = Ledger(self._checkpoint, box, digest, recorded.size if recorded else 0)
            ledger.fill(deployment, recorded.operations if recorded else ())
        except StateError as error:
            raise StateError(f"{self.path}: {error}") from error
        except (KeyError, TypeError, AttributeError, IndexError) as error:
            raise self._checkpoint.corrupt(f"unexpected content: {type(error).__name__} {error}") from error
        return ledger

    def export(self) -> dict[str, Any]:
        """The deployment, as `pulumi stack import` takes it. Secrets stay encrypted."""
        return {"version": DEPLOYMENT_VERSION, "deployment": self.read().deployment()}

    def _recorded(self, digest: str) -> journal.Recorded | None:
        """The journal that continues the checkpoint, None when there is none or the checkpoint has taken it in."""
        recorded = journal.read(self._checkpoint.journal)
        if recorded is None or recorded.folded == digest:
            return None
        if recorded.base != digest:
            raise StateError(
                f"{self._checkpoint.journal}: belongs to another version of {self.path.name}; move the journal away to"
                " go on from the checkpoint, then run refresh"
            )
        return recorded


def _salt_of(deployment: dict[str, Any]) -> str | None:
    provider = deployment.get("secrets_providers")
    if provider is None:
        return None
    if provider["type"] != "passphrase":
        raise StateError(
            f"secrets are kept by {provider['type']}, this engine reads passphrase; change it with"
            " pulumi stack change-secrets-provider passphrase"
        )
    salt: str = provider["state"]["salt"]
    return salt
