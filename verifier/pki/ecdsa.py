"""ECDSA as vendors of hardware use it: one curve with one hash, in DER or as raw r ‖ s. Nothing else is accepted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from cryptography import exceptions
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from verifier.pki import der


@dataclass(frozen=True)
class EcdsaProfile:
    """A curve with the hash that goes with it.

    name: for messages. algorithm: object identifier of the signature algorithm (RFC 5758, 3.2).
    coordinate_bytes: length of r, s and of a key's coordinates.
    """

    name: str
    algorithm: str
    curve: ec.EllipticCurve
    scheme: ec.ECDSA
    coordinate_bytes: int

    def is_algorithm(self, identifier: bytes) -> bool:
        """Whether a DER AlgorithmIdentifier names this algorithm, without parameters (RFC 5758, 3.2)."""
        reader = der.Reader(identifier).read(der.SEQUENCE, "signature algorithm").inside()
        oid = der.object_identifier(reader.read(der.OBJECT_IDENTIFIER, "algorithm"), "algorithm")
        return oid == self.algorithm and not reader.more()

    def load_key(self, subject_public_key_info: bytes) -> ec.EllipticCurvePublicKey | None:
        """The key in a SubjectPublicKeyInfo; None when it is of another kind or on another curve."""
        try:
            key = serialization.load_der_public_key(subject_public_key_info)
        except (ValueError, exceptions.UnsupportedAlgorithm):
            return None
        if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name != self.curve.name:
            return None
        return key

    def verifies(self, key: ec.EllipticCurvePublicKey, signed: bytes, signature: bytes) -> bool:
        """Whether `signature`, in DER as certificates have it, is `key`'s over `signed`."""
        try:
            key.verify(signature, signed, self.scheme)
        except exceptions.InvalidSignature:
            return False
        return True

    def verifies_raw(self, key: ec.EllipticCurvePublicKey, signed: bytes, signature: bytes) -> bool:
        """Whether `signature`, r ‖ s big-endian, is `key`'s over `signed`."""
        size = self.coordinate_bytes
        if len(signature) != 2 * size:
            return False
        r, s = int.from_bytes(signature[:size], "big"), int.from_bytes(signature[size:], "big")
        return self.verifies(key, signed, encode_dss_signature(r, s))


P384: Final = EcdsaProfile(
    "ECDSA P-384 with SHA-384", "1.2.840.10045.4.3.3", ec.SECP384R1(), ec.ECDSA(hashes.SHA384()), 48
)
