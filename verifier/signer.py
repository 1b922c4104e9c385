"""The signature algorithm of everything the verifier signs: ECDSA P-384, SHA-384 (ES384, RFC 7518, 3.4).

A signature travels between the rooms as the raw 96 bytes r‖s, which is what PKCS#11 returns and JOSE carries;
DER is used only where a file format asks for it (DSSE).
"""

from __future__ import annotations

import hashlib
from typing import Protocol, TypeGuard

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

COORDINATE_BYTES = 48
"""Bytes of one P-384 scalar: a raw signature is twice as long."""

_GROUP_ORDER = ec.SECP384R1().group_order


class Signer(Protocol):
    """A private key that signs, wherever it lives (an HSM, a file, memory)."""

    @property
    def public_key(self) -> ec.EllipticCurvePublicKey:
        """The P-384 key that verifies what this signer signs."""

    def sign(self, data: bytes) -> bytes:
        """Hash `data` with SHA-384, sign it, return the raw signature r‖s (96 bytes)."""


class SoftwareSigner:
    """A signer whose private key is in memory: for build keys and tests, not for a region's keys."""

    def __init__(self, private_key: ec.EllipticCurvePrivateKey) -> None:
        if not _is_p384(private_key.public_key()):
            raise ValueError(f"a signer needs a P-384 key, not one on {private_key.curve.name}")
        self._private_key = private_key

    @classmethod
    def generate(cls) -> SoftwareSigner:
        """A signer with a new key."""
        return cls(ec.generate_private_key(ec.SECP384R1()))

    @property
    def public_key(self) -> ec.EllipticCurvePublicKey:
        """The key that verifies this signer's signatures."""
        return self._private_key.public_key()

    def sign(self, data: bytes) -> bytes:
        """The raw signature r‖s (96 bytes) of `data`."""
        return der_to_raw(self._private_key.sign(data, ec.ECDSA(hashes.SHA384())))


def verifies(public_key: ec.EllipticCurvePublicKey, data: bytes, raw_signature: bytes) -> bool:
    """Whether `raw_signature` (r‖s, 96 bytes) is `public_key`'s ES384 signature of `data`."""
    if not _is_p384(public_key) or len(raw_signature) != 2 * COORDINATE_BYTES:
        return False
    try:
        public_key.verify(raw_to_der(raw_signature), data, ec.ECDSA(hashes.SHA384()))
    except InvalidSignature:
        return False
    return True


def with_low_s(raw_signature: bytes) -> bytes:
    """The one of the two equivalent signatures (r, s) and (r, n − s) with the smaller s, so that there is only one."""
    s = int.from_bytes(raw_signature[COORDINATE_BYTES:], "big")
    lower = min(s, _GROUP_ORDER - s)
    return raw_signature[:COORDINATE_BYTES] + lower.to_bytes(COORDINATE_BYTES, "big")


def raw_to_der(raw_signature: bytes) -> bytes:
    """r‖s (96 bytes) as a DER ECDSA-Sig-Value (RFC 3279 section 2.2.3)."""
    r = int.from_bytes(raw_signature[:COORDINATE_BYTES], "big")
    s = int.from_bytes(raw_signature[COORDINATE_BYTES:], "big")
    return encode_dss_signature(r, s)


def der_to_raw(der_signature: bytes) -> bytes:
    """A DER ECDSA-Sig-Value as r‖s (96 bytes); ValueError when it is not DER or does not fit P-384."""
    r, s = decode_dss_signature(der_signature)
    if min(r, s) < 0 or max(r, s).bit_length() > 8 * COORDINATE_BYTES:
        raise ValueError("the signature does not fit P-384")
    return r.to_bytes(COORDINATE_BYTES, "big") + s.to_bytes(COORDINATE_BYTES, "big")


def fingerprint(public_key: ec.EllipticCurvePublicKey) -> str:
    """SHA-256 of the key's SubjectPublicKeyInfo, hex.

    `openssl pkey -pubin -in key.pem -outform der | sha256sum` prints the same.
    """
    return hashlib.sha256(
        public_key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    ).hexdigest()


def public_key_pem(public_key: ec.EllipticCurvePublicKey) -> str:
    """The key as SubjectPublicKeyInfo in PEM."""
    return public_key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode(
        "ascii"
    )


def load_public_key(pem: str | bytes) -> ec.EllipticCurvePublicKey:
    """Read a P-384 public key from PEM; ValueError says what is wrong."""
    try:
        key = serialization.load_pem_public_key(pem.encode() if isinstance(pem, str) else pem)
    except (ValueError, UnsupportedAlgorithm):
        raise ValueError("not a public key in PEM (-----BEGIN PUBLIC KEY-----)") from None
    if not _is_p384(key):
        raise ValueError("the public key is not an ECDSA P-384 key")
    return key


def _is_p384(key: object) -> TypeGuard[ec.EllipticCurvePublicKey]:
    return isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP384R1)
