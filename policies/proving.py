"""What a rule must show on its own examples before anybody relies on it.

Every example is judged through the SDK's servicer (`policies.testing`), and so are variants of it that nobody had to
write: each value unknown and whatever holds values unknown as a whole, each value a secret, and each property that the
rule reads dropped or changed.
"""

import copy
import re
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Final
from unittest.mock import patch

from pulumi_policy import EnforcementLevel, Policy

from policies.rule import Example, ExampleResource, Rule
from policies.subject import Property
from policies.testing import UNKNOWN, Outcome, Path, judge, leaves, secret, shown, variant

PLANTED: Final = "planted-Secret-7fQ2"
PLANTED_NUMBER: Final = 7_431_290_865_123
NONSENSE: Final = "nonsense"

Place = tuple[str, Path]
"""A resource's name, and a path in its properties."""


def flaws(rule: Rule, *, irrelevant: Collection[str] = (), relational: bool = False) -> list[str]:
    """What the rule does not show, one line each; none if it can be relied on.

    irrelevant: properties that the rule reads in a passing example without deciding by them there, as
    `properties.keyOps[]`; one that does decide is a flaw as well, so that the list stays true.
    relational: the passing examples hold by what is there and what refers to what, not by any value.
    """
    policies = list(rule.policies())
    found: list[str] = []
    undecided: set[str] = set()
    for cloud, covered in rule.examples.items():
        passing = [*_passes(rule, policies, covered.passing, relational), *_leaks(policies, covered.passing)]
        found += [f"{rule.id} {cloud}, the passing example: {line}" for line in passing]
        undecided |= set(unmoved(policies, covered.passing))
        for example in covered.failing:
            failing = [*_fails(rule, policies, example), *_leaks(policies, example)]
            found += [f"{rule.id} {cloud}, {example.says!r}: {line}" for line in failing]
    found += [f"{rule.id} reads {path} and says the same whatever it is" for path in sorted(undecided - {*irrelevant})]
    found += [f"{rule.id} does decide by {path}, or never reads it" for path in sorted({*irrelevant} - undecided)]
    return found


def unmoved(policies: list[Policy], example: Example) -> Iterator[str]:
    """The properties that are read, and can be dropped and changed without any answer becoming another."""
    with _reads() as read:
        before = judge(policies, example)
    for name, path in _places(example):
        if shown(path) in read:
            mutants = (_without(example, name, path), variant(example, name, path, _another))
            if all(judge(policies, mutant) == before for mutant in mutants):
                yield re.sub(r"\[\d+\]", "[]", shown(path))


def _passes(rule: Rule, policies: list[Policy], example: Example, relational: bool) -> Iterator[str]:
    outcome = judge(policies, example)
    yield from (f"is refused: {violation.message}" for violation in outcome.violations)
    skipped = {urn for name, urn in outcome.not_applicable if name == rule.id and urn}
    related = relational and rule.check_stack is not None
    if rule.check is not None and not related and len(skipped) == len(example.resources):
        yield "is not judged at all: the rule applies to none of its resources"
    if any(not urn for _, urn in outcome.not_applicable):
        yield "is not judged: the rule does not apply to the stack"
    decisive = [place for place in _places(example) if _with(policies, example, place, NONSENSE).violations]
    decisive += [place for place in _holders(example) if _emptied(policies, example, place).violations]
    if not decisive and not relational:
        yield "holds by no value: each may be nonsense"
    for place in decisive:
        violations = _with(policies, example, place, UNKNOWN).violations
        if not any(one.unknown and one.mandatory for one in violations):
            yield f"{place[0]} {shown(place[1])} decides, and does not block when it is unknown"


def _fails(rule: Rule, policies: list[Policy], example: Example) -> Iterator[str]:
    violations = judge(policies, example).violations
    if not violations:
        yield "is let through"
    for one in violations:
        parts = (one.message.startswith(f"{rule.id} "), "; allowed: " in one.message, "; fix: " in one.message)
        if not all(parts) or "\n" in one.message or "the rule failed" in one.message:
            yield f"the message does not say in one line what is wrong, allowed and to be done: {one.message!r}"
        if one.mandatory != (rule.level is EnforcementLevel.MANDATORY) or one.rule != rule.id:
            yield f"is reported as {one.rule}, {'mandatory' if one.mandatory else 'advisory'}"
    for place in (*_places(example), *_holders(example)):
        if violations and not _with(policies, example, place, UNKNOWN).violations:
            yield f"passes when {place[0]} {shown(place[1])} is unknown"


def _leaks(policies: list[Policy], example: Example) -> Iterator[str]:
    """Secrets come to rules as plain text (pulumi-policy 1.21, `deserialize.py`), and must not go on to a message."""
    for place in _places(example):
        for planted in (PLANTED, PLANTED_NUMBER, [PLANTED], {PLANTED: PLANTED}):
            for one in _with(policies, example, place, secret(planted)).violations:
                if PLANTED.casefold() in one.message.casefold() or str(PLANTED_NUMBER) in one.message:
                    yield f"prints a secret in {place[0]} {shown(place[1])}"


def _places(example: Example) -> list[Place]:
    """Every single value in the example."""
    return [(one.name, path) for one in example.resources for path in leaves(dict(one.props)) if path]


def _holders(example: Example) -> list[Place]:
    """Every object and list in the example that holds something."""
    return list(dict.fromkeys((name, path[:end]) for name, path in _places(example) for end in range(1, len(path))))


def _emptied(policies: list[Policy], example: Example, place: Place) -> Outcome:
    return judge(policies, variant(example, *place, lambda value: type(value)()))


def _with(policies: list[Policy], example: Example, place: Place, value: Any) -> Outcome:
    return judge(policies, variant(example, *place, lambda _: value))


def _without(example: Example, name: str, path: Path) -> Example:
    def reduced(resource: ExampleResource) -> ExampleResource:
        props = copy.deepcopy(dict(resource.props))
        holder: Any = props
        for key in path[:-1]:
            holder = holder[key]
        del holder[path[-1]]
        return ExampleResource(resource.type, resource.name, props, resource.uses, resource.parent)

    resources = tuple(reduced(one) if one.name == name else one for one in example.resources)
    return Example(example.says, resources, example.config)


def _another(value: Any) -> Any:
    """A value of the same kind that is none of a cloud's words."""
    if isinstance(value, bool):
        return not value
    return value * 7 + 13 if isinstance(value, int | float) else NONSENSE


@contextmanager
def _reads() -> Iterator[set[str]]:
    """The paths of all properties whose value, or whether they have one, a rule asks for while the context lasts."""
    read: set[str] = set()

    def noting(ask: Callable[[Property], Any]) -> property:
        def answer(one: Property) -> Any:
            read.add(one.path)
            return ask(one)

        return property(answer)

    with ExitStack() as patches:
        for name in ("stated", "unknown", "value"):
            patches.enter_context(patch.object(Property, name, noting(getattr(Property, name).fget)))
        yield read
