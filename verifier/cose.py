"""COSE_Sign1 (RFC 9052, 4.2) with ES384 and nothing else: Nitro attestation documents, and attestation results as CWTs.

The algorithm is not chosen by the message: one that names another is refused, and so is one with headers that a reader
would have to understand (`crit`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec

from verifier import cbor
from verifier.errors import MalformedEvidence
from verifier.pki.ecdsa import P384

ES384: Final = -35
TAG: Final = 18
"""Tag of a COSE_Sign1."""
SIGNATURE_BYTES: Final = 96
ALGORITHM, CRITICAL, CONTENT_TYPE, KEY_ID = 1, 2, 3, 4
"""Labels of header parameters (RFC 9052, 3.1)."""


@dataclass(frozen=True, slots=True)
class Sign1:
    """A message before it is verified.

    protected: the protected header as it is signed; headers: what it says. signature: r ‖ s, 96 bytes.
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
        """Whether this is ES384 and the signature is `key`'s, which must be on P-384."""
        on_curve = key.curve.name == P384.curve.name
        return on_curve and self.algorithm == ES384 and P384.verifies_raw(key, self.signed, self.signature)


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
    if len(signature) != SIGNATURE_BYTES:
        raise MalformedEvidence(0, f"COSE: a signature of {len(signature)} bytes, {SIGNATURE_BYTES} expected")
    return Sign1(protected, headers, unprotected, payload, signature)


def to_be_signed(protected: bytes, payload: bytes) -> bytes:
    """Sig_structure of a COSE_Sign1 without external data."""
    return cbor.encode(["Signature1", protected, b"", payload])
