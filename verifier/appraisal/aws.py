"""From a verified instance of AWS to an attestation result with two submodules, `cpu` and `nitro`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from verifier import snp
from verifier.appraisal import nitro
from verifier.appraisal import snp as snp_appraisal
from verifier.appraisal.nitro.appraise import NITRO
from verifier.appraisal.nitro_policy import NitroPolicy
from verifier.appraisal.policy import AppraisalPolicy
from verifier.appraisal.result import Appraisal, AttestationResult, Claim
from verifier.appraisal.snp.appraise import CPU
from verifier.appraisal.vector import Component, Value
from verifier.aws import AwsEvidence, VerifiedInstance, report_digest
from verifier.errors import VerificationFailed
from verifier.reference import AnyReferenceValues, ReferenceValues

_NITRO_CHECKS: Final = "nitro."


def appraise(
    verified: VerifiedInstance,
    policy: AppraisalPolicy,
    *,
    nonce: bytes | None,
    report_data: bytes | None,
    reference_values: Sequence[AnyReferenceValues] = (),
) -> AttestationResult:
    """Hold a genuine instance against `policy`: report and document each as if it came alone.

    nonce, report_data: what document and report must be bound to, or None if nothing is expected. reference_values:
    bundles whose signature has been checked: for SEV-SNP with what NitroTPM shows, or one for each.
    """
    booted = nitro.appraise(verified.document, policy, nonce=nonce, reference_values=reference_values).submods[NITRO]
    claims = [*booted.claims, _binding(verified)]
    return AttestationResult.of(
        {
            CPU: _cpu(verified.cpu, policy, report_data, reference_values),
            NITRO: Appraisal.of(claims, policy.identifier, verified.document),
        }
    )


def _cpu(
    report: snp.VerifiedReport, policy: AppraisalPolicy, report_data: bytes | None, values: Sequence[AnyReferenceValues]
) -> Appraisal:
    """As for any report, but that it measures AWS's firmware: known if an image that the policy accepts names it."""
    accepted = [it for it in values if policy.images is None or it.name in policy.images]
    known = [it.firmware or it if isinstance(it, ReferenceValues) else it for it in accepted]
    below = policy.model_copy(update={"images": None} if accepted else {"nitro": NitroPolicy()})
    result = snp_appraisal.appraise(report, below, report_data=report_data, reference_values=known)
    return Appraisal.of(result.submods[CPU].claims, policy.identifier, report)


def _binding(verified: VerifiedInstance) -> Claim:
    """What `verifier.aws.verify` has checked, and whose word it is."""
    reason = "user_data is the hash of the processor's report: so says the guest that the PCRs describe, not AWS"
    value = report_digest(verified.cpu.report.raw).hex()
    return Claim(Component.INSTANCE_IDENTITY, "report", value, Value.TRUSTWORTHY_INSTANCE, reason)


def rejected(failure: VerificationFailed, policy: AppraisalPolicy, evidence: AwsEvidence) -> AttestationResult:
    """The result for evidence that is not genuine: contraindicated, the failed check the one claim of its submodule."""
    if failure.check.startswith(_NITRO_CHECKS):
        return nitro.rejected(failure, policy, evidence.document)
    return snp_appraisal.rejected(failure, policy, evidence.report)
