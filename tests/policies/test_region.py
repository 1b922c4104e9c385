"""The components' defaults satisfy every rule: the repository's own stack, previewed before anything exists."""

import contextvars
import json
from typing import Any

import pulumi
import pytest
from pulumi_policy import EnforcementLevel

from policies import pack
from policies.analyzer import FailClosedAnalyzer
from tests.policies.foreseen import Foreseen, preview_stack, stack_configuration

STACK = "azure-germany"
NOT_OF_THIS_REGION = {
    *("RES-06", "GW-01", "GW-02", "LOG-02", "SUP-01"),  # it serves its own models, on machines of its own
    *("CVM-07", "REL-04", "REL-05", "REL-06"),  # other clouds
    "KEY-10",  # it is emulated: nobody has to agree
    *("CVM-05", "ATT-09", "KEY-09"),  # no GPU, nothing secret, and a vault cannot be in two regions
    "LOG-01",  # its log can be deleted by nobody; how it is kept, the rule for the stack judges
}
"""Rules for resources that have no counterpart here."""


@pytest.fixture(scope="module")
def region() -> Foreseen:
    return preview_stack(STACK)


def answers(region: Foreseen, **config: str) -> list[Any]:
    """The pack's responses to the region: one for each resource, and one for the stack."""

    def judge() -> list[Any]:
        changed = {f"bailiwick:{key}": value for key, value in config.items()}
        pulumi.runtime.set_all_config({**stack_configuration(STACK), **changed})
        analyzer = FailClosedAnalyzer(pack.NAME, pack.VERSION, pack.build(), EnforcementLevel.MANDATORY)
        return [
            *(analyzer.Analyze(one, None) for one in region.resources()),
            analyzer.AnalyzeStack(region.stack(), None),
        ]

    return contextvars.copy_context().run(judge)


def broken(responses: list[Any]) -> dict[str, str]:
    """The first message of each policy that is violated."""
    return {one.policyName: one.message for response in reversed(responses) for one in response.diagnostics}


def test_the_region_breaks_no_rule_before_anything_exists(region: Foreseen) -> None:
    assert broken(answers(region)) == {}


def test_every_rule_has_something_to_judge_in_it(region: Foreseen) -> None:
    responses = answers(region)
    skipped = [{one.policy_name for one in response.not_applicable} for response in responses]
    resource_policies = {rule.id for rule in pack.RULES if rule.check}
    never = set.intersection(resource_policies, *skipped[:-1])
    assert never == NOT_OF_THIS_REGION
    assert skipped[-1] == {
        "RES-07",  # its state is emulated
        "KEY-02-stack",  # its data is not secret, so that it may have keys in a vault
        *("REL-04-stack", "SUP-02"),  # it is no AWS and no cluster
    }


def test_it_may_not_claim_to_be_real(region: Foreseen) -> None:
    violated = broken(answers(region, emulated="false"))
    assert set(violated) == {"ATT-10", "RES-07", "KEY-03", "KEY-10"}
    assert "trusts the sandbox's root" in violated["ATT-10"]


def test_it_may_not_be_in_another_jurisdiction(region: Foreseen) -> None:
    assert {"RES-01", "RES-03", "REL-02", "RES-11", "ATT-01"} <= set(broken(answers(region, jurisdiction="FR")))


def test_it_may_not_use_another_subscription(region: Foreseen) -> None:
    violated = broken(answers(region, subscriptionId="7d0f0d1e-0000-4000-8000-000000000001"))
    assert {"RES-03", "RES-07", "RES-08", "ATT-10", "KEY-03", "KEY-10"} == set(violated)
    assert "subscriptionId is a text that is none of the known values" in violated["RES-03"]


def test_each_switch_that_weakens_a_region_trips_a_rule() -> None:
    keys = json.dumps({"service": "key-vault-premium", "rotationDays": 365, "softDeleteDays": 90})
    weakened = preview_stack(STACK, residencyGuard="false", keys=keys)
    assert set(broken(answers(weakened))) == {"RES-12-stack", "KEY-04"}


def test_secret_data_needs_an_hsm_of_its_own_and_known_processors(region: Foreseen) -> None:
    assert {"KEY-02", "ATT-09"} <= set(broken(answers(region, dataClass="secret")))
