"""The result for evidence that is not genuine: the same for every kind."""

from __future__ import annotations

from verifier.appraisal.policy import AppraisalPolicy
from verifier.appraisal.result import Appraisal, AttestationResult, Claim, Evidence
from verifier.appraisal.vector import Component, Value
from verifier.errors import VerificationFailed


def rejection(
    failure: VerificationFailed, policy: AppraisalPolicy, submod: str, evidence: Evidence | None
) -> AttestationResult:
    """Contraindicated: the one claim of the submodule `submod` is the check that failed."""
    claim = Claim(Component.INSTANCE_IDENTITY, failure.check, "failed", Value.CRYPTO_FAILED, failure.reason)
    return AttestationResult.of({submod: Appraisal.of([claim], policy.identifier, evidence)})
