"""How much of a framework the evidence of a check supports: an upper bound, never an assessment.

A requirement is `evidenced` by rules that judged something and found nothing; `broken` if one found something; only
`asserted` if its rules had nothing to judge; and `not expressible` if no rule can speak for it, because infrastructure
as code cannot show it. Only evidence counts towards the ceilings: of the score, where the framework has weights, and of
the level, where it has levels.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Literal

import catalog
from policies.controls import Framework, Limit
from policies.report.model import Result

Standing = Literal["evidenced", "broken", "asserted", "not expressible"]


@dataclass(frozen=True, slots=True)
class Scored:
    """One requirement: which rules speak for it, which against it, and which had nothing to judge."""

    requirement: str
    title: str
    weight: int | None
    evidence: tuple[str, ...]
    broken: tuple[str, ...]
    silent: tuple[str, ...]
    must_be_confirmed: bool
    limits: tuple[Limit, ...]
    """What keeps it below the framework's highest level, whatever its rules found."""

    @property
    def standing(self) -> Standing:
        if self.broken:
            return "broken"
        if self.evidence:
            return "evidenced"
        return "asserted" if self.silent else "not expressible"


@dataclass(frozen=True, slots=True)
class Scorecard:
    framework: Framework
    requirements: tuple[Scored, ...]

    @property
    def ceiling(self) -> int | None:
        """Per cent of the framework's weights that evidence supports at most; None for a framework without weights."""
        weights = [one.weight for one in self.requirements]
        if None in weights:
            return None
        return sum(one.weight or 0 for one in self.requirements if one.standing == "evidenced")

    @property
    def capped_by(self) -> tuple[Scored, ...]:
        """The requirements without evidence: where the lowest one decides, these do."""
        return tuple(one for one in self.requirements if one.standing != "evidenced")

    def level(self, scored: Scored) -> str | None:
        """The highest level that evidence supports; None for what no rule judged, or a framework without levels."""
        return self._named(self._level(scored)) if scored.evidence or scored.broken else None

    @property
    def lowest(self) -> str | None:
        """The highest level that the stack can reach once somebody shows what no rule speaks for."""
        judged = [one for one in self.requirements if one.evidence or one.broken]
        return self._named(min(map(self._level, judged), default=0))

    def _level(self, scored: Scored) -> int:
        if scored.standing != "evidenced":
            return 0
        return min((limit.level for limit in scored.limits), default=len(self.framework.levels) - 1)

    def _named(self, level: int) -> str | None:
        return self.framework.levels[level] if self.framework.levels else None


def score(framework: Framework, results: Iterable[Result], laws: Collection[str] | None = None) -> Scorecard:
    """The scorecard of one stack. A waived finding is no evidence, and neither is one that a baseline has.

    laws: jurisdictions whose law can compel an operator of the stack; None where nobody knows, which counts as foreign.
    """
    found: dict[str, set[str]] = {}
    for result in results:
        found.setdefault(result.rule, set()).add(result.status)
    limits = [one for one in framework.limits if one.where == "everywhere" or _foreign(framework, laws)]

    def with_status(rules: Iterable[str], *statuses: str) -> tuple[str, ...]:
        return tuple(rule for rule in rules if found.get(rule, set()) & set(statuses))

    requirements = []
    for name, requirement in framework.requirements.items():
        broken = with_status(requirement.rules, "fail", "unknown", "waived")
        evidence = tuple(rule for rule in with_status(requirement.rules, "pass") if rule not in broken)
        silent = tuple(rule for rule in requirement.rules if rule not in (*broken, *evidence))
        requirements.append(
            Scored(
                name,
                requirement.title,
                requirement.weight,
                evidence,
                broken,
                silent,
                requirement.must_be_confirmed,
                tuple(limit for limit in limits if name in limit.requirements),
            )
        )
    return Scorecard(framework, tuple(requirements))


def _foreign(framework: Framework, laws: Collection[str] | None) -> bool:
    home = framework.jurisdiction
    return not laws or home is None or not all(catalog.load().within(law, home) for law in laws)
