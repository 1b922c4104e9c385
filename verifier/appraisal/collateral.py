"""How old the collateral was that evidence was judged with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from verifier.appraisal.collateral_policy import CollateralPolicy
from verifier.appraisal.result import Appraisal, AttestationResult, Claim
from verifier.appraisal.vector import Component, Value
from verifier.collateral.record import Record


def appraised(
    result: AttestationResult, used: Sequence[Record] | None, policy: CollateralPolicy, at: datetime
) -> AttestationResult:
    """The result with what is to be said of its collateral, in every submodule; as it was if the policy has no limit.

    used: the store's entries; None: they came from a folder, which does not say when they were fetched.
    """
    if not policy.maximum_age_days:
        return result
    claims = tuple(_claims(used, policy, at))
    return AttestationResult.of(
        {
            name: Appraisal.of([*appraisal.claims, *claims], appraisal.policy_id, appraisal.evidence)
            for name, appraisal in result.submods.items()
        }
    )


def _claims(used: Sequence[Record] | None, policy: CollateralPolicy, at: datetime) -> Iterator[Claim]:
    if used is None:
        reason = "the policy limits the age of collateral, and a folder does not say it; use a collateral store"
        yield _claim("collateral.age-unknown", "not known", Value.UNSAFE_HARDWARE, reason)
        return
    for kind, days in policy.maximum_age_days.items():
        of_kind = [record for record in used if record.kind is kind]
        if of_kind:
            yield _age(max(of_kind, key=lambda record: record.age(at)), days, at)


def _age(oldest: Record, days: int, at: datetime) -> Claim:
    age, name = oldest.age(at), f"collateral.{oldest.kind}"
    value = f"{'issued' if oldest.kind.is_reissued else 'fetched'} {age.days} days ago"
    if age > timedelta(days=days):
        reason = f"{oldest.name} (object {oldest.sha256[:16]}…) is older than {days} days; fetch it again"
        return _claim(name, value, Value.UNSAFE_HARDWARE, reason)
    return _claim(name, value, Value.GENUINE_HARDWARE, f"{oldest.name} is recent", f"{days} days")


def _claim(name: str, value: str, score: int, reason: str, reference: str | None = None) -> Claim:
    return Claim(Component.HARDWARE, name, value, score, reason, reference)
