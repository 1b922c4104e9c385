"""What the verifier asks of a key store, whichever product is behind it."""

from __future__ import annotations

import re
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric import ec

from verifier.signer import ES384, Algorithm

BLOB_VERSION = 1
IV_BYTES = 12
TAG_BYTES = 16
KEK_BYTES = 32
_NAME = re.compile(r"[A-Za-z0-9._-]{1,127}")


class KeyStoreError(Exception):
    """A key operation failed. The message is one line that says what to do, and never holds a PIN or a key."""


class KeyStore(Protocol):
    """Key-encryption keys (KEK) that wrap data keys (DEK), and signing keys. Private and secret keys never leave.

    Every method raises KeyStoreError. Implementations are safe to share between threads.
    """

    @property
    def is_hsm(self) -> bool:
        """Whether the keys live in a hardware security module or its PKCS#11 emulation, not in files of ours."""

    def create_kek(self, name: str) -> None:
        """Make a key-encryption key, AES-256, inside the store; refused when the name is taken."""

    def wrap(self, name: str, dek: bytes) -> bytes:
        """Encrypt a data key under the KEK `name`; the blob is authenticated and bound to that name."""

    def unwrap(self, name: str, blob: bytes) -> bytes:
        """Decrypt what `wrap` made; refused when the blob was changed or wrapped under another KEK."""

    def create_signing_key(self, name: str, algorithm: Algorithm = ES384) -> None:
        """Make an ECDSA key pair for one algorithm inside the store; refused when the name is taken."""

    def sign(self, name: str, data: bytes) -> bytes:
        """The signature r‖s of `data` by the signing key `name`, with the algorithm that the key was made for."""

    def public_key(self, name: str) -> ec.EllipticCurvePublicKey:
        """The public half of the signing key `name`."""

    def destroy(self, name: str) -> None:
        """Erase the key `name`: what it wrapped can never be unwrapped again."""

    def names(self) -> tuple[str, ...]:
        """The names of all keys, sorted."""

    def describe(self) -> str:
        """One line for a person: what holds the keys, and whether it is an HSM."""

    def close(self) -> None:
        """Log out and drop what is held in memory."""


class KeyStoreSigner:
    """One signing key of a key store as a `verifier.signer.Signer`; KeyStoreError when it is for another algorithm."""

    def __init__(self, keystore: KeyStore, name: str, algorithm: Algorithm = ES384) -> None:
        self._keystore = keystore
        self._name = name
        self._public_key = keystore.public_key(name)
        curve = self._public_key.curve.name
        if curve != algorithm.curve.name:
            raise KeyStoreError(f"key {name!r} is on {curve}, {algorithm.curve.name} expected ({algorithm.name})")

    @property
    def public_key(self) -> ec.EllipticCurvePublicKey:
        """The key that verifies this signer's signatures."""
        return self._public_key

    def sign(self, data: bytes) -> bytes:
        """The raw signature r‖s of `data`."""
        return self._keystore.sign(self._name, data)


def open_signer(keystore: KeyStore, name: str, algorithm: Algorithm = ES384) -> KeyStoreSigner:
    """The signing key `name`, made first when the store does not have it."""
    if name not in keystore.names():
        try:
            keystore.create_signing_key(name, algorithm)
        except KeyStoreError:
            # Another replica may have made it in the meantime; that one is then the key.
            if name not in keystore.names():
                raise
    return KeyStoreSigner(keystore, name, algorithm)


def associated_data(name: str) -> bytes:
    """What AES-GCM authenticates along with a wrapped data key: the format and the KEK's name."""
    return b"bailiwick wrapped key v1\x00" + name.encode("utf-8")


def split_blob(blob: bytes) -> tuple[bytes, bytes]:
    """IV (12 bytes) and ciphertext with tag of a wrapped key: version (1 byte) ‖ IV ‖ ciphertext ‖ tag (16 bytes)."""
    if len(blob) <= 1 + IV_BYTES + TAG_BYTES or blob[0] != BLOB_VERSION:
        raise KeyStoreError(
            f"not a wrapped key: {len(blob)} bytes, version {blob[:1].hex() or 'none'}; restore the blob from a copy"
        )
    return blob[1 : 1 + IV_BYTES], blob[1 + IV_BYTES :]


def join_blob(iv: bytes, sealed: bytes) -> bytes:
    """The wrapped key that `split_blob` takes apart."""
    return bytes([BLOB_VERSION]) + iv + sealed


def check_name(name: str) -> str:
    """A key name that every backend can hold: 1-127 ASCII letters, digits, dots, dashes and underscores."""
    if not _NAME.fullmatch(name):
        raise KeyStoreError(f"key name {name!r:.60}: use 1 to 127 of A-Z a-z 0-9 . _ -")
    return name
