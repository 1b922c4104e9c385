"""Which rules a run asks for, by framework, severity and theme. Several of one kind add up, kinds narrow each other."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from pulumi_policy import Severity

import catalog
from policies.controls import frameworks
from policies.pack import RULES
from policies.rule import Rule


class UnknownSelection(ValueError):  # noqa: N818 - named for what it says
    """A framework, severity or theme that no rule has; the text names the nearest that exists."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Keys of `controls.frameworks()`, severities (`critical`) and themes (`KEY`); an empty one selects everything."""

    frameworks: tuple[str, ...] = ()
    severities: tuple[str, ...] = ()
    themes: tuple[str, ...] = ()

    def rules(self) -> tuple[Rule, ...]:
        """The selected rules; raises `UnknownSelection`, also where nothing is left: judging nothing is no pass."""
        _known("framework", self.frameworks, frameworks())
        _known("severity", self.severities, [severity.value for severity in Severity])
        _known("theme", self.themes, dict.fromkeys(rule.theme for rule in RULES))
        names = {frameworks()[key].name for key in self.frameworks}
        selected = tuple(
            rule
            for rule in RULES
            if (not names or names & {control.framework for control in rule.controls})
            and (not self.severities or rule.severity.value in self.severities)
            and (not self.themes or rule.theme in self.themes)
        )
        if not selected:
            raise UnknownSelection("no rule is of every selected framework, severity and theme: select fewer kinds")
        return selected


def _known(kind: str, asked: Sequence[str], known: Collection[str]) -> None:
    for one in asked:
        if one not in known:
            nearest = catalog.nearest(one, known)
            hint = f"; did you mean {nearest}?" if nearest else f"; there are: {', '.join(known)}"
            raise UnknownSelection(f"no {kind} {one!r}{hint}")
