"""From a verified report to an attestation result."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from verifier.appraisal.policy import AppraisalPolicy
from verifier.appraisal.rejection import rejection
from verifier.appraisal.result import Appraisal, AttestationResult, Claim, Evidence
from verifier.appraisal.snp import configuration, executables, hardware, identity
from verifier.appraisal.vector import Component, Value
from verifier.errors import VerificationFailed
from verifier.reference import AnyReferenceValues
from verifier.snp import VerifiedReport, layout

CPU: Final = "cpu"
"""Name of the submodule."""


def appraise(
    verified: VerifiedReport,
    policy: AppraisalPolicy,
    *,
    report_data: bytes | None,
    reference_values: Sequence[AnyReferenceValues] = (),
) -> AttestationResult:
    """Hold a genuine report against `policy`.

    report_data: the 64 bytes that REPORT_DATA must equal, or None if the caller expects nothing in particular.
    reference_values: bundles whose signature has been checked; where there are any, the measurement must be of one.
    """
    if report_data is not None and len(report_data) != len(verified.report.report_data):
        raise ValueError(f"REPORT_DATA is 64 bytes, {len(report_data)} are expected of it")
    match = executables.match(verified, policy, reference_values)
    claims = [
        *identity.claims(verified, policy, report_data),
        *hardware.claims(verified, policy, match.reference),
        *configuration.claims(verified.report, policy, match.reference),
        *executables.claims(verified.report, policy, match),
        _runtime(verified, policy),
    ]
    return AttestationResult.of({CPU: Appraisal.of(claims, policy.identifier, verified)})


def rejected(
    failure: VerificationFailed, policy: AppraisalPolicy, evidence: Evidence | None = None
) -> AttestationResult:
    """The result for evidence that is not genuine: contraindicated, with the check that failed as its one claim."""
    return rejection(failure, policy, CPU, evidence)


def _runtime(verified: VerifiedReport, policy: AppraisalPolicy) -> Claim:
    """SNP encrypts a guest's memory; from which privilege level in it the report came is the policy's to say."""
    vmpl = verified.report.vmpl
    component, name = Component.RUNTIME_OPAQUE, "vmpl"
    allowed = ", ".join(map(str, sorted(policy.vmpl)))
    if vmpl in policy.vmpl:
        reason = "memory is encrypted, and the report is from an accepted privilege level"
        return Claim(component, name, str(vmpl), Value.ENCRYPTED_MEMORY, reason, f"VMPL {allowed}")
    if vmpl == layout.HOST_REQUESTED_VMPL:
        return Claim(component, name, "host", Value.VISIBLE_MEMORY, "the host asked for this report, no guest did")
    reason = f"the report is from VMPL {vmpl}, the policy accepts {allowed or 'none'}"
    return Claim(component, name, str(vmpl), Value.VISIBLE_MEMORY, reason)
