"""Executables: what booted in the VM, by the PCRs that the vTPM quoted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from verifier.appraisal import registers
from verifier.appraisal.policy import AppraisalPolicy
from verifier.appraisal.result import Claim
from verifier.appraisal.vector import Component, Value
from verifier.azure import VerifiedVm
from verifier.reference import ReferenceValues, TdxReferenceValues
from verifier.tpm import layout

Values = Sequence[ReferenceValues | TdxReferenceValues]


def claims(verified: VerifiedVm, policy: AppraisalPolicy, reference_values: Values) -> Iterator[Claim]:
    """The claims about what was loaded."""
    quoted = {} if verified.vtpm is None else verified.vtpm.pcrs.get(layout.SHA256, {})
    yield from registers.listed(quoted, policy.azure.pcrs)
    images = [(values.name, values.vtpm.pcrs) for values in reference_values if values.vtpm is not None]
    if images or policy.images is not None or policy.azure.pcrs is None:
        yield registers.image(quoted, policy, images)
    yield _event_log(verified, policy)


def _claim(name: str, value: str, score: int, reason: str, reference: str | None = None) -> Claim:
    return Claim(Component.EXECUTABLES, name, value, score, reason, reference)


def _event_log(verified: VerifiedVm, policy: AppraisalPolicy) -> Claim:
    name = "event-log"
    if verified.events is not None:
        value, reason = f"{len(verified.events)} events", "the event log replays to the quoted PCRs"
        return Claim(Component.INSTANCE_IDENTITY, name, value, Value.TRUSTWORTHY_INSTANCE, reason)
    if policy.azure.event_log == "required":
        return _claim(name, "missing", Value.UNRECOGNIZED_EXECUTABLES, "the policy demands the vTPM's event log")
    return _claim(name, "missing", Value.NOT_APPRAISED, "no event log was given")
