"""Instance identity: which vTPM speaks, of which VM, and whether it speaks in this conversation."""

from __future__ import annotations

import hmac
from collections.abc import Iterator

from verifier.appraisal.freshness import unasked
from verifier.appraisal.policy import AppraisalPolicy
from verifier.appraisal.result import Claim
from verifier.appraisal.vector import Component, Value
from verifier.azure import VerifiedVm
from verifier.azure.claims import USER_DATA_BYTES


def claims(verified: VerifiedVm, policy: AppraisalPolicy, nonce: bytes | None) -> Iterator[Claim]:
    """The claims about the vTPM's identity."""
    yield _quote(verified, policy)
    yield _freshness(verified, policy, nonce)
    yield _vm(verified, policy)


def _claim(name: str, value: str, score: int, reason: str, reference: str | None = None) -> Claim:
    return Claim(Component.INSTANCE_IDENTITY, name, value, score, reason, reference)


def _quote(verified: VerifiedVm, policy: AppraisalPolicy) -> Claim:
    name = "vtpm-quote"
    if verified.vtpm is not None:
        reason = "the attestation key that the CPU's report vouches for signed the quote"
        return _claim(name, "verified", Value.TRUSTWORTHY_INSTANCE, reason, "HCLAkPub")
    if policy.azure.vtpm_quote == "required":
        return _claim(name, "missing", Value.UNTRUSTWORTHY_INSTANCE, "the policy demands a quote by the vTPM")
    return _claim(name, "missing", Value.NOT_APPRAISED, "no quote by the vTPM was given")


def _freshness(verified: VerifiedVm, policy: AppraisalPolicy, nonce: bytes | None) -> Claim:
    """By the quote's nonce; without a quote, by the user data that the guest had put into the runtime claims."""
    name, found, size = "nonce", b"", 0
    if verified.vtpm is not None:
        found = verified.vtpm.quote.extra_data
    elif verified.hcl.claims.user_data is not None:
        found, size = verified.hcl.claims.user_data, USER_DATA_BYTES
    if nonce is None:
        return unasked(found.hex(), policy)
    if not any(found):
        return _claim(name, found.hex(), Value.UNTRUSTWORTHY_INSTANCE, "the evidence has no nonce: it may be a replay")
    if hmac.compare_digest(found, nonce.ljust(size, b"\0")):
        reason = "the nonce is what was expected, so the evidence is fresh and made for this caller"
        return _claim(name, found.hex(), Value.TRUSTWORTHY_INSTANCE, reason, nonce.hex())
    reason = "the nonce is not what was expected: older evidence, or made for someone else"
    return _claim(name, found.hex(), Value.UNTRUSTWORTHY_INSTANCE, reason)


def _vm(verified: VerifiedVm, policy: AppraisalPolicy) -> Claim:
    name, found = "vm-id", verified.hcl.claims.configuration.vm_id
    accepted = policy.azure.vm_ids
    if accepted is None:
        return _claim(name, found or "not stated", Value.NOT_APPRAISED, "the policy accepts any VM")
    if found in accepted:
        return _claim(name, found or "", Value.TRUSTWORTHY_INSTANCE, "the VM is on the policy's list", found)
    return _claim(name, found or "not stated", Value.UNRECOGNIZED_INSTANCE, "the VM is not on the policy's list")
