"""Every rule proves itself on its own examples, through the SDK's servicer and real protobuf requests."""

from typing import Any

import pytest

from policies import pack
from policies.rule import Example, Rule
from policies.testing import UNKNOWN, judge, leaves, secret, variant

PASSING = [
    pytest.param(rule, examples.passing, id=f"{rule.id}-{cloud}")
    for rule in pack.RULES
    for cloud, examples in rule.examples.items()
]
FAILING = [
    pytest.param(rule, example, id=f"{rule.id}-{cloud}-{index}")
    for rule in pack.RULES
    for cloud, examples in rule.examples.items()
    for index, example in enumerate(examples.failing)
]
RELATIONS = {"NET-01", "NET-03", "RES-02", "RES-07", "RES-09", "RES-12", "KEY-07", "KEY-08", "ATT-07"}
"""Rules whose passing examples hold by what is there, what refers to what, and what the stack declares: not by any
value."""
PLANTED = "planted-Secret-7fQ2"
NONSENSE = "nonsense"

Place = tuple[str, tuple[str | int, ...]]


def places(example: Example) -> list[Place]:
    """Every single value in the example: the resource's name and the path."""
    return [(one.name, path) for one in example.resources for path in leaves(dict(one.props)) if path]


@pytest.mark.parametrize(("rule", "example"), PASSING)
def test_the_passing_example_passes(rule: Rule, example: Example) -> None:
    assert judge(list(rule.policies()), example).violations == ()


@pytest.mark.parametrize(("rule", "example"), PASSING)
def test_the_passing_example_is_judged_and_not_merely_skipped(rule: Rule, example: Example) -> None:
    skipped = judge(list(rule.policies()), example).not_applicable
    resources_skipped = {urn for name, urn in skipped if name == rule.id and urn}
    by_stack = rule.check_stack is not None
    assert rule.check is None or by_stack or len(resources_skipped) < len(example.resources)
    assert not [name for name, urn in skipped if not urn], "the stack policy skipped the example"


@pytest.mark.parametrize(("rule", "example"), FAILING)
def test_each_failing_example_fails_and_says_how_to_fix_it(rule: Rule, example: Example) -> None:
    violations = judge(list(rule.policies()), example).violations
    assert violations, "the example passes"
    for violation in violations:
        assert violation.mandatory
        assert violation.rule == rule.id
        assert violation.message.startswith(f"{rule.id} ")
        assert "; allowed: " in violation.message
        assert "; fix: " in violation.message
        assert "\n" not in violation.message
        assert "the rule failed" not in violation.message


@pytest.mark.parametrize(("rule", "example"), PASSING)
def test_a_value_that_decides_blocks_when_it_is_unknown(rule: Rule, example: Example) -> None:
    policies = list(rule.policies())

    def verdicts(place: Place, value: Any) -> tuple[Any, ...]:
        return judge(policies, variant(example, *place, lambda _: value)).violations

    decisive = [place for place in places(example) if verdicts(place, NONSENSE)]
    assert decisive or rule.id in RELATIONS, "nothing in the example matters"
    let_through = [
        place for place in decisive if not any(one.unknown and one.mandatory for one in verdicts(place, UNKNOWN))
    ]
    assert let_through == []


@pytest.mark.parametrize(("rule", "example"), FAILING)
def test_an_unknown_value_never_turns_a_failure_into_a_pass(rule: Rule, example: Example) -> None:
    policies = list(rule.policies())
    turned = [
        place
        for place in places(example)
        if not any(one.mandatory for one in judge(policies, variant(example, *place, lambda _: UNKNOWN)).violations)
    ]
    assert turned == []


@pytest.mark.parametrize(("rule", "example"), PASSING + FAILING)
@pytest.mark.parametrize("planted", [PLANTED, 7_431_290_865_123, [PLANTED], {PLANTED: PLANTED}])
def test_a_secret_never_reaches_a_message(rule: Rule, example: Example, planted: Any) -> None:
    policies = list(rule.policies())
    leaked = [
        (place, violation.message)
        for place in places(example)
        for violation in judge(policies, variant(example, *place, lambda _: secret(planted))).violations
        if PLANTED.casefold() in violation.message.casefold() or "7431290865123" in violation.message
    ]
    assert leaked == []


@pytest.mark.parametrize("rule", pack.RULES, ids=lambda rule: rule.id)
def test_metadata_is_complete(rule: Rule) -> None:
    assert rule.title
    assert rule.why.endswith(".")
    assert rule.remediation
    assert rule.controls
    assert all(examples.failing for examples in rule.examples.values())
    assert rule.on_unknown == "block"
    assert rule.check or rule.check_stack


def test_a_policy_document_in_base64_is_searched_for_secrets_as_well() -> None:
    """What REL rules read is inside a value: a secret there must not surface either."""
    from policies.examples import KEY, but, claim, release_policy

    policy = release_policy(claim(PLANTED, PLANTED), authority=f"{PLANTED}.example.org")
    example = Example("", (but(KEY, {"properties.releasePolicy.data": policy}),))
    messages = [one.message for one in judge(pack.build(), example).violations]
    assert any(message.startswith("REL-02") for message in messages)
    assert not [message for message in messages if PLANTED.casefold() in message.casefold()]
