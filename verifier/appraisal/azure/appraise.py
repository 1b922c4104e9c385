"""From a verified VM to an attestation result with two submodules: the CPU, and the vTPM that it vouches for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from verifier import snp, tdx
from verifier.appraisal import snp as snp_appraisal
from verifier.appraisal import tdx as tdx_appraisal
from verifier.appraisal.azure import configuration, executables, identity
from verifier.appraisal.policy import AppraisalPolicy
from verifier.appraisal.rejection import rejection
from verifier.appraisal.result import Appraisal, AttestationResult, Claim, Evidence
from verifier.appraisal.snp.appraise import CPU
from verifier.appraisal.vector import Component, Value
from verifier.azure import VerifiedVm
from verifier.errors import VerificationFailed
from verifier.reference import AnyReferenceValues, NitroReferenceValues, ReferenceValues, TdxReferenceValues

VTPM: Final = "vtpm"
"""Name of the submodule."""

_VTPM_CHECKS: Final = ("tpm.", "event-log.", "hcl.attestation-key")
_HARDWARE_FRESHNESS: Final = "report-data"


def appraise(
    verified: VerifiedVm,
    policy: AppraisalPolicy,
    *,
    nonce: bytes | None,
    reference_values: Sequence[AnyReferenceValues] = (),
) -> AttestationResult:
    """Hold a genuine VM against `policy`.

    nonce: what the vTPM was asked to quote, or None if the caller expects nothing in particular.
    reference_values: bundles whose signature has been checked; of images, with PCRs and the paravisor under which they
    run, or of paravisors alone.
    """
    kind = ReferenceValues if isinstance(verified.cpu, snp.VerifiedReport) else TdxReferenceValues
    values = [it for it in reference_values if isinstance(it, kind)]
    claims = [
        *identity.claims(verified, policy, nonce),
        *configuration.claims(verified, policy.azure),
        *executables.claims(verified, policy, values),
    ]
    return AttestationResult.of(
        {
            CPU: _cpu(verified, policy, reference_values),
            VTPM: Appraisal.of(claims, policy.identifier, verified),
        }
    )


def rejected(
    failure: VerificationFailed, policy: AppraisalPolicy, evidence: Evidence | None = None
) -> AttestationResult:
    """The result for evidence that is not genuine: contraindicated, the failed check the one claim of its submodule."""
    return rejection(failure, policy, VTPM if failure.check.startswith(_VTPM_CHECKS) else CPU, evidence)


def _cpu(verified: VerifiedVm, policy: AppraisalPolicy, values: Sequence[AnyReferenceValues]) -> Appraisal:
    """As for any report of this hardware, but that it measures the paravisor, and that REPORT_DATA is the paravisor's,
    made once at boot. A paravisor counts as known if an image that the policy accepts names it. Where the policy lists
    PCRs it must be known: any other guest can hold a key of its own, and sign whatever PCRs it likes."""
    accepted = [it for it in values if policy.images is None or it.name in policy.images]
    paravisors = [it if isinstance(it, NitroReferenceValues) else it.paravisor or it for it in accepted]
    below = policy.model_copy(update={"images": None}) if accepted else policy
    identifier, cpu = policy.identifier, verified.cpu
    if isinstance(cpu, snp.VerifiedReport):
        result = snp_appraisal.appraise(cpu, below, report_data=None, reference_values=paravisors)
    else:
        result = tdx_appraisal.appraise(cpu, below, report_data=None, reference_values=paravisors)
    claims = [
        _by_signer(claim, cpu, policy) for claim in result.submods[CPU].claims if claim.name != _HARDWARE_FRESHNESS
    ]
    return Appraisal.of([*claims, _binding(verified)], identifier, cpu)


def _by_signer(claim: Claim, cpu: snp.VerifiedReport | tdx.VerifiedQuote, policy: AppraisalPolicy) -> Claim:
    """A paravisor that no reference values name is known by its signer, if that key is on the policy's list: under its
    ID block the firmware starts nothing else (SEV-SNP ABI, SNP_LAUNCH_FINISH)."""
    if claim.name != "measurement" or claim.score == Value.APPROVED_BOOT or not isinstance(cpu, snp.VerifiedReport):
        return claim
    key = cpu.report.id_key_digest
    if not any(key) or key.hex() not in (policy.id_key_digests or ()):
        return claim
    reason = "a key on the policy's list signed the launch of this paravisor"
    return claim._replace(score=Value.APPROVED_BOOT, reason=reason, reference=key.hex())


def _binding(verified: VerifiedVm) -> Claim:
    reason = "REPORT_DATA is the hash of the paravisor's runtime claims; whether they are fresh, the vTPM shows"
    value = verified.hcl.report_data.hex()
    return Claim(Component.INSTANCE_IDENTITY, "runtime-claims", value, Value.TRUSTWORTHY_INSTANCE, reason)
