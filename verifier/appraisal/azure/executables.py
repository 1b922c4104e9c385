"""Executables: what booted in the VM, by the PCRs that the vTPM quoted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from verifier.appraisal.policy import AppraisalPolicy
from verifier.appraisal.result import Claim
from verifier.appraisal.vector import Component, Value
from verifier.azure import VerifiedVm
from verifier.reference import ReferenceValues, TdxReferenceValues, VtpmValues
from verifier.tpm import layout

Values = Sequence[ReferenceValues | TdxReferenceValues]


def claims(verified: VerifiedVm, policy: AppraisalPolicy, reference_values: Values) -> Iterator[Claim]:
    """The claims about what was loaded."""
    quoted = {} if verified.vtpm is None else verified.vtpm.pcrs.get(layout.SHA256, {})
    for register, accepted in sorted((policy.azure.pcrs or {}).items()):
        yield _pcr(register, quoted, accepted)
    images = [(values.name, values.vtpm) for values in reference_values if values.vtpm is not None]
    if images or policy.images is not None or policy.azure.pcrs is None:
        yield _image(quoted, policy, images)
    yield _event_log(verified, policy)


def _claim(name: str, value: str, score: int, reason: str, reference: str | None = None) -> Claim:
    return Claim(Component.EXECUTABLES, name, value, score, reason, reference)


def _pcr(register: int, quoted: Mapping[int, bytes], accepted: frozenset[str]) -> Claim:
    name, found = f"pcr{register}", quoted.get(register)
    if found is None:
        return _claim(name, "not quoted", Value.UNRECOGNIZED_EXECUTABLES, "the policy lists it, and it is not quoted")
    if found.hex() in accepted:
        return _claim(name, found.hex(), Value.APPROVED_BOOT, "on the policy's list", found.hex())
    return _claim(name, found.hex(), Value.CONTRAINDICATED_EXECUTABLES, "not on the policy's list")


def _image(quoted: Mapping[int, bytes], policy: AppraisalPolicy, images: Sequence[tuple[str, VtpmValues]]) -> Claim:
    """The PCRs against signed reference values: one bundle must fit in all that it states."""
    name = "pcrs"
    if not images:
        if policy.reference_values == "required":
            reason = "reference values are required, and none that were given state PCRs: what booted is not known"
            return _claim(name, "not compared", Value.UNRECOGNIZED_EXECUTABLES, reason)
        reason = "no reference values with PCRs were given: what booted is not known"
        return _claim(name, "not compared", Value.NOT_APPRAISED, reason)
    known = [(image, values) for image, values in images if not _different(quoted, values)]
    for image, values in known:
        if policy.images is None or image in policy.images:
            reason = f"the PCRs are {image}'s, as the build signed them"
            return _claim(name, _listed(values.pcrs), Value.APPROVED_BOOT, reason, image)
    if known:
        image, values = known[0]
        reason = f"the image is {image}, the policy accepts {', '.join(sorted(policy.images or ())) or 'none'}"
        return _claim(name, _listed(values.pcrs), Value.CONTRAINDICATED_EXECUTABLES, reason)
    image, values = min(images, key=lambda it: len(_different(quoted, it[1])))
    different = _different(quoted, values)
    reason = f"no reference values have these PCRs; of {image}'s, PCR {_listed(different)} are not as the build signed"
    return _claim(name, _listed(different), Value.UNRECOGNIZED_EXECUTABLES, reason)


def _different(quoted: Mapping[int, bytes], values: VtpmValues) -> list[int]:
    """PCRs that are not quoted, or hold something else than the bundle states."""
    return [
        register
        for register, accepted in sorted(values.pcrs.items())
        if register not in quoted or quoted[register].hex() not in accepted
    ]


def _listed(registers: Sequence[int] | Mapping[int, object]) -> str:
    return ", ".join(map(str, sorted(registers)))


def _event_log(verified: VerifiedVm, policy: AppraisalPolicy) -> Claim:
    name = "event-log"
    if verified.events is not None:
        value, reason = f"{len(verified.events)} events", "the event log replays to the quoted PCRs"
        return Claim(Component.INSTANCE_IDENTITY, name, value, Value.TRUSTWORTHY_INSTANCE, reason)
    if policy.azure.event_log == "required":
        return _claim(name, "missing", Value.UNRECOGNIZED_EXECUTABLES, "the policy demands the vTPM's event log")
    return _claim(name, "missing", Value.NOT_APPRAISED, "no event log was given")
