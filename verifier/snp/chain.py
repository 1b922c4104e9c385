"""From a VCEK or VLEK certificate up to a pinned root: VCEK ← ASK ← ARK, VLEK ← ASVK ← ARK (AMD 57230).

A chain that verified once is remembered by the hash of what the caller offered. What depends on time, the
validity periods and revocation, is checked on every use.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography import exceptions
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from verifier.errors import MalformedEvidence, VerificationFailed
from verifier.pki import Certificate
from verifier.pki.signature import is_pss_sha384, verifies
from verifier.snp.endorsement import Endorsements, Leaf, read_leaf
from verifier.snp.product import Product
from verifier.snp.report import SigningKey
from verifier.trust import TrustAnchor, TrustStore

_INTERMEDIATE_NAME: Final = {SigningKey.VCEK: "SEV-", SigningKey.VLEK: "SEV-VLEK-"}
_INTERMEDIATE_ROLE: Final = {SigningKey.VCEK: "ASK", SigningKey.VLEK: "ASVK"}


@dataclass(frozen=True, slots=True)
class Member:
    """A certificate of a verified chain. role: `leaf`, `intermediate` or `ark`."""

    role: str
    common_name: str
    fingerprint: str
    serial_number: int
    not_before: datetime
    not_after: datetime


@dataclass(frozen=True, slots=True)
class VerifiedChain:
    """A chain whose signatures and names hold up to a pinned root.

    key: the leaf's public key. tcb: TCB_VERSION that the leaf is for. hardware_id: VCEK only; csp_id: VLEK only.
    members: leaf, intermediate, root. anchor: the root with its name. not_before, not_after: when all are valid.
    """

    kind: SigningKey
    product: Product
    key: ec.EllipticCurvePublicKey
    tcb: bytes
    hardware_id: bytes | None
    csp_id: str | None
    members: tuple[Member, Member, Member]
    anchor: TrustAnchor
    not_before: datetime
    not_after: datetime

    def require_valid(self, at: datetime) -> None:
        """VerificationFailed when a member is not valid at `at`; both ends of a validity period belong to it."""
        if self.not_before <= at <= self.not_after:
            return
        for member in self.members:
            check = f"chain.{member.role}.validity"
            if at < member.not_before:
                raise VerificationFailed(
                    check, f"{member.common_name} is valid from {member.not_before:%Y-%m-%d %H:%M:%S} UTC on"
                )
            if at > member.not_after:
                raise VerificationFailed(
                    check, f"{member.common_name} expired on {member.not_after:%Y-%m-%d %H:%M:%S} UTC"
                )


def verified_chain(endorsements: Endorsements, trust: TrustStore) -> VerifiedChain:
    """The chain of the offered leaf, from the store's memory if it has verified it before."""
    key = _memory_key(endorsements)
    known = trust.verified.get(key)
    if isinstance(known, VerifiedChain):
        return known
    chain = _verify(endorsements, trust)
    trust.verified.put(key, chain)
    return chain


def _memory_key(endorsements: Endorsements) -> bytes:
    digest = hashlib.sha256(endorsements.leaf)
    digest.update(b"snp.%d" % endorsements.kind.value)
    for optional in (endorsements.intermediate, endorsements.ark):
        digest.update(b"\0" if optional is None else b"\1" + hashlib.sha256(optional).digest())
    return digest.digest()


def _verify(endorsements: Endorsements, trust: TrustStore) -> VerifiedChain:
    kind = endorsements.kind
    certificate = _parse(endorsements.leaf, kind.name)
    if certificate.is_authority:
        raise VerificationFailed("chain.leaf.authority", f"the {kind.name} certificate is a CA's")
    leaf = read_leaf(certificate, kind)
    _require_understood(certificate, "leaf")
    intermediate, anchor = _path(certificate, leaf, endorsements, trust)
    chain = (
        _member("leaf", certificate),
        _member("intermediate", intermediate),
        _member("ark", anchor.certificate),
    )
    return VerifiedChain(
        kind=kind,
        product=leaf.product,
        key=leaf.key,
        tcb=leaf.tcb,
        hardware_id=leaf.hardware_id,
        csp_id=leaf.csp_id,
        members=chain,
        anchor=anchor,
        not_before=max(member.not_before for member in chain),
        not_after=min(member.not_after for member in chain),
    )


