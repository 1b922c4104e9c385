"""Executables: whether the firmware and what it booted are those that the build signed, or that the policy lists."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from verifier.appraisal.coverage import without_values
from verifier.appraisal.policy import AppraisalPolicy
from verifier.appraisal.result import Claim
from verifier.appraisal.tdx_policy import TdxPolicy
from verifier.appraisal.vector import Component, Value
from verifier.reference import AnyReferenceValues, TdxReferenceValues
from verifier.tdx import TdReport


def claims(
    report: TdReport, policy: AppraisalPolicy, reference_values: Sequence[AnyReferenceValues]
) -> Iterator[Claim]:
    """The claims about what was loaded."""
    yield from _listed(report, policy.tdx)
    own = [values for values in reference_values if isinstance(values, TdxReferenceValues)]
    if own or policy.images is not None or policy.tdx.mr_td is None:
        yield _measurement(report, policy, own, given=bool(reference_values))


def _claim(name: str, value: str, score: int, reason: str, reference: str | None = None) -> Claim:
    return Claim(Component.EXECUTABLES, name, value, score, reason, reference)


def _listed(report: TdReport, policy: TdxPolicy) -> Iterator[Claim]:
    """The registers whose values the policy itself lists."""
    for name, value, accepted in (
        ("mr-td", report.mr_td, policy.mr_td),
        ("rtmr0", report.rtmr0, policy.rtmr0),
        ("rtmr1", report.rtmr1, policy.rtmr1),
        ("rtmr2", report.rtmr2, policy.rtmr2),
        ("rtmr3", report.rtmr3, policy.rtmr3),
    ):
        if accepted is None:
            continue
        if value.hex() in accepted:
            yield _claim(name, value.hex(), Value.APPROVED_BOOT, "on the policy's list", value.hex())
        else:
            yield _claim(name, value.hex(), Value.CONTRAINDICATED_EXECUTABLES, "not on the policy's list")


def _measurement(
    report: TdReport, policy: AppraisalPolicy, reference_values: Sequence[TdxReferenceValues], *, given: bool
) -> Claim:
    """MRTD and the registers against signed reference values: one bundle must fit in all that it states.

    given: whether there were any, if only of other hardware.
    """
    name, value = "measurement", report.mr_td.hex()
    if not given:
        return _claim(name, value, *without_values(policy))
    started = [values for values in reference_values if value in values.mr_td]
    known = [values for values in started if not _different(report, values)]
    for values in known:
        if policy.images is None or values.name in policy.images:
            reason = f"the measurements are {values.name}'s, as the build signed them"
            return _claim(name, value, Value.APPROVED_BOOT, reason, values.name)
    if known:
        images = ", ".join(sorted(policy.images or ()))
        reason = f"the image is {known[0].name}, the policy accepts {images or 'none'}"
        return _claim(name, value, Value.CONTRAINDICATED_EXECUTABLES, reason)
    if started:
        registers = ", ".join(_different(report, started[0]))
        reason = f"the firmware is {started[0].name}'s, but {registers} are not as the build signed them"
        return _claim(name, value, Value.UNRECOGNIZED_EXECUTABLES, reason)
    return _claim(name, value, Value.UNRECOGNIZED_EXECUTABLES, "no reference value has this MRTD")


def _different(report: TdReport, values: TdxReferenceValues) -> list[str]:
    """Registers that hold something else than the bundle states."""
    pairs = (
        ("RTMR0", report.rtmr0, values.rtmr0),
        ("RTMR1", report.rtmr1, values.rtmr1),
        ("RTMR2", report.rtmr2, values.rtmr2),
        ("RTMR3", report.rtmr3, values.rtmr3),
        ("MRCONFIGID", report.mr_config_id, values.mr_config_id),
    )
    return [name for name, value, accepted in pairs if accepted is not None and value.hex() not in accepted]
