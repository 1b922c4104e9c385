"""Every rule proves itself on its own examples, through the SDK's servicer and real protobuf requests."""

import pytest

from policies import pack
from policies.rule import Example, Rule
from policies.testing import UNKNOWN, judge, leaves, secret, variant

PASSING = [pytest.param(rule, rule.passing, id=rule.id) for rule in pack.RULES]
FAILING = [
    pytest.param(rule, example, id=f"{rule.id}-{index}")
    for rule in pack.RULES
    for index, example in enumerate(rule.failing)
]
PROPERTIES = [
    pytest.param(rule, example, resource.name, path, id=f"{rule.id}-{index}-{resource.name}-{'.'.join(map(str, path))}")
    for rule in pack.RULES
    for index, example in enumerate((rule.passing, *rule.failing))
    for resource in example.resources
    for path in leaves(dict(resource.props))
    if path
]
PLANTED = "planted-Secret-7fQ2"


@pytest.mark.parametrize(("rule", "example"), PASSING)
def test_the_passing_example_passes(rule: Rule, example: Example) -> None:
    assert judge(list(rule.policies()), example).violations == ()


@pytest.mark.parametrize(("rule", "example"), PASSING)
def test_the_passing_example_is_judged_and_not_merely_skipped(rule: Rule, example: Example) -> None:
    policies = list(rule.policies())
    skipped = judge(policies, example).not_applicable
    for policy in policies:
        targets = [""] if policy.name.endswith("-stack") or rule.check is None else [r.name for r in example.resources]
        assert len([1 for name, _ in skipped if name == policy.name]) < len(targets)


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


@pytest.mark.parametrize(("rule", "example", "name", "path"), PROPERTIES)
def test_an_unknown_value_never_turns_a_failure_into_a_pass(
    rule: Rule, example: Example, name: str, path: tuple[str | int, ...]
) -> None:
    policies = list(rule.policies())
    before = judge(policies, example).violations
    after = judge(policies, variant(example, name, path, lambda _: UNKNOWN)).violations
    assert all(violation.mandatory for violation in after)
    assert len(after) >= min(1, len(before))


@pytest.mark.parametrize(("rule", "example", "name", "path"), PROPERTIES)
def test_a_secret_never_reaches_a_message(rule: Rule, example: Example, name: str, path: tuple[str | int, ...]) -> None:
    planted = variant(example, name, path, lambda _: secret(PLANTED))
    assert not [
        one for one in judge(list(rule.policies()), planted).violations if PLANTED.lower() in one.message.lower()
    ]
