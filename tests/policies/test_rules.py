"""Every rule proves itself on its own examples, through the SDK's servicer and real protobuf requests."""

from pathlib import Path

import pytest
import yaml

from policies import pack
from policies.pytest_plugin import Prove
from policies.rule import Example, Rule
from policies.testing import judge

RELATIONS = {
    "NET-01",
    "NET-03",
    "RES-02",
    "RES-07",
    "RES-08",
    "RES-09",
    "RES-12",
    "KEY-07",
    "KEY-08",
    "KEY-10",
    "ATT-01",
    "ATT-07",
    "ATT-10",
    "LOG-01",
}
"""Rules whose passing examples hold by what is there, what refers to what, and what the stack declares: not by any
value."""
IRRELEVANT = yaml.safe_load((Path(__file__).parent / "irrelevant.yaml").read_text(encoding="utf-8"))
PLANTED = "planted-Secret-7fQ2"


@pytest.mark.parametrize("rule", pack.RULES, ids=lambda rule: rule.id)
def test_a_rule_shows_on_its_examples_what_a_rule_must_show(rule: Rule, prove: Prove) -> None:
    prove(rule, irrelevant=IRRELEVANT.get(rule.id, {}), relational=rule.id in RELATIONS)


def test_what_is_listed_as_irrelevant_is_so_to_a_rule_of_the_pack_and_says_why() -> None:
    assert set(IRRELEVANT) <= {rule.id for rule in pack.RULES}
    assert all(reason for reasons in IRRELEVANT.values() for reason in reasons.values())


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