def _path(
    certificate: Certificate, leaf: Leaf, endorsements: Endorsements, trust: TrustStore
) -> tuple[Certificate, TrustAnchor]:
    """The ASK or ASVK that signed the leaf, and the root above it. No key is used before its own certificate holds."""
    for intermediate in _intermediates(certificate, leaf, endorsements, trust):
        anchor = _anchor(intermediate, leaf.product, endorsements, trust)
        if _is_signed_by(certificate, intermediate, "leaf"):
            return intermediate, anchor
    raise VerificationFailed(
        "chain.leaf.signature",
        f"the {leaf.kind.name} certificate is not signed by the {_INTERMEDIATE_ROLE[leaf.kind]}",
    )


def _intermediates(
    certificate: Certificate, leaf: Leaf, endorsements: Endorsements, trust: TrustStore
) -> list[Certificate]:
    """Certificates with the name of the leaf's ASK or ASVK: the caller's if there is one, else the store's."""
    role = _INTERMEDIATE_ROLE[leaf.kind]
    if endorsements.intermediate is not None:
        candidates = [_parse(endorsements.intermediate, role)]
    else:
        candidates = [known for known in trust.intermediates if known.subject == certificate.issuer]
    expected = _INTERMEDIATE_NAME[leaf.kind] + leaf.product.label
    fitting = [it for it in candidates if it.common_name.partition(" ")[0] == expected]
    if not fitting:
        found = ", ".join(it.common_name or "one without a name" for it in candidates) or "none"
        raise VerificationFailed(
            "chain.intermediate",
            f"a {leaf.product.label} {leaf.kind.name} chains through the {role} {expected}; found: {found}",
        )
    return fitting


def _anchor(intermediate: Certificate, product: Product, endorsements: Endorsements, trust: TrustStore) -> TrustAnchor:
    """The pinned root that signed the intermediate and may vouch for `product`."""
    _require_understood(intermediate, "intermediate")
    if not intermediate.is_authority or not intermediate.signs_certificates:
        raise VerificationFailed(
            "chain.intermediate.authority", f"{intermediate.common_name} may not sign certificates"
        )
    anchors = [anchor for anchor in trust.anchors if product.value in anchor.scope]
    if endorsements.ark is not None:
        anchors = [anchor for anchor in anchors if anchor.certificate.encoded == endorsements.ark]
        if not anchors:
            fingerprint = hashlib.sha256(endorsements.ark).hexdigest()
            raise VerificationFailed(
                "chain.ark", f"the ARK given (SHA-256 {fingerprint}) is not a pinned root for {product.label}"
            )
    named = [anchor for anchor in anchors if anchor.certificate.subject == intermediate.issuer]
    if not named:
        raise VerificationFailed(
            "chain.ark", f"{intermediate.common_name} is issued by no pinned root for {product.label}"
        )
    for anchor in named:
        if _is_signed_by(intermediate, anchor.certificate, "intermediate"):
            return anchor
    raise VerificationFailed(
        "chain.intermediate.signature",
        f"{intermediate.common_name} is not signed by the pinned {named[0].certificate.common_name}",
    )


def _is_signed_by(certificate: Certificate, issuer: Certificate, role: str) -> bool:
    if certificate.issuer != issuer.subject:
        return False
    if not is_pss_sha384(certificate.algorithm):
        raise VerificationFailed(
            f"chain.{role}.algorithm", f"{certificate.common_name} is not signed with RSASSA-PSS SHA-384"
        )
    return verifies(rsa_key(issuer), certificate.signed, certificate.signature)


def rsa_key(certificate: Certificate) -> rsa.RSAPublicKey:
    """The RSA key of an ASK, ASVK or ARK."""
    try:
        key = serialization.load_der_public_key(certificate.key)
    except (ValueError, exceptions.UnsupportedAlgorithm):
        key = None
    if not isinstance(key, rsa.RSAPublicKey):
        raise VerificationFailed("chain.intermediate.key", f"{certificate.common_name} has no RSA key")
    return key


def _parse(encoded: bytes, what: str) -> Certificate:
    try:
        return Certificate.parse(encoded)
    except MalformedEvidence as error:
        raise MalformedEvidence(error.offset, f"{what} certificate: {error.reason}") from None


def _require_understood(certificate: Certificate, role: str) -> None:
    unknown = certificate.unknown_critical()
    if unknown:
        raise VerificationFailed(
            f"chain.{role}.extensions", f"{certificate.common_name} has the unknown critical extension {unknown[0]}"
        )


def _member(role: str, certificate: Certificate) -> Member:
    return Member(
        role,
        certificate.common_name,
        certificate.fingerprint,
        certificate.serial_number,
        certificate.not_before,
        certificate.not_after,
    )
