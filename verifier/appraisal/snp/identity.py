"""Instance identity: which chip vouches for the report, and whether the report is about this conversation."""

from __future__ import annotations

import hmac
from collections.abc import Iterator

from verifier.appraisal.policy import AppraisalPolicy
from verifier.appraisal.result import Claim
from verifier.appraisal.vector import Component, Value
from verifier.snp import Revocation, VerifiedReport


def claims(verified: VerifiedReport, policy: AppraisalPolicy, report_data: bytes | None) -> Iterator[Claim]:
    """The claims about the instance's identity."""
    yield _chain(verified)
    yield _revocation(verified, policy)
    chain = verified.chain
    if chain.hardware_id is not None:
        yield _chip(verified, policy)
    elif chain.csp_id is not None:
        yield _csp(chain.csp_id, policy)
        if policy.chips is not None:
            reason = "the policy lists chips, and under a VLEK no report says which one it is from"
            yield _claim("chip-id", "not stated", Value.UNRECOGNIZED_INSTANCE, reason)
    yield _freshness(verified, policy, report_data)


def _claim(name: str, value: str, score: int, reason: str, reference: str | None = None) -> Claim:
    return Claim(Component.INSTANCE_IDENTITY, name, value, score, reason, reference)


def _chain(verified: VerifiedReport) -> Claim:
    leaf, intermediate, root = verified.chain.members
    value = f"{leaf.common_name} < {intermediate.common_name} < {root.common_name}"
    reference = f"{verified.chain.anchor.name} root {root.fingerprint}"
    reason = "the report is signed, and the chain ends at a pinned root"
    return _claim("chain", value, Value.TRUSTWORTHY_INSTANCE, reason, reference)


def _revocation(verified: VerifiedReport, policy: AppraisalPolicy) -> Claim:
    state = verified.revocation
    if state is Revocation.CHECKED:
        return _claim("revocation", state.value, Value.TRUSTWORTHY_INSTANCE, "nothing in the chain is revoked")
    if policy.revocation == "required":
        reason = "the policy demands a CRL of the root, none was given"
        return _claim("revocation", "not checked", Value.UNTRUSTWORTHY_INSTANCE, reason)
    return _claim("revocation", "not checked", Value.NOT_APPRAISED, state.value)


def _chip(verified: VerifiedReport, policy: AppraisalPolicy) -> Claim:
    name, report = "chip-id", verified.report
    if verified.chip_id_masked:
        reason = "CHIP_ID is masked; only the key ties the report to the chip"
        accepted = policy.allow_masked_chip_id and policy.chips is None
        score = Value.TRUSTWORTHY_INSTANCE if accepted else Value.UNTRUSTWORTHY_INSTANCE
        return _claim(name, "masked", score, reason)
    chip = report.chip_id[: verified.product.hardware_id_bytes].hex()
    if policy.chips is None:
        return _claim(name, chip, Value.TRUSTWORTHY_INSTANCE, "the certificate is this chip's", "hwID of the VCEK")
    if {chip, report.chip_id.hex()} & policy.chips:
        return _claim(name, chip, Value.TRUSTWORTHY_INSTANCE, "the chip is on the policy's list", chip)
    return _claim(name, chip, Value.UNRECOGNIZED_INSTANCE, "the chip is not on the policy's list")


def _csp(csp_id: str, policy: AppraisalPolicy) -> Claim:
    name = "csp-id"
    if policy.csp_ids is None:
        return _claim(name, csp_id, Value.TRUSTWORTHY_INSTANCE, "AMD issued the key to this cloud")
    if csp_id in policy.csp_ids:
        return _claim(name, csp_id, Value.TRUSTWORTHY_INSTANCE, "the cloud is on the policy's list", csp_id)
    return _claim(name, csp_id, Value.UNRECOGNIZED_INSTANCE, "the cloud is not on the policy's list")


def _freshness(verified: VerifiedReport, policy: AppraisalPolicy, expected: bytes | None) -> Claim:
    name, found = "report-data", verified.report.report_data
    if expected is None:
        if policy.freshness == "required":
            reason = "the policy demands an expected REPORT_DATA, none was given"
            return _claim(name, found.hex(), Value.UNTRUSTWORTHY_INSTANCE, reason)
        return _claim(name, found.hex(), Value.NOT_APPRAISED, "no expected REPORT_DATA was given")
    if not any(found):
        reason = "REPORT_DATA is zeros: the report is bound to nothing, and may be a replay"
        return _claim(name, found.hex(), Value.UNTRUSTWORTHY_INSTANCE, reason)
    if hmac.compare_digest(found, expected):
        reason = "REPORT_DATA is what was expected, so the report is fresh and bound to this caller"
        return _claim(name, found.hex(), Value.TRUSTWORTHY_INSTANCE, reason, expected.hex())
    reason = "REPORT_DATA is not what was expected: an older report, or one made for someone else"
    return _claim(name, found.hex(), Value.UNTRUSTWORTHY_INSTANCE, reason)
