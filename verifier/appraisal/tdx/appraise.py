"""From a verified quote to an attestation result."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from verifier.appraisal.policy import AppraisalPolicy
from verifier.appraisal.result import Appraisal, AttestationResult, Claim
from verifier.appraisal.snp.appraise import CPU
from verifier.appraisal.tdx import configuration, executables, hardware, identity
from verifier.appraisal.vector import Component, Value
from verifier.reference import AnyReferenceValues
from verifier.tdx import VerifiedQuote
from verifier.tdx.layout import UNDER_DEBUG


def appraise(
    verified: VerifiedQuote,
    policy: AppraisalPolicy,
    *,
    report_data: bytes | None,
    reference_values: Sequence[AnyReferenceValues] = (),
    events: int | None = None,
) -> AttestationResult:
    """Hold a genuine quote against `policy`.

    report_data: the 64 bytes that REPORTDATA must equal, or None if the caller expects nothing in particular.
    reference_values: bundles whose signature has been checked; where there are any, the measurements must be of one.
    events: how many the event log has that was found to replay to the quote's RTMRs; None without a log.
    """
    report = verified.quote.report
    if report_data is not None and len(report_data) != len(report.report_data):
        raise ValueError(f"REPORTDATA is 64 bytes, {len(report_data)} are expected of it")
    claims = [
        *identity.claims(verified, policy, report_data),
        *hardware.claims(verified, policy.tdx),
        *configuration.claims(verified.quote, policy),
        *executables.claims(report, policy, reference_values),
        *_event_log(events, policy),
        _runtime(verified),
    ]
    return AttestationResult.of({CPU: Appraisal.of(claims, policy.identifier, verified)})


def _event_log(events: int | None, policy: AppraisalPolicy) -> Iterator[Claim]:
    """No claim where no log was given and none is demanded: the registers speak for themselves."""
    name = "event-log"
    if events is not None:
        reason = "the event log replays to the quote's RTMRs"
        yield Claim(Component.INSTANCE_IDENTITY, name, f"{events} events", Value.TRUSTWORTHY_INSTANCE, reason)
    elif policy.tdx.event_log == "required":
        reason = "the policy demands the firmware's event log"
        yield Claim(Component.EXECUTABLES, name, "missing", Value.UNRECOGNIZED_EXECUTABLES, reason)


def _runtime(verified: VerifiedQuote) -> Claim:
    """TDX encrypts a TD's memory with a key of its own, unless the host may debug it."""
    under_debug = verified.quote.report.td_attributes & UNDER_DEBUG
    if under_debug:
        reason = "the host can read the memory of a TD under debug"
        return Claim(Component.RUNTIME_OPAQUE, "memory", "visible", Value.VISIBLE_MEMORY, reason)
    return Claim(
        Component.RUNTIME_OPAQUE, "memory", "encrypted", Value.ENCRYPTED_MEMORY, "memory is encrypted for the TD alone"
    )
