"""From a verified confidential VM of Google's to an attestation result with two submodules, `cpu` and `vtpm`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from verifier.appraisal import google, google_vtpm
from verifier.appraisal import rejected as rejected_cpu
from verifier.appraisal.google import CPU
from verifier.appraisal.google_vtpm import VTPM
from verifier.appraisal.policy import AppraisalPolicy
from verifier.appraisal.result import Appraisal, AttestationResult, Claim
from verifier.appraisal.vector import Component, Value
from verifier.errors import VerificationFailed
from verifier.google.machine import CHECKS, VerifiedMachine
from verifier.tpm import VtpmAttestation

_FIRMWARE: Final = frozenset({"measurement", "mr-td", google.NAME})
"""Claims by which the firmware that a processor measured is known: as the build's, the policy's, or Google's."""


def for_report(policy: AppraisalPolicy) -> AppraisalPolicy:
    """The policy for the processor's report, without the PCRs that it lists: those are asked of the vTPM."""
    return policy.model_copy(update={"google": policy.google.model_copy(update={"pcrs": None})})


def appraised(
    result: AttestationResult, verified: VerifiedMachine, policy: AppraisalPolicy, *, nonce: bytes | None
) -> AttestationResult:
    """The result for a genuine machine.

    result: of the processor's report, under `for_report(policy)`. nonce: what the vTPM was asked to quote, or None.
    """
    cpu = result.submods[CPU]
    vtpm = google_vtpm.appraise(verified.vtpm, policy, nonce=nonce).submods[VTPM]
    claims = [*vtpm.claims, _binding(verified), *_firmware(cpu, policy)]
    return AttestationResult.of(
        {
            CPU: Appraisal.of(cpu.claims, policy.identifier, verified.cpu),
            VTPM: Appraisal.of(claims, policy.identifier, verified.vtpm),
        }
    )


def rejected(failure: VerificationFailed, policy: AppraisalPolicy, attestation: VtpmAttestation) -> AttestationResult:
    """The result for evidence that is not genuine: contraindicated, the failed check the one claim of its submodule."""
    if failure.check.startswith(CHECKS) or attestation.report is None:
        return google_vtpm.rejected(failure, policy, attestation)
    return rejected_cpu(failure, policy, attestation.report.evidence)


def _binding(verified: VerifiedMachine) -> Claim:
    """Weaker than on AWS or Azure, where one of the two names the other: here a nonce is all that they share."""
    name, value = "report", verified.report_data.hex()
    if verified.is_bound:
        reason = "REPORT_DATA is the quote's nonce: both answered it; that they are one machine, neither of them signs"
        return Claim(Component.INSTANCE_IDENTITY, name, value, Value.TRUSTWORTHY_INSTANCE, reason)
    reason = "REPORT_DATA is not the nonce that the vTPM quoted, so nothing says that the two belong together"
    return Claim(Component.INSTANCE_IDENTITY, name, value, Value.UNTRUSTWORTHY_INSTANCE, reason)


def _firmware(cpu: Appraisal, policy: AppraisalPolicy) -> Iterator[Claim]:
    """Whoever lists PCRs wants nothing unknown to boot: beside them the measured firmware must be known, too."""
    if policy.google.pcrs is None:
        return
    known = [it.name for it in cpu.claims if it.name in _FIRMWARE and it.score == Value.APPROVED_BOOT]
    name, component = "firmware", Component.EXECUTABLES
    if known:
        reason = "the firmware that the processor measured is known, as what it booted is by the policy's PCRs"
        yield Claim(component, name, known[0], Value.APPROVED_BOOT, reason, known[0])
    else:
        reason = "the policy lists PCRs, and neither it, reference values nor Google know the measured firmware"
        yield Claim(component, name, "not known", Value.UNRECOGNIZED_EXECUTABLES, reason)
