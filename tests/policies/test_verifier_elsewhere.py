"""A stack whose machines are told of a verifier by another stack's exports, which the engine reads at preview."""

from typing import Any

from policies import examples, pack
from policies.rule import Example, ExampleResource
from policies.testing import UNKNOWN, Violation, judge

VERIFIER = {"kind": "verifier", "location": examples.LOCATION, "jurisdiction": "DE"}
KEYS = {"kind": "keys", "location": "eastus", "jurisdiction": "US"}
TOLD = examples.but(examples.VM, {"userData": UNKNOWN}, uses={"userData": ("attestation",)})


def found(outputs: Any, rule: str = "ATT-01") -> list[Violation]:
    """What `rule` says of a stack whose machine is told of another one with these exports."""
    reference = ExampleResource("pulumi:pulumi:StackReference", "attestation", {"outputs": outputs})
    policies = [policy for one in pack.RULES if one.id == rule for policy in one.policies()]
    return list(judge(policies, Example("", (reference, TOLD))).violations)


def test_a_verifier_of_another_stack_that_is_in_the_jurisdiction_passes() -> None:
    assert found({"jurisdictionGraph": [KEYS, VERIFIER]}) == []


def test_exports_that_are_not_known_yet_are_unknown_and_block() -> None:
    for outputs in (
        UNKNOWN,
        {"jurisdictionGraph": UNKNOWN},
        {"jurisdictionGraph": [{**VERIFIER, "location": UNKNOWN}]},
    ):
        assert [(one.unknown, one.mandatory) for one in found(outputs)] == [(True, True)], outputs


def test_each_of_its_verifiers_is_judged() -> None:
    (violation,) = found({"jurisdictionGraph": [VERIFIER, {**VERIFIER, "location": "northeurope"}]})
    assert "jurisdictionGraph[1] is a verifier outside DE" in violation.message


def test_reading_another_stack_makes_nothing_that_would_have_a_place_or_a_provider() -> None:
    assert [found({}, rule) for rule in ("RES-01", "RES-02", "RES-03")] == [[], [], []]
