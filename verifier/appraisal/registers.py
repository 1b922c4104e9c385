"""Executables known by the PCRs of a TPM, or of what works like one: the policy's list, and signed reference values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

from verifier.appraisal.coverage import without_values
from verifier.appraisal.policy import AppraisalPolicy
from verifier.appraisal.result import Claim
from verifier.appraisal.vector import Component, Value

Accepted: TypeAlias = Mapping[int, frozenset[str]]
"""PCR → acceptable values, in hex."""


def listed(found: Mapping[int, bytes], accepted: Accepted | None) -> Iterator[Claim]:
    """A claim for each PCR on the policy's list."""
    for register, values in sorted((accepted or {}).items()):
        yield _register(register, found.get(register), values)


def image(
    found: Mapping[int, bytes], policy: AppraisalPolicy, images: Sequence[tuple[str, Accepted]], *, given: bool = False
) -> Claim:
    """The PCRs against signed reference values, by the name of their image: one must fit in all that it states.

    given: whether there were reference values that should state such PCRs, and do not.
    """
    name = "pcrs"
    if not images:
        return _claim(name, "not compared", *without_values(policy, "reference values with these PCRs", given=given))
    known = [(built, accepted) for built, accepted in images if not _different(found, accepted)]
    for built, accepted in known:
        if policy.images is None or built in policy.images:
            reason = f"the PCRs are {built}'s, as the build signed them"
            return _claim(name, _joined(accepted), Value.APPROVED_BOOT, reason, built)
    if known:
        built, accepted = known[0]
        reason = f"the image is {built}, the policy accepts {', '.join(sorted(policy.images or ())) or 'none'}"
        return _claim(name, _joined(accepted), Value.CONTRAINDICATED_EXECUTABLES, reason)
    built, accepted = min(images, key=lambda it: len(_different(found, it[1])))
    different = _different(found, accepted)
    reason = f"no reference values have these PCRs; of {built}'s, PCR {_joined(different)} are not as the build signed"
    return _claim(name, _joined(different), Value.UNRECOGNIZED_EXECUTABLES, reason)


def _claim(name: str, value: str, score: int, reason: str, reference: str | None = None) -> Claim:
    return Claim(Component.EXECUTABLES, name, value, score, reason, reference)


def _register(register: int, found: bytes | None, accepted: frozenset[str]) -> Claim:
    name = f"pcr{register}"
    if found is None:
        reason = "the policy lists it, and the evidence does not have it"
        return _claim(name, "missing", Value.UNRECOGNIZED_EXECUTABLES, reason)
    if found.hex() in accepted:
        return _claim(name, found.hex(), Value.APPROVED_BOOT, "on the policy's list", found.hex())
    return _claim(name, found.hex(), Value.CONTRAINDICATED_EXECUTABLES, "not on the policy's list")


def _different(found: Mapping[int, bytes], accepted: Accepted) -> list[int]:
    """PCRs that are not there, or hold something else than the reference values state."""
    return [
        register
        for register, values in sorted(accepted.items())
        if register not in found or found[register].hex() not in values
    ]


def _joined(registers: Sequence[int] | Mapping[int, object]) -> str:
    return ", ".join(map(str, sorted(registers)))
