"""A launch endorsement: what Google's firmware measures, signed under Google's root for confidential computing.

Source: google/gce-tcb-verifier, proto/endorsement.proto (numbers of the fields) and sign/ops (RSASSA-PSS with SHA-256,
for the signer's certificate and, over the exact bytes of the golden measurement, for the endorsement).

    VMLaunchEndorsement   1 serialized_uefi_golden, 2 signature
    VMGoldenMeasurement   1 timestamp {1 seconds}, 4 cert, 5 digest, 7 sev_snp, 8 tdx
    VMSevSnp              1 svn, 2 measurements {1 VMSAs, one for each vCPU, 2 MEASUREMENT}, 5 policy
    VMTdx                 1 svn, 2 measurements {1 ram_gib (absent: any), 2 early_accept, 3 MRTD}

family_id and image_id are signed too, but Google launches without an ID block, so no report has them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import SignatureAlgorithmOID

from verifier.errors import MalformedEvidence, VerificationFailed
from verifier.google.protobuf import Message
from verifier.trust import TrustAnchor, TrustStore

SCOPE: Final = "google-tcb"
"""Scope of the anchors that may vouch for Google's firmware."""

MAX_ENDORSEMENT_BYTES: Final = 262_144
"""Many times a signer's certificate and a measurement for each size of machine."""

Tee = Literal["snp", "tdx"]

_MEASUREMENT_BYTES: Final = 48
_SECONDS: Final = range(253_402_300_800)
"""Until the end of the year 9999."""
_PADDING: Final = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=hashes.SHA256.digest_size)


@dataclass(frozen=True, slots=True)
class Firmware:
    """What one build of the firmware measures on one kind of hardware.

    svn: its security version, as Google counts. measurements: MEASUREMENT or MRTD → the machine that has it.
    policy: on SNP, POLICY of the guests that Google launches with it; 0: not stated.
    """

    svn: int
    measurements: Mapping[bytes, str]
    policy: int = 0


@dataclass(frozen=True, slots=True)
class LaunchEndorsement:
    """An endorsement before it is verified.

    golden: what is signed. certificate: the signer's, DER. digest: SHA-384 of the firmware's binary.
    """

    golden: bytes
    signature: bytes
    made_at: datetime
    certificate: bytes
    digest: bytes
    firmware: Mapping[Tee, Firmware]

    def endorses(self, tee: Tee, measurement: bytes) -> Firmware | None:
        """The firmware that has this measurement; None when the endorsement does not list it."""
        firmware = self.firmware.get(tee)
        return firmware if firmware is not None and measurement in firmware.measurements else None


@dataclass(frozen=True, slots=True)
class VerifiedEndorsement:
    """A genuine endorsement. anchor: the root that vouches for its signer."""

    endorsement: LaunchEndorsement
    anchor: TrustAnchor


def parse(content: bytes) -> LaunchEndorsement:
    """Read a VMLaunchEndorsement; MalformedEvidence for anything else."""
    if len(content) > MAX_ENDORSEMENT_BYTES:
        raise MalformedEvidence(MAX_ENDORSEMENT_BYTES, f"launch endorsement: at most {MAX_ENDORSEMENT_BYTES} bytes")
    outer = Message(content, "launch endorsement")
    golden, signature = outer.required_bytes(1), outer.required_bytes(2)
    inner = Message(golden, "golden measurement")
    firmware: dict[Tee, Firmware] = {}
    if (part := inner.message(7, "sev_snp")) is not None:
        firmware["snp"] = _snp(part)
    if (part := inner.message(8, "tdx")) is not None:
        firmware["tdx"] = _tdx(part)
    return LaunchEndorsement(golden, signature, _timestamp(inner), inner.required_bytes(4), inner.octets(5), firmware)


