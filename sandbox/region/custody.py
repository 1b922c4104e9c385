"""What outlives the verifier machines: the HSM, the broker's wrapped data keys and the transparency log."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

from sandbox.region.hsm import open_keystore
from verifier.broker.wrapped import WrappedKeys
from verifier.keystore import KeyStore
from verifier.log import TransparencyLog

LOG_KEY: Final = "transparency-log"


class Custody:
    """Opens each part when it is first needed, so that a region nobody uses has no HSM. Thread-safe."""

    def __init__(self, directory: Path, stack: str, warn: Callable[[str], None]) -> None:
        self._directory = directory
        self._origin = f"{stack}.bailiwick.internal/log"
        self._warn = warn
        self._lock = threading.RLock()
        self._keystore: KeyStore | None = None
        self._log: TransparencyLog | None = None
        self.wrapped: Final = WrappedKeys(directory / "wrapped")

    @property
    def keystore(self) -> KeyStore:
        """The region's HSM."""
        with self._lock:
            if self._keystore is None:
                self._keystore = open_keystore(self._directory / "hsm", self._warn)
            return self._keystore

    @property
    def log(self) -> TransparencyLog:
        """The region's transparency log, shared by the replicas of the verifier."""
        with self._lock:
            if self._log is None:
                self._log = TransparencyLog(self._directory / "log", self.keystore, LOG_KEY, origin=self._origin)
            return self._log

    def close(self) -> None:
        """Close what was opened; it opens again when it is needed."""
        with self._lock:
            if self._log is not None:
                self._log.close()
            if self._keystore is not None:
                self._keystore.close()
            self._log = self._keystore = None
