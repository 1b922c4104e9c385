"""Each rule is shown on examples of each cloud, or one reviewed table says why it has no subject there."""

import pytest

from policies import pack
from policies.absent import ABSENT, PROVIDERS
from policies.rule import Rule

BY_ID = {rule.id: rule for rule in pack.RULES}


@pytest.mark.parametrize("cloud", PROVIDERS)
@pytest.mark.parametrize("rule", pack.RULES, ids=lambda rule: rule.id)
def test_a_rule_has_examples_for_a_cloud_or_a_reason(rule: Rule, cloud: str) -> None:
    reason = ABSENT.get(rule.id, {}).get(cloud, "")
    if cloud in rule.clouds:
        assert not reason, "the rule covers it now: take the reason away"
        assert rule.examples[cloud].failing
    else:
        assert len(reason.split()) >= 4, "add examples, or the reason why there is nothing to judge"


def test_every_reason_is_about_a_rule_and_a_cloud_that_exist() -> None:
    assert set(ABSENT) <= set(BY_ID)
    assert {cloud for clouds in ABSENT.values() for cloud in clouds} <= set(PROVIDERS)


def test_a_rule_that_a_reason_points_to_covers_that_cloud() -> None:
    """A reason that leans on another rule is none if that one says nothing of the cloud either."""
    named = [
        (rule, cloud, other)
        for rule, clouds in ABSENT.items()
        for cloud, reason in clouds.items()
        for other in BY_ID
        if f"({other})" in reason or f"{other} " in reason
    ]
    assert named
    assert [one for one in named if one[1] not in BY_ID[one[2]].clouds] == []
