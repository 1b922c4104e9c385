"""Whether a chain is revoked, as far as the OCSP responses at hand say.

That a certificate was not looked up, or is on hold, is stated for the appraisal policy to accept or refuse. A
response that is about a certificate but forged or out of date fails: it never counts as no response.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Final

from verifier.errors import MalformedEvidence, VerificationFailed
from verifier.nvidia.ocsp import CertificateStatus, OcspResponse, SingleResponse, signer_of
from verifier.pki import Certificate
from verifier.pki.chain import Chain, Member
from verifier.trust import TrustStore

_MEMORY: Final = b"nvidia.ocsp"


class Revocation(StrEnum):
    """State of a certificate, best first. The value names it in results."""

    GOOD = "good"
    HOLD = "on hold"
    NOT_CHECKED = "not checked"


class OcspResponses:
    """OCSP responses, found by the serial number that they are about. Immutable; share one between verifications."""

    def __init__(self, encoded: Iterable[bytes] = ()) -> None:
        found: dict[int, list[tuple[OcspResponse, SingleResponse]]] = defaultdict(list)
        for value in encoded:
            try:
                response = OcspResponse.parse(value)
            except MalformedEvidence as error:
                raise MalformedEvidence(error.offset, f"OCSP response: {error.reason}") from None
            for answer in response.answers:
                found[answer.serial_number].append((response, answer))
        self._by_serial: Final = dict(found)

    def about(self, serial_numbers: Iterable[int]) -> frozenset[bytes]:
        """The responses, DER, that are about certificates with these serial numbers."""
        return frozenset(
            response.encoded for number in serial_numbers for response, _ in self._by_serial.get(number, ())
        )

    def newest(self, member: Member, issuer: Member) -> tuple[OcspResponse, SingleResponse] | None:
        """The latest answer about a certificate; None without one."""
        about = [
            (response, answer)
            for response, answer in self._by_serial.get(member.certificate.serial_number, ())
            if answer.is_about(member.certificate, issuer.certificate)
        ]
        return max(about, key=lambda it: it[1].this_update, default=None)


def revocation(
    chain: Chain, responses: OcspResponses, trust: TrustStore, at: datetime, first: int = 0
) -> Mapping[str, Revocation]:
    """Role → state, for every member from number `first` on but the root, which nothing can revoke."""
    members = chain.members
    return {
        member.role: _state(member, issuer, responses, trust, at, chain.check)
        for member, issuer in zip(members[first:-1], members[first + 1 :], strict=True)
    }


def _state(
    member: Member, issuer: Member, responses: OcspResponses, trust: TrustStore, at: datetime, check: str
) -> Revocation:
    found = responses.newest(member, issuer)
    if found is None:
        return Revocation.NOT_CHECKED
    response, answer = found
    name = member.certificate.common_name
    memory = _MEMORY + hashlib.sha256(response.encoded).digest() + hashlib.sha256(issuer.certificate.key).digest()
    signer = trust.verified.get(memory)
    if not isinstance(signer, Certificate):
        signer = signer_of(response, issuer, f"{check}.{member.role}.ocsp")
        trust.verified.put(memory, signer)
    if not signer.not_before <= at <= signer.not_after:
        raise VerificationFailed(
            f"{check}.{member.role}.ocsp.responder.validity", f"{signer.common_name} is not valid at that time"
        )
    if not answer.this_update <= at <= answer.next_update:
        raise VerificationFailed(
            f"{check}.{member.role}.ocsp.validity",
            f"the OCSP response about {name} is for {answer.this_update:%Y-%m-%d %H:%M:%S} to "
            f"{answer.next_update:%Y-%m-%d %H:%M:%S} UTC",
        )
    if answer.status is CertificateStatus.GOOD:
        return Revocation.GOOD
    if answer.status is CertificateStatus.HOLD:
        return Revocation.HOLD
    raise VerificationFailed(
        f"{check}.{member.role}.revoked",
        f"{name} (serial {member.certificate.serial_number:#x}) is {answer.status}, says its issuer's responder",
    )
