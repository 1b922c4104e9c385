"""The outcome of checking a bundle: every check that was made, and what it found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

Status = Literal["pass", "warning", "fail"]


def count(number: int, noun: str) -> str:
    """`1 release`, `2 releases`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


@dataclass(frozen=True)
class Check:
    """One check.

    name: stable identifier, `log.receipts`. title: what is checked, for a person. detail: what was found.
    A warning does not fail the bundle: it is a true statement that a reader should know.
    """

    name: str
    title: str
    status: Status
    detail: str


@dataclass
class Verification:
    """All checks of one bundle. `ok` only when none failed, and that includes knowing who signed.

    pinned: whether the auditor said which key to trust. signer: fingerprint of the key that signed, once its signatures
    verified. statements: kind → predicate, as signed.
    """

    at: datetime
    pinned: bool
    checks: list[Check] = field(default_factory=list)
    signer: str | None = None
    stack: str | None = None
    created_at: datetime | None = None
    statements: Mapping[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether an auditor may rely on the bundle."""
        return bool(self.checks) and not self.failures

    @property
    def failures(self) -> list[Check]:
        """The checks that failed."""
        return [check for check in self.checks if check.status == "fail"]

    @property
    def warnings(self) -> list[Check]:
        """What does not fail the bundle, and what a reader should know nevertheless."""
        return [check for check in self.checks if check.status == "warning"]

    @property
    def only_unpinned(self) -> bool:
        """Self-consistent, but nobody said which key to trust: anyone could have made it."""
        return not self.pinned and [check.name for check in self.failures] == ["bundle.signer"]

    def add(self, name: str, title: str, problems: list[str], found: str, *, otherwise: Status = "fail") -> bool:
        """Record a check: passed with `found`, or `otherwise` with its first problems. True when it passed."""
        shown = "; ".join(problems[:3]) + (f"; and {len(problems) - 3} more" if len(problems) > 3 else "")
        self.checks.append(Check(name, title, otherwise if problems else "pass", shown if problems else found))
        return not problems
