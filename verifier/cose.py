"""COSE_Sign1 (RFC 9052, 4.2) with ES256 or ES384: Nitro attestation documents, and attestation results as CWTs.

The algorithm is not chosen by the message but by the key that its reader trusts: a message that names another is
refused, and so is one with headers that a reader would have to understand (`crit`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec

from verifier import cbor
from verifier.errors import MalformedEvidence
from verifier.signer import ES256, ES384, algorithm_of, verifies

TAG: Final = 18
"""Tag of a COSE_Sign1."""
_SIGNATURE_BYTES: Final = frozenset({2 * ES256.scalar_bytes, 2 * ES384.scalar_bytes})
ALGORITHM, CRITICAL, CONTENT_TYPE, KEY_ID = 1, 2, 3, 4
"""Labels of header parameters (RFC 9052, 3.1)."""


@dataclass(frozen=True, slots=True)
class Sign1:
    """A message before it is verified.

    protected: the protected header as it is signed; headers: what it says. signature: r ‖ s, 64 or 96 bytes.
    """

    protected: bytes
    headers: Mapping[Any, Any]
    unprotected: Mapping[Any, Any]
    payload: bytes
    signature: bytes

    @property
    def algorithm(self) -> object:
        """The algorithm that the protected header names; None without one."""
        return self.headers.get(ALGORITHM)

    @property
    def signed(self) -> bytes:
        """Sig_structure (RFC 9052, 4.4), without external data: what the signature is over."""
        return to_be_signed(self.protected, self.payload)

    def is_signed_by(self, key: ec.EllipticCurvePublicKey) -> bool:
        """Whether the signature is `key`'s, made and named as the algorithm of its curve."""
        try:
            expected = algorithm_of(key)
        except ValueError:
            return False
        return self.algorithm == expected.cose and verifies(key, self.signed, self.signature, expected)


def parse_sign1(data: bytes, tags: frozenset[int] = frozenset({TAG})) -> Sign1:
    """Read a COSE_Sign1, with or without tags that are expected; MalformedEvidence for anything else."""
    value = cbor.decode(data)
    while isinstance(value, cbor.Tagged) and value.tag in tags:
        value = value.value
    match value:
        case [bytes() as protected, dict() as unprotected, bytes() as payload, bytes() as signature]:
            pass
        case _:
            raise MalformedEvidence(0, "not a COSE_Sign1: [protected, unprotected, payload, signature] expected")
    headers = cbor.decode(protected) if protected else {}
    if not isinstance(headers, dict):
        raise MalformedEvidence(0, "COSE: the protected header is not a map")
    if CRITICAL in headers or headers.keys() & unprotected.keys():
        raise MalformedEvidence(0, "COSE: headers that must be understood (crit), or that occur twice")
    if len(signature) not in _SIGNATURE_BYTES:
        raise MalformedEvidence(0, f"COSE: a signature of {len(signature)} bytes, 64 or 96 expected")
    return Sign1(protected, headers, unprotected, payload, signature)


def to_be_signed(protected: bytes, payload: bytes) -> bytes:
    """Sig_structure of a COSE_Sign1 without external data."""
    return cbor.encode(["Signature1", protected, b"", payload])
