"""Executables: what booted in the VM, by the PCRs that the vTPM quoted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from verifier.appraisal.policy import AppraisalPolicy
from verifier.appraisal.result import Claim
from verifier.appraisal.vector import Component, Value
from verifier.azure import VerifiedVm
from verifier.tpm import layout


def claims(verified: VerifiedVm, policy: AppraisalPolicy) -> Iterator[Claim]:
    """The claims about what was loaded."""
    quoted = {} if verified.vtpm is None else verified.vtpm.pcrs.get(layout.SHA256, {})
    if policy.azure.pcrs is None:
        yield _unknown(policy)
    else:
        for register, accepted in sorted(policy.azure.pcrs.items()):
            yield _pcr(register, quoted, accepted)
    yield _event_log(verified, policy)


def _claim(name: str, value: str, score: int, reason: str, reference: str | None = None) -> Claim:
    return Claim(Component.EXECUTABLES, name, value, score, reason, reference)


def _unknown(policy: AppraisalPolicy) -> Claim:
    name = "pcrs"
    if policy.reference_values == "required":
        reason = "reference values are required, and the policy lists no PCR values: what booted is not known"
        return _claim(name, "not compared", Value.UNRECOGNIZED_EXECUTABLES, reason)
    return _claim(name, "not compared", Value.NOT_APPRAISED, "the policy lists no PCR values: what booted is not known")


def _pcr(register: int, quoted: Mapping[int, bytes], accepted: frozenset[str]) -> Claim:
    name, found = f"pcr{register}", quoted.get(register)
    if found is None:
        return _claim(name, "not quoted", Value.UNRECOGNIZED_EXECUTABLES, "the policy lists it, and it is not quoted")
    if found.hex() in accepted:
        return _claim(name, found.hex(), Value.APPROVED_BOOT, "on the policy's list", found.hex())
    return _claim(name, found.hex(), Value.CONTRAINDICATED_EXECUTABLES, "not on the policy's list")


def _event_log(verified: VerifiedVm, policy: AppraisalPolicy) -> Claim:
    name = "event-log"
    if verified.events is not None:
        value, reason = f"{len(verified.events)} events", "the event log replays to the quoted PCRs"
        return Claim(Component.INSTANCE_IDENTITY, name, value, Value.TRUSTWORTHY_INSTANCE, reason)
    if policy.azure.event_log == "required":
        return _claim(name, "missing", Value.UNRECOGNIZED_EXECUTABLES, "the policy demands the vTPM's event log")
    return _claim(name, "missing", Value.NOT_APPRAISED, "no event log was given")
