"""The model publisher: what a team does before it deploys, so that there is an encrypted model to open.

It makes a model, encrypts it under a new data key, has the region's HSM wrap that key under the vault's KEK, and
hands the wrapped key to the broker. The data key itself is in memory only while this happens.
"""

import hashlib
import secrets
import threading
from typing import Final

from sandbox.guest.artefact import DEK_BYTES, encrypt
from sandbox.guest.config import WorkloadConfig
from sandbox.region import keys
from sandbox.region.blobs import BlobStore
from sandbox.region.custody import Custody
from verifier.broker.wrapped import WrappedKey

WEIGHT_BYTES: Final = 256 * 1024


def weights(model: str) -> bytes:
    """A stand-in for a model file: a header line, then pseudo-random bytes that depend on the name only."""
    return f"BAILIWICK MODEL {model}\n".encode() + hashlib.shake_256(model.encode()).digest(WEIGHT_BYTES)


class Publisher:
    """Publishes each model once, to blob storage and to the broker's wrapped keys. Thread-safe."""

    def __init__(self, custody: Custody, blobs: BlobStore) -> None:
        self._custody = custody
        self._blobs = blobs
        self._lock = threading.Lock()

    def publish(self, config: WorkloadConfig, url: str, kek: str) -> None:
        """Make sure that the guest's model lies at `url`, under a data key that the broker can release.

        Nothing happens while the vault has no key named `kek`.
        """
        with self._lock:
            version = keys.version(self._custody.keystore, kek)
            if version is None or self._is_published(config, url, kek, version):
                return
            dek = secrets.token_bytes(DEK_BYTES)
            plaintext = weights(config.model)
            self._blobs.put(url, encrypt(config.model, plaintext, dek))
            metadata = {
                "artefact": url,
                "kek_version": version,
                "model": config.model,
                "sha256": hashlib.sha256(plaintext).hexdigest(),
            }
            blob = self._custody.keystore.wrap(kek, dek)
            self._custody.wrapped.put(WrappedKey(config.resource, kek, blob, metadata))

    def _is_published(self, config: WorkloadConfig, url: str, kek: str, version: str) -> bool:
        known = self._custody.wrapped.get(config.resource)
        return (
            known is not None
            and (known.kek, known.metadata.get("kek_version")) == (kek, version)
            and known.metadata.get("artefact") == url
            and self._blobs.path(url).is_file()
        )
