"""What the verifier signs with: ECDSA, with one hash for each curve (RFC 7518, 3.4).

Results, which live for minutes, are signed with ES256; whatever must stand for years with ES384 (decision 0018). Which
of them a signature must be, the key says that its reader trusts, never the signed message: a key is on one curve.

A signature travels between the rooms as the raw bytes r‖s, which is what PKCS#11 returns and JOSE carries; DER is used
only where a file format asks for it (DSSE).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final, Protocol, TypeGuard

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature


@dataclass(frozen=True)
class Algorithm:
    """A curve with its hash.

    name: JOSE's (RFC 7518, 3.1). cose: COSE's number (RFC 9053, 2.1). scalar_bytes: of r, and of s.
    """

    name: str
    cose: int
    curve: ec.EllipticCurve
    hash: hashes.HashAlgorithm
    scalar_bytes: int


ES256: Final = Algorithm("ES256", -7, ec.SECP256R1(), hashes.SHA256(), 32)
ES384: Final = Algorithm("ES384", -35, ec.SECP384R1(), hashes.SHA384(), 48)
_BY_CURVE: Final = {algorithm.curve.name: algorithm for algorithm in (ES256, ES384)}


def algorithm_of(public_key: ec.EllipticCurvePublicKey) -> Algorithm:
    """The one algorithm that a key is used with; ValueError for a key on another curve."""
    algorithm = _BY_CURVE.get(public_key.curve.name)
    if algorithm is None:
        raise ValueError(f"a signing key is on P-256 or P-384, not on {public_key.curve.name}")
    return algorithm


class Signer(Protocol):
    """A private key that signs, wherever it lives (an HSM, a file, memory)."""

    @property
    def public_key(self) -> ec.EllipticCurvePublicKey:
        """The key that verifies what this signer signs."""

    def sign(self, data: bytes) -> bytes:
        """Hash `data` as the key's algorithm says, sign it, return the raw signature r‖s."""


class SoftwareSigner:
    """A signer whose private key is in memory: for build keys and tests, not for a region's keys."""

    def __init__(self, private_key: ec.EllipticCurvePrivateKey) -> None:
        self._public_key = private_key.public_key()
        self._algorithm = algorithm_of(self._public_key)
        self._scheme = ec.ECDSA(self._algorithm.hash)
        self._private_key = private_key

    @classmethod
    def generate(cls, algorithm: Algorithm = ES384) -> SoftwareSigner:
        """A signer with a new key."""
        return cls(ec.generate_private_key(algorithm.curve))

    @property
    def public_key(self) -> ec.EllipticCurvePublicKey:
        """The key that verifies this signer's signatures."""
        return self._public_key

    def sign(self, data: bytes) -> bytes:
        """The raw signature r‖s of `data`."""
        return der_to_raw(self._private_key.sign(data, self._scheme), self._algorithm)


def verifies(
    public_key: ec.EllipticCurvePublicKey, data: bytes, raw_signature: bytes, algorithm: Algorithm = ES384
) -> bool:
    """Whether `raw_signature` (r‖s) is `public_key`'s signature of `data`; a key on another curve makes none."""
    if public_key.curve.name != algorithm.curve.name or len(raw_signature) != 2 * algorithm.scalar_bytes:
        return False
    try:
        public_key.verify(raw_to_der(raw_signature), data, ec.ECDSA(algorithm.hash))
    except InvalidSignature:
        return False
    return True


def with_low_s(raw_signature: bytes) -> bytes:
    """The one of an ES384 signature's two equivalents (r, s) and (r, n − s) with the smaller s: there is only one."""
    size = ES384.scalar_bytes
    s = int.from_bytes(raw_signature[size:], "big")
    lower = min(s, ec.SECP384R1().group_order - s)
    return raw_signature[:size] + lower.to_bytes(size, "big")


def raw_to_der(raw_signature: bytes) -> bytes:
    """r‖s, each half of the bytes, as a DER ECDSA-Sig-Value (RFC 3279 section 2.2.3)."""
    half = len(raw_signature) // 2
    r, s = (int.from_bytes(part, "big") for part in (raw_signature[:half], raw_signature[half:]))
    return encode_dss_signature(r, s)


def der_to_raw(der_signature: bytes, algorithm: Algorithm = ES384) -> bytes:
    """A DER ECDSA-Sig-Value as r‖s; ValueError when it is not DER or does not fit the curve."""
    r, s = decode_dss_signature(der_signature)
    size = algorithm.scalar_bytes
    if max(r, s).bit_length() > 8 * size:
        raise ValueError(f"the signature does not fit {algorithm.name}")
    return r.to_bytes(size, "big") + s.to_bytes(size, "big")


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
