"""The local check and the real engine say the same of every example: the same rules, of the same resources, as loudly.

Examples are many and the engine takes its time to start, so that those with one configuration share a state. What a
stack rule says of such a crowd is not what it says of the example alone; both engines must say the same all the same.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from cli.given import check_state
from policies import examples, pack
from policies.report.model import rule_id
from policies.rule import Example, ExampleResource
from tests.policies.real_engine import analyze, events, needs_pulumi

pytestmark = needs_pulumi

CROWDS = 3
"""States for each configuration: the first example of each rule, the second, all others."""
ROOT_URN = "urn:pulumi:example::bailiwick::pulumi:pulumi:Stack::bailiwick-example"
RULES = tuple(rule.id for rule in pack.RULES)

Crowd = Sequence[Example]


def _crowds() -> Iterator[Crowd]:
    crowds: dict[tuple[object, int], list[Example]] = defaultdict(list)
    for rule in pack.RULES:
        seen: Counter[object] = Counter()
        for covered in rule.examples.values():
            for example in (covered.passing, *covered.failing):
                config = tuple(sorted(example.config.items()))
                crowds[config, min(seen[config], CROWDS - 1)].append(example)
                seen[config] += 1
    yield from crowds.values()


def _resources(crowd: Crowd) -> list[ExampleResource]:
    """Every resource of every example, with a name that no other example has."""
    return [_of(number, one) for number, example in enumerate(crowd) for one in example.resources]


def _of(number: int, one: ExampleResource) -> ExampleResource:
    uses = {key: tuple(f"{number}-{name}" for name in names) for key, names in one.uses.items()}
    parent = f"{number}-{one.parent}" if one.parent else None
    return replace(one, name=f"{number}-{one.name}", uses=uses, parent=parent)


@pytest.mark.parametrize("crowd", list(_crowds()), ids=lambda crowd: f"{len(crowd)}-examples")
def test_both_engines_say_the_same(crowd: Crowd, tmp_path: Path) -> None:
    config: Mapping[str, str] = {**examples.CONFIG, **crowd[0].config}
    done = analyze(tmp_path, _resources(crowd), "--json", config=config)
    real = {
        (rule_id(event["policyName"]), event.get("resourceUrn") or ROOT_URN, event["enforcementLevel"])
        for event in events(done, "policyEvent")
    }
    settings = [f"bailiwick:{key}={value}" for key, value in config.items()]
    report = check_state(tmp_path / "state.json", None, settings, RULES, 60)
    assert report.error is None
    local = {(one.rule, one.urn, one.level) for one in report.results if one.status in ("fail", "unknown")}
    assert local == real
    assert done.returncode == 0 or real, done.stdout + done.stderr
