"""Google's launch endorsements: what its firmware measures, signed under its root for confidential computing.

    google-launch-endorsement   VMLaunchEndorsement (protobuf) as it is served, one for each measurement

Source: google/gce-tcb-verifier, proto/endorsement.proto: VMLaunchEndorsement {1 serialized_uefi_golden, 2 signature};
VMGoldenMeasurement {1 timestamp {1 seconds}, 4 cert, 7 sev_snp {2 measurements {2 value}}, 8 tdx {2 measurements
{3 mrtd}}}. The signature is RSASSA-PSS with SHA-256 over the exact bytes of the golden measurement.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from verifier.errors import MalformedEvidence, VerificationFailed
from verifier.trust import TrustStore

SCOPE: Final = "google-tcb"
"""Scope of the anchors that may vouch for Google's firmware."""

MAX_ENDORSEMENT_BYTES: Final = 262_144
"""Many times a signer's certificate and a measurement for each size of machine."""

_GOLDEN, _SIGNATURE = 1, 2
_TIMESTAMP, _CERTIFICATE = 1, 4
_MEASUREMENTS: Final = {"snp": (7, 2), "tdx": (8, 3)}
"""TEE → field of VMGoldenMeasurement, and field of one of its measurements that holds the value."""
_LIST: Final = 2
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_MAX_VARINT_BYTES: Final = 10
_PADDING: Final = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=hashes.SHA256.digest_size)


def inspect(subject: str, content: bytes, trust: TrustStore) -> tuple[datetime, None]:
    """When a genuine endorsement of the subject's measurement was made; it states no end."""
    if len(content) > MAX_ENDORSEMENT_BYTES:
        raise MalformedEvidence(MAX_ENDORSEMENT_BYTES, f"launch endorsement: at most {MAX_ENDORSEMENT_BYTES} bytes")
    endorsement = dict(_fields(content))
    golden, signature = _required(endorsement, _GOLDEN), _required(endorsement, _SIGNATURE)
    members = list(_fields(golden))
    first = dict(reversed(members))
    _check(golden, signature, _required(first, _CERTIFICATE), trust)
    tee, _, measurement = subject.partition("-")
    section, value = _MEASUREMENTS[tee]
    if measurement not in {
        _required(dict(_fields(entry)), value).hex()
        for number, part in members
        if number == section and isinstance(part, bytes)
        for name, entry in _fields(part)
        if name == _LIST and isinstance(entry, bytes)
    }:
        raise VerificationFailed("subject", "the endorsement does not list this measurement")
    seconds = dict(_fields(_required(first, _TIMESTAMP))).get(1, 0)
    if not isinstance(seconds, int) or seconds > datetime.max.replace(tzinfo=UTC).timestamp():
        raise MalformedEvidence(0, "timestamp: no time")
    return datetime.fromtimestamp(seconds, UTC), None


def _check(golden: bytes, signature: bytes, certificate: bytes, trust: TrustStore) -> None:
    anchors = [anchor.certificate.encoded for anchor in trust.anchors if SCOPE in anchor.scope]
    if not anchors:
        raise VerificationFailed("chain.root", "no root for Google's launch endorsements is pinned")
    try:
        signer = x509.load_der_x509_certificate(certificate)
        for root in anchors:
            try:
                signer.verify_directly_issued_by(x509.load_der_x509_certificate(root))
            except (ValueError, TypeError, InvalidSignature):
                continue
            break
        else:
            raise VerificationFailed("chain.leaf.signature", "no pinned root issued the signer's certificate")
        key = signer.public_key()
    except ValueError:
        raise MalformedEvidence(0, "cert: not an X.509 certificate in DER") from None
    if not isinstance(key, rsa.RSAPublicKey):
        raise VerificationFailed("chain.leaf.key", "the signer has no RSA key")
    try:
        key.verify(signature, golden, _PADDING, hashes.SHA256())
    except InvalidSignature:
        raise VerificationFailed("signature", "the signer did not sign this golden measurement") from None


def _required(fields: dict[int, bytes | int], number: int) -> bytes:
    value = fields.get(number)
    if not isinstance(value, bytes):
        raise MalformedEvidence(0, f"field {number} is missing")
    return value


def _fields(message: bytes) -> Iterator[tuple[int, bytes | int]]:
    """Number and value of each field of a protobuf message; what has a fixed width is skipped."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        kind = tag & 7
        if kind == _VARINT:
            value, at = _varint(message, at)
            yield tag >> 3, value
        elif kind in {_FIXED64, _FIXED32}:
            at += 8 if kind == _FIXED64 else 4
        elif kind == _BYTES:
            size, start = _varint(message, at)
            at = start + size
            yield tag >> 3, message[start:at]
        else:
            raise MalformedEvidence(at, f"wire type {kind}, none of a protobuf message of today")
        if at > len(message):
            raise MalformedEvidence(len(message), "a field is cut off")


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(_MAX_VARINT_BYTES):
        if at + shift >= len(message):
            raise MalformedEvidence(len(message), "a number is cut off")
        octet = message[at + shift]
        value |= (octet & 0x7F) << 7 * shift
        if not octet & 0x80:
            return value, at + shift + 1
    raise MalformedEvidence(at, "a number has more than 64 bits")
