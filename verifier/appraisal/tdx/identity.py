"""Instance identity: which platform vouches for the quote, and whether the quote is about this conversation."""

from __future__ import annotations

import hmac
from collections.abc import Iterator

from verifier.appraisal.policy import AppraisalPolicy
from verifier.appraisal.result import Claim
from verifier.appraisal.vector import Component, Value
from verifier.tdx import VerifiedQuote


def claims(verified: VerifiedQuote, policy: AppraisalPolicy, report_data: bytes | None) -> Iterator[Claim]:
    """The claims about the instance's identity."""
    yield _chain(verified)
    yield _claim("revocation", "checked", Value.TRUSTWORTHY_INSTANCE, "neither the PCK nor its CA is revoked")
    yield _platform(verified, policy)
    yield _freshness(verified.quote.report.report_data, policy, report_data)


def _claim(name: str, value: str, score: int, reason: str, reference: str | None = None) -> Claim:
    return Claim(Component.INSTANCE_IDENTITY, name, value, score, reason, reference)


def _chain(verified: VerifiedQuote) -> Claim:
    chain = verified.endorsement.chain
    members = (chain.pck, chain.intermediate, chain.root)
    value = " < ".join(member.certificate.common_name for member in members)
    reference = f"{chain.anchor.name} root {chain.root.certificate.fingerprint}"
    reason = "the quote is signed, and the chain ends at a pinned root"
    return _claim("chain", value, Value.TRUSTWORTHY_INSTANCE, reason, reference)


def _platform(verified: VerifiedQuote, policy: AppraisalPolicy) -> Claim:
    name, ppid = "ppid", verified.endorsement.chain.platform.ppid.hex()
    accepted = policy.tdx.ppids
    if accepted is None:
        return _claim(name, ppid, Value.TRUSTWORTHY_INSTANCE, "the PCK is this platform's", "PPID of the PCK")
    if ppid in accepted:
        return _claim(name, ppid, Value.TRUSTWORTHY_INSTANCE, "the platform is on the policy's list", ppid)
    return _claim(name, ppid, Value.UNRECOGNIZED_INSTANCE, "the platform is not on the policy's list")


def _freshness(found: bytes, policy: AppraisalPolicy, expected: bytes | None) -> Claim:
    name = "report-data"
    if expected is None:
        if policy.freshness == "required":
            reason = "the policy demands an expected REPORTDATA, none was given"
            return _claim(name, found.hex(), Value.UNTRUSTWORTHY_INSTANCE, reason)
        return _claim(name, found.hex(), Value.NOT_APPRAISED, "no expected REPORTDATA was given")
    if not any(found):
        reason = "REPORTDATA is zeros: the quote is bound to nothing, and may be a replay"
        return _claim(name, found.hex(), Value.UNTRUSTWORTHY_INSTANCE, reason)
    if hmac.compare_digest(found, expected):
        reason = "REPORTDATA is what was expected, so the quote is fresh and bound to this caller"
        return _claim(name, found.hex(), Value.TRUSTWORTHY_INSTANCE, reason, expected.hex())
    reason = "REPORTDATA is not what was expected: an older quote, or one made for someone else"
    return _claim(name, found.hex(), Value.UNTRUSTWORTHY_INSTANCE, reason)
