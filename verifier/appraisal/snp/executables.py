"""Executables: whether the image that was launched is one that the build signed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from verifier.appraisal.coverage import without_values
from verifier.appraisal.policy import AppraisalPolicy
from verifier.appraisal.result import Claim
from verifier.appraisal.vector import Component, Value
from verifier.reference import AnyReferenceValues, ReferenceValues
from verifier.snp import SnpReport, VerifiedReport


class Match(NamedTuple):
    """What the measurement is known as.

    given: whether there were reference values, if only of other hardware. reference: the acceptable image that it is.
    refused: an image that it is but that the policy does not list.
    """

    given: bool
    reference: ReferenceValues | None = None
    refused: ReferenceValues | None = None


def match(verified: VerifiedReport, policy: AppraisalPolicy, reference_values: Sequence[AnyReferenceValues]) -> Match:
    """Find the measurement among the reference values for this product."""
    if not reference_values:
        return Match(given=False)
    measurement = verified.report.measurement.hex()
    known = [
        values
        for values in reference_values
        if isinstance(values, ReferenceValues)
        and values.product is verified.product
        and measurement in values.launch_measurements
    ]
    accepted = [values for values in known if policy.images is None or values.name in policy.images]
    return Match(True, next(iter(accepted), None), next(iter(known), None))


def claims(report: SnpReport, policy: AppraisalPolicy, found: Match) -> Iterator[Claim]:
    """The claims about what was loaded."""
    yield _measurement(report, policy, found)
    lists = (
        ("id-key", report.id_key_digest, policy.id_key_digests),
        ("author-key", report.author_key_digest, policy.author_key_digests),
        ("family-id", report.family_id, policy.family_ids),
        ("image-id", report.image_id, policy.image_ids),
    )
    for name, value, accepted in lists:
        if accepted is not None:
            yield _listed(name, value.hex(), accepted)


def _claim(name: str, value: str, score: int, reason: str, reference: str | None = None) -> Claim:
    return Claim(Component.EXECUTABLES, name, value, score, reason, reference)


def _measurement(report: SnpReport, policy: AppraisalPolicy, found: Match) -> Claim:
    name, value = "measurement", report.measurement.hex()
    if found.reference is not None:
        reason = f"the launch measurement is {found.reference.name}'s, as the build signed it"
        return _claim(name, value, Value.APPROVED_BOOT, reason, found.reference.name)
    if found.refused is not None:
        images = ", ".join(sorted(policy.images or ()))
        reason = f"the image is {found.refused.name}, the policy accepts {images or 'none'}"
        return _claim(name, value, Value.CONTRAINDICATED_EXECUTABLES, reason)
    if found.given:
        return _claim(
            name, value, Value.UNRECOGNIZED_EXECUTABLES, "no reference value for this product has this measurement"
        )
    return _claim(name, value, *without_values(policy))


def _listed(name: str, value: str, accepted: frozenset[str]) -> Claim:
    if value in accepted:
        return _claim(name, value, Value.APPROVED_BOOT, "on the policy's list", value)
    return _claim(name, value, Value.CONTRAINDICATED_EXECUTABLES, "not on the policy's list")
