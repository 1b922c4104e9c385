"""The nonce of evidence that nobody expects one of: the same answer for every kind that has one."""

from __future__ import annotations

from verifier.appraisal.policy import AppraisalPolicy
from verifier.appraisal.result import Claim
from verifier.appraisal.vector import Component, Value


def unasked(found: str, policy: AppraisalPolicy) -> Claim:
    """The claim for evidence with the nonce `found` (hex; empty where none can be told) when none was expected."""
    if policy.freshness == "required":
        score, reason = Value.UNTRUSTWORTHY_INSTANCE, "the policy demands an expected nonce, none was given"
    else:
        score, reason = Value.NOT_APPRAISED, "no expected nonce was given"
    return Claim(Component.INSTANCE_IDENTITY, "nonce", found, score, reason)
