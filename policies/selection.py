"""Which rules a run asks for, by jurisdiction, framework, severity and theme.

Several of one kind add up, kinds narrow each other.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from pulumi_policy import Severity

import catalog
from policies.controls import frameworks
from policies.pack import RULES
from policies.rule import Rule


class UnknownSelection(ValueError):  # noqa: N818 - named for what it says
    """A jurisdiction, framework, severity, theme or remedy that no rule has; the text names the nearest that exists."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Jurisdictions (`DE`), which stand for the frameworks of their authorities, keys of `controls.frameworks()`,
    severities (`critical`) and themes (`KEY`); an empty one selects everything."""

    jurisdictions: tuple[str, ...] = ()
    frameworks: tuple[str, ...] = ()
    severities: tuple[str, ...] = ()
    themes: tuple[str, ...] = ()

    def rules(self) -> tuple[Rule, ...]:
        """The selected rules; raises `UnknownSelection`, also where nothing is left: judging nothing is no pass."""
        _known("framework", self.frameworks, frameworks())
        _known("severity", self.severities, [severity.value for severity in Severity])
        _known("theme", self.themes, dict.fromkeys(rule.theme for rule in RULES))
        names = {frameworks()[key].name for key in self.frameworks}
        in_force = {name for jurisdiction in self.jurisdictions for name in _in_force(jurisdiction)}
        selected = tuple(
            rule
            for rule in RULES
            if (not names or names & _frameworks_of(rule))
            and (not self.jurisdictions or in_force & _frameworks_of(rule))
            and (not self.severities or rule.severity.value in self.severities)
            and (not self.themes or rule.theme in self.themes)
        )
        if not selected:
            raise UnknownSelection(
                "no rule is of every selected jurisdiction, framework, severity and theme: select fewer kinds"
            )
        return selected


def remedial(rules: Sequence[str]) -> tuple[str, ...]:
    """`rules`, each of which can put something right by itself; raises `UnknownSelection` for one that cannot."""
    _known("remedy of rule", rules, [rule.id for rule in RULES if rule.remedy is not None])
    return tuple(dict.fromkeys(rules))


def _frameworks_of(rule: Rule) -> set[str]:
    return {control.framework for control in rule.controls}


def _in_force(jurisdiction: str) -> set[str]:
    """Names of the frameworks that the authorities of `jurisdiction`, or of what contains it, ask for."""
    facts = catalog.load()
    _known("jurisdiction", (jurisdiction,), facts.jurisdictions)
    found = {
        one.name for one in frameworks().values() if one.jurisdiction and facts.within(jurisdiction, one.jurisdiction)
    }
    if not found:
        raise UnknownSelection(
            f"no framework of {jurisdiction} is mapped: leave the jurisdiction out, or see policies/frameworks"
        )
    return found


def _known(kind: str, asked: Sequence[str], known: Collection[str]) -> None:
    for one in asked:
        if one not in known:
            nearest = catalog.nearest(one, known)
            hint = f"; did you mean {nearest}?" if nearest else f"; there are: {', '.join(known)}"
            raise UnknownSelection(f"no {kind} {one!r}{hint}")
