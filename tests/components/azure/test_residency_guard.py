"""Azure's own policies over the region."""

import dataclasses
from typing import Any

import pytest

import catalog
from components.azure import Placement, ResidencyGuard, ResidencyGuardArgs
from components.errors import InputError
from tests.components.azure.recorder import Recording, record
from tests.components.azure.region import ZERO

GROUP = f"/subscriptions/{ZERO}/resourceGroups/bailiwick-azure-germany"


@pytest.fixture
def args(placement: Placement) -> ResidencyGuardArgs:
    return ResidencyGuardArgs(placement=placement, sizes=["Standard_DC4as_v5", "Standard_DC2as_v5"])


def _assigned(found: Recording) -> dict[str, dict[str, Any]]:
    """Scope and values of each assignment, by the policy's name."""
    names = {rail.definition: rail.name for rail in catalog.load().guardrails("azure").values()}
    return {
        names[one.inputs["policyDefinitionId"]]: {
            "scope": one.inputs["scope"],
            "values": [parameter["value"] for parameter in one.inputs["parameters"].values()],
            "mode": one.inputs["enforcementMode"],
        }
        for one in found.of_type("authorization:PolicyAssignment")
    }


def test_the_resource_group_takes_one_location_and_the_regions_sizes(args: ResidencyGuardArgs) -> None:
    assert _assigned(record(lambda: ResidencyGuard("guard", args))) == {
        "Allowed locations": {"scope": GROUP, "values": [["germanywestcentral"]], "mode": "Default"},
        "Allowed virtual machine size SKUs": {
            "scope": GROUP,
            "values": [["Standard_DC2as_v5", "Standard_DC4as_v5"]],
            "mode": "Default",
        },
    }


def test_a_whole_subscription_guards_its_resource_groups_too(args: ResidencyGuardArgs) -> None:
    whole = dataclasses.replace(args, whole_subscription=True)
    assigned = _assigned(record(lambda: ResidencyGuard("guard", whole)))
    assert {one["scope"] for one in assigned.values()} == {f"/subscriptions/{ZERO}"}
    assert assigned["Allowed locations for resource groups"]["values"] == [["germanywestcentral"]]


@pytest.mark.parametrize(
    ("sizes", "problem"),
    [
        ([], "sizes: is empty, and would forbid every machine"),
        (["Standard_DC4as_v5", "Standard_D4s_v5"], "sizes: Standard_D4s_v5 has no TEE"),
    ],
)
def test_sizes_that_guard_nothing_are_refused(args: ResidencyGuardArgs, sizes: list[str], problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        record(lambda: ResidencyGuard("guard", dataclasses.replace(args, sizes=sizes)))


def test_the_regions_machines_wait_for_the_guard(germany: Recording) -> None:
    assert "azure-germany-guard-allowed-sizes" in germany["azure-germany-inference"].depends_on
    assert "azure-germany-guard-allowed-sizes" in germany["azure-germany-verifier"].depends_on
