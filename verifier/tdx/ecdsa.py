"""ECDSA P-256 with SHA-256, the one algorithm that Intel signs certificates, CRLs, collateral and quotes with."""

from __future__ import annotations

from typing import Final

from cryptography import exceptions
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from verifier.pki import der

_ECDSA_WITH_SHA256: Final = "1.2.840.10045.4.3.2"
_ECDSA: Final = ec.ECDSA(hashes.SHA256())
_CURVE: Final = ec.SECP256R1()
_UNCOMPRESSED: Final = b"\x04"

SIGNATURE_BYTES: Final = 64


def is_ecdsa_sha256(algorithm: bytes) -> bool:
    """Whether a DER AlgorithmIdentifier says ecdsa-with-SHA256, without parameters (RFC 5758, 3.2)."""
    identifier = der.Reader(algorithm).read(der.SEQUENCE, "signature algorithm").inside()
    oid = der.object_identifier(identifier.read(der.OBJECT_IDENTIFIER, "algorithm"), "algorithm")
    return oid == _ECDSA_WITH_SHA256 and not identifier.more()


def load_key(subject_public_key_info: bytes) -> ec.EllipticCurvePublicKey | None:
    """The P-256 key in a SubjectPublicKeyInfo; None when it is another kind of key or none."""
    try:
        key = serialization.load_der_public_key(subject_public_key_info)
    except (ValueError, exceptions.UnsupportedAlgorithm):
        return None
    if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name != _CURVE.name:
        return None
    return key


def load_point(coordinates: bytes) -> ec.EllipticCurvePublicKey | None:
    """The P-256 key with the coordinates x ‖ y, 32 bytes each; None when there is no such point."""
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, _UNCOMPRESSED + coordinates)
    except ValueError:
        return None


def verifies(key: ec.EllipticCurvePublicKey, signed: bytes, signature: bytes) -> bool:
    """Whether `signature`, in DER as certificates have it, is `key`'s over `signed`."""
    try:
        key.verify(signature, signed, _ECDSA)
    except exceptions.InvalidSignature:
        return False
    return True


def verifies_raw(key: ec.EllipticCurvePublicKey, signed: bytes, signature: bytes) -> bool:
    """Whether `signature`, r ‖ s of 32 bytes each as quotes and collateral have it, is `key`'s over `signed`."""
    if len(signature) != SIGNATURE_BYTES:
        return False
    half = SIGNATURE_BYTES // 2
    r, s = int.from_bytes(signature[:half], "big"), int.from_bytes(signature[half:], "big")
    return verifies(key, signed, encode_dss_signature(r, s))
