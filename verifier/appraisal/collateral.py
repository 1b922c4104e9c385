"""How old the collateral was that evidence was judged with."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from verifier.appraisal.collateral_policy import CollateralPolicy
from verifier.appraisal.result import Appraisal, AttestationResult, Claim
from verifier.appraisal.vector import Component, Value
from verifier.collateral.record import CollateralError, Record
from verifier.trust import TrustStore


def appraised(
    result: AttestationResult,
    used: Sequence[tuple[Record, bytes]] | None,
    policy: CollateralPolicy,
    at: datetime,
    trust: TrustStore,
) -> AttestationResult:
    """The result with what is to be said of its collateral, in every submodule; as it was if the policy has no limit.

    used: the store's entries with their objects; None: they came from a folder, which does not say when they were
    fetched. trust: under which the objects were verified, as what an entry says of its object is nobody's word.
    """
    if not policy.maximum_age_days:
        return result
    claims = tuple(_claims(used, policy, at, trust))
    return AttestationResult.of(
        {
            name: Appraisal.of([*appraisal.claims, *claims], appraisal.policy_id, appraisal.evidence)
            for name, appraisal in result.submods.items()
        }
    )


def _claims(
    used: Sequence[tuple[Record, bytes]] | None, policy: CollateralPolicy, at: datetime, trust: TrustStore
) -> Iterator[Claim]:
    if used is None:
        reason = "the policy limits the age of collateral, and a folder does not say it; use a collateral store"
        yield _claim("collateral.age-unknown", "not known", Value.UNSAFE_HARDWARE, reason)
        return
    for kind, days in policy.maximum_age_days.items():
        of_kind = [entry for entry in used if entry[0].kind is kind]
        wrong = [record for record, content in of_kind if kind.is_reissued and not _is_true(record, content, trust)]
        if wrong:
            reason = f"the entry of {wrong[0].name} states another validity than its object; fetch it again"
            yield _claim(f"collateral.{kind}", "not known", Value.UNSAFE_HARDWARE, reason)
        elif of_kind:
            yield _age(max((record for record, _ in of_kind), key=lambda record: record.age(at)), days, at)


def _is_true(record: Record, content: bytes, trust: TrustStore) -> bool:
    """Whether an entry says of its object when that was issued; remembered by what both are."""
    # Imported here: it needs the readers of every vendor's objects, and few policies limit an age.
    from verifier.collateral.facts import require_genuine

    key = b"collateral.entry" + hashlib.sha256(record.to_json()).digest()
    if trust.verified.get(key) is None:
        try:
            require_genuine(record, content, trust)
        except CollateralError:
            return False
        trust.verified.put(key, record)
    return True


def _age(oldest: Record, days: int, at: datetime) -> Claim:
    age, name = oldest.age(at), f"collateral.{oldest.kind}"
    value = f"{'issued' if oldest.kind.is_reissued else 'fetched'} {age.days} days ago"
    if age > timedelta(days=days):
        reason = f"{oldest.name} (object {oldest.sha256[:16]}…) is older than {days} days; fetch it again"
        return _claim(name, value, Value.UNSAFE_HARDWARE, reason)
    return _claim(name, value, Value.GENUINE_HARDWARE, f"{oldest.name} is recent", f"{days} days")


def _claim(name: str, value: str, score: int, reason: str, reference: str | None = None) -> Claim:
    return Claim(Component.HARDWARE, name, value, score, reason, reference)