def verify(endorsement: LaunchEndorsement, trust: TrustStore, at: datetime) -> VerifiedEndorsement:
    """Check an endorsement at the time `at`; VerificationFailed names the first check that does not hold."""
    signer, anchor = _signer(endorsement, trust)
    _check(endorsement, signer)
    for name, certificate in (("leaf", signer), ("root", x509.load_der_x509_certificate(anchor.certificate.encoded))):
        if not certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc:
            raise VerificationFailed(
                f"endorsement.chain.{name}.validity",
                f"valid from {certificate.not_valid_before_utc:%Y-%m-%d} to {certificate.not_valid_after_utc:%Y-%m-%d}",
            )
    return VerifiedEndorsement(endorsement, anchor)


def check_signature(endorsement: LaunchEndorsement, trust: TrustStore) -> None:
    """VerificationFailed unless a pinned root's signer signed the endorsement, whatever the time."""
    signer, _ = _signer(endorsement, trust)
    _check(endorsement, signer)


def _signer(endorsement: LaunchEndorsement, trust: TrustStore) -> tuple[x509.Certificate, TrustAnchor]:
    anchors = [anchor for anchor in trust.anchors if SCOPE in anchor.scope]
    if not anchors:
        raise VerificationFailed("endorsement.chain.root", "no root for Google's launch endorsements is pinned")
    try:
        signer = x509.load_der_x509_certificate(endorsement.certificate)
    except (ValueError, x509.InvalidVersion):
        raise MalformedEvidence(0, "cert: not an X.509 certificate in DER") from None
    if signer.signature_algorithm_oid != SignatureAlgorithmOID.RSASSA_PSS:
        raise VerificationFailed("endorsement.chain.leaf.algorithm", "the signer's certificate is not signed with PSS")
    for anchor in anchors:
        try:
            signer.verify_directly_issued_by(x509.load_der_x509_certificate(anchor.certificate.encoded))
        except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
            continue
        return signer, anchor
    raise VerificationFailed("endorsement.chain.leaf.signature", "no pinned root issued the signer's certificate")


def _check(endorsement: LaunchEndorsement, signer: x509.Certificate) -> None:
    try:
        key = signer.public_key()
    except (ValueError, UnsupportedAlgorithm):
        raise MalformedEvidence(0, "cert: a key that cannot be read") from None
    if not isinstance(key, rsa.RSAPublicKey):
        raise VerificationFailed("endorsement.chain.leaf.key", "the signer has no RSA key")
    try:
        key.verify(endorsement.signature, endorsement.golden, _PADDING, hashes.SHA256())
    except InvalidSignature:
        raise VerificationFailed("endorsement.signature", "the signer did not sign this golden measurement") from None


def _timestamp(golden: Message) -> datetime:
    timestamp = golden.message(1, "timestamp")
    if timestamp is None:
        raise MalformedEvidence(0, "golden measurement: field 1, the timestamp, is missing")
    seconds = timestamp.uint(1)
    if seconds not in _SECONDS:
        raise MalformedEvidence(0, "timestamp: no time")
    return datetime.fromtimestamp(seconds, UTC)


def _snp(part: Message) -> Firmware:
    measurements = {
        _measurement(entry.required_bytes(2)): f"{entry.uint(1)} vCPUs" for entry in part.messages(2, "SNP measurement")
    }
    return Firmware(part.uint(1), measurements, part.uint(5))


def _tdx(part: Message) -> Firmware:
    measurements = {}
    for entry in part.messages(2, "TDX measurement"):
        memory, early = entry.uint(1), ", memory accepted early" if entry.uint(2) else ""
        machine = f"{memory} GiB" if memory else "any size of memory"
        measurements[_measurement(entry.required_bytes(3))] = machine + early
    return Firmware(part.uint(1), measurements)


def _measurement(value: bytes) -> bytes:
    if len(value) != _MEASUREMENT_BYTES:
        raise MalformedEvidence(0, f"a measurement of {len(value)} bytes, {_MEASUREMENT_BYTES} expected")
    return value
