"""Checking a whole store at a time: is each object what its entry says, genuine, and still valid?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from verifier.collateral.facts import require_genuine
from verifier.collateral.record import CollateralError, Record
from verifier.collateral.store import Store
from verifier.trust import TrustStore

State = Literal["valid", "due", "expired", "not genuine"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What is to be said of one entry. due: less than a quarter of its life is left. reason: "" when it is valid."""

    record: Record
    state: State
    reason: str = ""

    @property
    def holds(self) -> bool:
        """Whether evidence can be judged with the object."""
        return self.state in {"valid", "due"}


def check(store: Store, trust: TrustStore, at: datetime) -> Iterator[Finding]:
    """Every entry with its state at `at`; CollateralError when an entry itself cannot be read."""
    for record in store.records():
        try:
            require_genuine(record, store.content(record), trust)
        except CollateralError as error:
            yield Finding(record, "not genuine", str(error))
            continue
        yield state_of(record, at)


def state_of(record: Record, at: datetime) -> Finding:
    """An entry's state as its dates alone say it."""
    if record.is_expired(at):
        return Finding(record, "expired", f"ended on {record.next_update:%Y-%m-%d %H:%M} UTC")
    if at < record.not_before:
        return Finding(record, "expired", f"begins on {record.not_before:%Y-%m-%d %H:%M} UTC")
    if record.is_due(at):
        return Finding(record, "due", f"ends on {record.next_update:%Y-%m-%d %H:%M} UTC")
    return Finding(record, "valid")
