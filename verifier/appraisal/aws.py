"""From a verified instance of AWS to an attestation result with two submodules, `cpu` and `nitro`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from verifier.appraisal import nitro
from verifier.appraisal import snp as snp_appraisal
from verifier.appraisal.policy import AppraisalPolicy
from verifier.appraisal.result import AttestationResult
from verifier.aws import AwsEvidence, VerifiedInstance
from verifier.errors import VerificationFailed
from verifier.reference import AnyReferenceValues, NitroReferenceValues, ReferenceValues

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
    bundles whose signature has been checked; an image of these instances has one for SEV-SNP and one for Nitro.
    """
    reports = [it for it in reference_values if isinstance(it, ReferenceValues)]
    documents = [it for it in reference_values if isinstance(it, NitroReferenceValues)]
    cpu = snp_appraisal.appraise(verified.cpu, policy, report_data=report_data, reference_values=reports)
    booted = nitro.appraise(verified.document, policy, nonce=nonce, reference_values=documents)
    return AttestationResult.of({**cpu.submods, **booted.submods})


def rejected(failure: VerificationFailed, policy: AppraisalPolicy, evidence: AwsEvidence) -> AttestationResult:
    """The result for evidence that is not genuine: contraindicated, the failed check the one claim of its submodule."""
    if failure.check.startswith(_NITRO_CHECKS):
        return nitro.rejected(failure, policy, evidence.document)
    return snp_appraisal.rejected(failure, policy, evidence.report)
