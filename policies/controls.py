"""Requirements of published frameworks, and the rules that help with them: `policies/frameworks/*.yaml`.

The files are the only place that says so. `confidence` tells how a mapping came about: `published` by somebody who is
not Bailiwick, `own` reading of the requirement itself, or from the `outline` of the framework. Only the first is taken
as confirmed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, model_validator

FOLDER = Path(__file__).parent / "frameworks"


class Requirement(BaseModel):
    """One requirement; a rule helps with it, and no rule alone fulfils it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str
    weight: int | None = None
    """Per cent of the framework's own score, where it has one."""
    confidence: Literal["published", "own", "outline"]
    rules: tuple[str, ...]

    @property
    def must_be_confirmed(self) -> bool:
        """Whether a person who knows the framework must still agree with the mapping."""
        return self.confidence != "published"


class Limit(BaseModel):
    """The highest level that requirements can reach, whatever else is shown."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    where: Literal["everywhere", "foreign law"]
    """`foreign law`: where a law from outside the framework's jurisdiction can compel an operator of the stack."""
    level: int
    requirements: tuple[str, ...]
    reason: str


class Framework(BaseModel):
    """One framework. `basis` says where its mapping comes from, `read` is the day (ISO 8601) on which it was made.

    jurisdiction: where it is law or what the authorities ask for, as the catalogue names it; none for one of the trade.
    levels: names of what a requirement can reach, the lowest first; none where the framework has no levels.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)

    name: str
    source: str
    jurisdiction: str | None = None
    read: str
    basis: str
    levels: tuple[str, ...] = ()
    limits: tuple[Limit, ...] = ()
    requirements: dict[str, Requirement]

    @model_validator(mode="after")
    def _limits_are_of_it(self) -> Self:
        for limit in self.limits:
            if not (set(limit.requirements) <= set(self.requirements) and 0 <= limit.level < len(self.levels)):
                raise ValueError(f"{self.name}: a limit is of a requirement or a level that the framework lacks")
        return self


@dataclass(frozen=True, slots=True)
class Control:
    """One requirement as a rule names it: `NIST SP 800-53 rev. 5`, `SC-28`."""

    framework: str
    requirement: str
    must_be_confirmed: bool


@cache
def frameworks() -> Mapping[str, Framework]:
    """Every framework by its key, which is the name of its file: `ai-act`."""
    return {path.stem: _read(path) for path in sorted(FOLDER.glob("*.yaml"))}


def _read(path: Path) -> Framework:
    document = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)  # noqa: S506 - texts only
    return Framework.model_validate(document)


@cache
def controls_of(rule: str) -> tuple[Control, ...]:
    """Every requirement that the rule helps with, by framework."""
    return tuple(
        Control(framework.name, name, requirement.must_be_confirmed)
        for framework in frameworks().values()
        for name, requirement in framework.requirements.items()
        if rule in requirement.rules
    )
