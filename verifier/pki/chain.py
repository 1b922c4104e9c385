"""Chains of certificates on P-384, as NVIDIA issues them for devices and AWS for Nitro, up to a pinned root."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric import ec

from verifier.errors import MalformedEvidence, VerificationFailed
from verifier.pki import Certificate
from verifier.pki.ecdsa import P384
from verifier.trust import TrustAnchor, TrustStore


@dataclass(frozen=True, slots=True)
class Member:
    """A verified certificate with its key. role: its place in the chain, for checks."""

    role: str
    certificate: Certificate
    key: ec.EllipticCurvePublicKey


@dataclass(frozen=True, slots=True)
class Chain:
    """A chain whose signatures and names hold up to a pinned root; when it is valid is for its user to ask.

    check: what its checks are called, `chain` or `rim.driver.chain`. members: leaf first, the root last.
    start, end: when all members are valid; start is after end if they never are together.
    """

    check: str
    members: tuple[Member, ...]
    anchor: TrustAnchor
    start: datetime
    end: datetime

    @property
    def root(self) -> Certificate:
        """The pinned root."""
        return self.members[-1].certificate

    def require_valid(self, at: datetime) -> None:
        """VerificationFailed when a member is not valid at `at`."""
        if self.start <= at <= self.end:
            return
        for member in self.members:
            certificate = member.certificate
            if not certificate.not_before <= at <= certificate.not_after:
                raise VerificationFailed(
                    f"{self.check}.{member.role}.validity",
                    f"{certificate.common_name} is valid from {certificate.not_before:%Y-%m-%d %H:%M:%S} "
                    f"to {certificate.not_after:%Y-%m-%d %H:%M:%S} UTC",
                )


def parse_certificates(encoded: Sequence[bytes], roles: Sequence[str], check: str) -> list[Certificate]:
    """Read the certificates of a chain, which must be as many as there are roles."""
    if len(encoded) != len(roles):
        raise VerificationFailed(
            f"{check}.length", f"{len(encoded)} certificates, {len(roles)} expected: {', '.join(roles)}"
        )
    certificates = []
    for role, value in zip(roles, encoded, strict=True):
        try:
            certificates.append(Certificate.parse(value))
        except MalformedEvidence as error:
            raise MalformedEvidence(error.offset, f"{check}, {role} certificate: {error.reason}") from None
    return certificates


def verified_chain(encoded: Sequence[bytes], roles: Sequence[str], scope: str, trust: TrustStore, check: str) -> Chain:
    """Verify a chain, leaf first, up to an anchor with `scope`. Every signature is ECDSA P-384 with SHA-384."""
    *given, given_root = parse_certificates(encoded, roles, check)
    anchor = _anchor(given_root, scope, trust, check)
    issuer = _member(roles[-1], anchor.certificate, check)
    members = [issuer]
    for role, certificate in zip(roles[-2::-1], reversed(given), strict=True):
        _require_depth(issuer, len(given) - len(members), check)
        issuer = _signed_member(role, certificate, issuer, check, is_leaf=role == roles[0])
        members.insert(0, issuer)
    certificates = [member.certificate for member in members]
    return Chain(
        check=check,
        members=tuple(members),
        anchor=anchor,
        start=max(certificate.not_before for certificate in certificates),
        end=min(certificate.not_after for certificate in certificates),
    )


def require_link(
    role: str, certificate: Certificate, issuer: Member, check: str, understood: frozenset[str] = frozenset()
) -> None:
    """VerificationFailed unless `issuer` signed `certificate`, and nothing critical in it is unknown.

    understood: extensions that the caller looks at itself.
    """
    name = certificate.common_name
    unknown = [oid for oid in certificate.unknown_critical() if oid not in understood]
    if unknown:
        raise VerificationFailed(
            f"{check}.{role}.extensions", f"{name} has the unknown critical extension {unknown[0]}"
        )
    if not P384.is_algorithm(certificate.algorithm):
        raise VerificationFailed(f"{check}.{role}.algorithm", f"{name} is not signed with {P384.name}")
    if certificate.issuer != issuer.certificate.subject or not P384.verifies(
        issuer.key, certificate.signed, certificate.signature
    ):
        raise VerificationFailed(
            f"{check}.{role}.signature", f"{name} is not signed by {issuer.certificate.common_name}"
        )


def _anchor(given: Certificate, scope: str, trust: TrustStore, check: str) -> TrustAnchor:
    """The pinned root that the chain ends at: name and key count, a reissued certificate is the same root."""
    for anchor in trust.anchors:
        pinned = anchor.certificate
        if scope in anchor.scope and (given.subject, given.key) == (pinned.subject, pinned.key):
            return anchor
    raise VerificationFailed(
        f"{check}.root", f"{given.common_name!r} (SHA-256 {given.fingerprint}) is not a pinned root for {scope}"
    )


def _require_depth(issuer: Member, authorities: int, check: str) -> None:
    """VerificationFailed when more CAs follow below `issuer` than its pathLenConstraint allows (RFC 5280, 4.2.1.9)."""
    allowed = issuer.certificate.path_length
    if allowed is not None and authorities > allowed:
        raise VerificationFailed(
            f"{check}.{issuer.role}.path-length",
            f"{authorities} CAs follow below {issuer.certificate.common_name}, which allows {allowed}",
        )


def _signed_member(role: str, certificate: Certificate, issuer: Member, check: str, *, is_leaf: bool) -> Member:
    if is_leaf and certificate.is_authority:
        raise VerificationFailed(f"{check}.{role}.authority", f"{certificate.common_name} is a CA's certificate")
    if not is_leaf and not (certificate.is_authority and certificate.signs_certificates):
        raise VerificationFailed(f"{check}.{role}.authority", f"{certificate.common_name} may not sign certificates")
    require_link(role, certificate, issuer, check)
    return _member(role, certificate, check)


def _member(role: str, certificate: Certificate, check: str) -> Member:
    key = P384.load_key(certificate.key)
    if key is None:
        raise VerificationFailed(f"{check}.{role}.key", f"{certificate.common_name} has no P-384 key")
    return Member(role, certificate, key)
