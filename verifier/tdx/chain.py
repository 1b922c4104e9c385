"""From a PCK certificate, and from a TCB signing certificate, up to a pinned root.

PCK ← Intel SGX PCK Platform (or Processor) CA ← Intel SGX Root CA; Intel SGX TCB Signing ← Intel SGX Root CA.
Source: Intel, "SGX PCK Certificate and Certificate Revocation List Profile", section 1.3.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from cryptography.hazmat.primitives.asymmetric import ec

from verifier.errors import MalformedEvidence, VerificationFailed
from verifier.pki import Certificate
from verifier.pki.files import pem_values
from verifier.tdx.ecdsa import is_ecdsa_sha256, load_key, verifies
from verifier.tdx.pck import Platform, read_platform
from verifier.trust import TrustAnchor, TrustStore

SCOPE: Final = "tdx"
"""Scope of the anchors that may vouch for TDX."""

PCK_AUTHORITIES: Final = ("Intel SGX PCK Platform CA", "Intel SGX PCK Processor CA")
TCB_SIGNING: Final = "Intel SGX TCB Signing"


class Period(NamedTuple):
    """When something is valid; both ends belong to it. check: what fails at another time."""

    check: str
    what: str
    start: datetime
    end: datetime

    def require(self, at: datetime) -> None:
        """VerificationFailed when `at` is outside."""
        if at < self.start:
            raise VerificationFailed(self.check, f"{self.what} is valid from {self.start:%Y-%m-%d %H:%M:%S} UTC on")
        if at > self.end:
            raise VerificationFailed(self.check, f"{self.what} was valid until {self.end:%Y-%m-%d %H:%M:%S} UTC")


@dataclass(frozen=True, slots=True)
class Member:
    """A verified certificate with its key. role: `pck`, `intermediate`, `tcb-signing` or `root`."""

    role: str
    certificate: Certificate
    key: ec.EllipticCurvePublicKey

    @property
    def period(self) -> Period:
        """When the certificate is valid."""
        certificate = self.certificate
        return Period(
            f"chain.{self.role}.validity", certificate.common_name, certificate.not_before, certificate.not_after
        )


@dataclass(frozen=True, slots=True)
class PckChain:
    """A PCK chain whose signatures and names hold up to a pinned root."""

    pck: Member
    intermediate: Member
    root: Member
    anchor: TrustAnchor
    platform: Platform


def pck_chain(pem: bytes, trust: TrustStore) -> PckChain:
    """Verify the chain that a quote carries: PCK, intermediate, root; validity and revocation are checked later."""
    leaf, authority, given_root = _certificates(pem, 3, "PCK chain", ("PCK", "intermediate", "root"))
    anchor, root = trusted_root(given_root, trust)
    intermediate = _pck_authority(authority, root)
    _require_leaf(leaf, "pck")
    pck = _signed_member("pck", leaf, intermediate)
    try:
        platform = read_platform(leaf)
    except MalformedEvidence as error:
        raise VerificationFailed("chain.pck.extension", error.reason) from None
    return PckChain(pck, intermediate, root, anchor, platform)


def pck_authority(pem: bytes, trust: TrustStore) -> Member:
    """Verify the chain of a CA that issues PCKs: intermediate, root; the issuer chain of its CRL."""
    authority, given_root = _certificates(pem, 2, "PCK CRL issuer chain", ("intermediate", "root"))
    _, root = trusted_root(given_root, trust)
    return _pck_authority(authority, root)


def tcb_signing(pem: bytes, root: Member) -> Member:
    """Verify the chain of the collateral's signer up to `root`."""
    leaf, given_root = _certificates(pem, 2, "TCB signing chain", ("signer", "root"))
    if not _is_same_authority(given_root, root.certificate):
        raise VerificationFailed("chain.root", "the TCB signing chain does not end at the root of the PCK chain")
    if leaf.common_name != TCB_SIGNING:
        raise VerificationFailed("chain.tcb-signing", f"{leaf.common_name!r} signs the collateral, not {TCB_SIGNING}")
    _require_leaf(leaf, "tcb-signing")
    return _signed_member("tcb-signing", leaf, root)


def _certificates(pem: bytes, count: int, what: str, names: tuple[str, ...]) -> list[Certificate]:
    encoded = pem_values(pem)
    if len(encoded) != count:
        raise VerificationFailed("chain.length", f"{what}: {len(encoded)} certificates, {', '.join(names)} expected")
    certificates = []
    for name, value in zip(names, encoded, strict=True):
        try:
            certificates.append(Certificate.parse(value))
        except MalformedEvidence as error:
            raise MalformedEvidence(error.offset, f"{what}, {name} certificate: {error.reason}") from None
    return certificates


def trusted_root(given: Certificate, trust: TrustStore) -> tuple[TrustAnchor, Member]:
    """The pinned root that the chain ends at: its name and key count, as Intel may reissue the certificate."""
    for anchor in trust.anchors:
        if SCOPE in anchor.scope and _is_same_authority(given, anchor.certificate):
            return anchor, _member("root", anchor.certificate)
    fingerprint = hashlib.sha256(given.encoded).hexdigest()
    raise VerificationFailed(
        "chain.root", f"{given.common_name!r} (SHA-256 {fingerprint}) is not a pinned root for TDX"
    )


def _pck_authority(authority: Certificate, root: Member) -> Member:
    if authority.common_name not in PCK_AUTHORITIES:
        raise VerificationFailed(
            "chain.intermediate", f"{authority.common_name!r} issued the PCK, one of {PCK_AUTHORITIES} expected"
        )
    if not authority.is_authority or not authority.signs_certificates:
        raise VerificationFailed("chain.intermediate.authority", f"{authority.common_name} may not sign certificates")
    return _signed_member("intermediate", authority, root)


def _is_same_authority(one: Certificate, other: Certificate) -> bool:
    return one.subject == other.subject and one.key == other.key


def _require_leaf(certificate: Certificate, role: str) -> None:
    if certificate.is_authority:
        raise VerificationFailed(f"chain.{role}.authority", f"{certificate.common_name} is a CA's certificate")


def _signed_member(role: str, certificate: Certificate, issuer: Member) -> Member:
    unknown = certificate.unknown_critical()
    if unknown:
        raise VerificationFailed(
            f"chain.{role}.extensions", f"{certificate.common_name} has the unknown critical extension {unknown[0]}"
        )
    if not is_ecdsa_sha256(certificate.algorithm):
        raise VerificationFailed(
            f"chain.{role}.algorithm", f"{certificate.common_name} is not signed with ECDSA SHA-256"
        )
    if certificate.issuer != issuer.certificate.subject or not verifies(
        issuer.key, certificate.signed, certificate.signature
    ):
        raise VerificationFailed(
            f"chain.{role}.signature", f"{certificate.common_name} is not signed by {issuer.certificate.common_name}"
        )
    return _member(role, certificate)


def _member(role: str, certificate: Certificate) -> Member:
    key = load_key(certificate.key)
    if key is None:
        raise VerificationFailed(f"chain.{role}.key", f"{certificate.common_name} has no P-256 key")
    return Member(role, certificate, key)
