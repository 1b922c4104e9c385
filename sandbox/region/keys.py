"""Vault keys as the HSM holds them.

A vault key becomes two objects on the token. `<name>` is the AES-256 KEK that wraps data keys (the verifier's key
store says why it is not RSA). `<name>.pair` is a P-384 pair whose public half stands for the key in ARM, where a
key is a pair with a version.
"""

from cryptography.hazmat.primitives.asymmetric import ec

from sandbox.clouds.hardware import KeyVersion
from verifier import jwk
from verifier.keystore import KeyStore, open_signer
from verifier.signer import fingerprint

_VERSION_DIGITS = 32


def version(keystore: KeyStore, name: str) -> str | None:
    """The version of the vault key `name` as ARM knows it, or None when there is no such key."""
    label = _pair(name)
    return _version(keystore.public_key(label)) if label in keystore.names() else None


def create(keystore: KeyStore, name: str) -> KeyVersion:
    """Make the vault key `name`, or find it; its version is the same as long as it exists."""
    if name not in keystore.names():
        keystore.create_kek(name)
    public = open_signer(keystore, _pair(name)).public_key
    return KeyVersion(_version(public), jwk.from_public_key(public))


def destroy(keystore: KeyStore, name: str) -> None:
    """Destroy the vault key: what its KEK wrapped can never be opened again. Absent is no error."""
    for label in {name, _pair(name)} & set(keystore.names()):
        keystore.destroy(label)


def _version(public_key: ec.EllipticCurvePublicKey) -> str:
    return fingerprint(public_key)[:_VERSION_DIGITS]


def _pair(name: str) -> str:
    return f"{name}.pair"
