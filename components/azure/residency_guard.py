"""What goes on holding after the deployment, whoever deploys next."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_azure_native import authorization

import catalog
from components.azure.machine_types import CLOUD
from components.azure.placement import Placement
from components.component import Component, ComponentArgs
from components.errors import InputError

TYPE = "bailiwick:index:AzureResidencyGuard"


@dataclass(frozen=True, slots=True, kw_only=True)
class ResidencyGuardArgs(ComponentArgs):
    """Inputs of `ResidencyGuard`."""

    placement: Placement
    """Resource group that is guarded, and the location in which its resources may be."""
    sizes: Sequence[str]
    """Sizes of the virtual machines that may be made, each with a TEE."""
    whole_subscription: bool = False
    """Guard the subscription in place of the resource group, and the locations of its resource groups with it. For a
    subscription that holds this region alone: a second region in it would be refused."""


class ResidencyGuard(Component):
    """`bailiwick:index:AzureResidencyGuard`: assignments of Azure's own policies to the region.

    Creates an assignment of "Allowed locations" and one of "Allowed virtual machine size SKUs" on the resource group;
    with `whole_subscription`, both on the subscription, and "Allowed locations for resource groups" besides.

    Guarantees: what they forbid fails in Azure itself, for every tool and every person, also after this deployment: no
    resource in another location, no machine of another size. The sizes all have a TEE, so that no machine is an
    ordinary one.

    Does not: reach resources whose location is `global` (Azure exempts them), the sizes of scale sets and cluster nodes
    (the definition knows virtual machines only), what exists already (it is reported as not compliant), or whoever may
    change policy assignments. The resource group that Azure makes for the nodes of a cluster is another one: only
    `whole_subscription` reaches it.
    """

    policies: list[str]
    """The policy definitions that hold, by their ids."""

    def __init__(self, name: str, args: ResidencyGuardArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        _check_sizes(args.sizes)
        parameters = _parameters(args)
        facts = catalog.load()
        super().__init__(TYPE, name, args, opts)
        self.policies = [facts.guardrail(CLOUD, id_).definition for id_ in parameters]
        placement = args.placement
        scope = placement.subscription_scope if args.whole_subscription else placement.resource_group_id
        for (id_, values), definition in zip(parameters.items(), self.policies, strict=True):
            authorization.PolicyAssignment(
                f"{name}-{id_}",
                policy_assignment_name=f"bailiwick-{id_}",
                display_name=f"Bailiwick {placement.stack}: {facts.guardrail(CLOUD, id_).name}",
                description=f"Keeps {placement.stack} in {placement.location}, on confidential machines.",
                scope=scope,
                policy_definition_id=definition,
                parameters={key: authorization.ParameterValuesValueArgs(value=value) for key, value in values.items()},
                enforcement_mode=authorization.EnforcementMode.DEFAULT,
                non_compliance_messages=[
                    authorization.NonComplianceMessageArgs(message=_MESSAGE.format(stack=placement.stack))
                ],
                opts=pulumi.ResourceOptions(parent=self),
            )
        self.register_outputs({"policies": self.policies})


_MESSAGE = "The sovereign region {stack} takes no resource outside its location and no machine without a TEE."


def _parameters(args: ResidencyGuardArgs) -> dict[str, dict[str, Any]]:
    """Parameters of each policy, by the guardrail's id in the catalogue (Azure/azure-policy, built-in-policies)."""
    locations = {"listOfAllowedLocations": [args.placement.location]}
    return {
        "allowed-locations": locations,
        **({"allowed-locations-groups": locations} if args.whole_subscription else {}),
        "allowed-sizes": {"listOfAllowedSKUs": sorted(set(args.sizes))},
    }


def _check_sizes(sizes: Sequence[str]) -> None:
    if not sizes:
        raise InputError(
            TYPE, "sizes", "is empty, and would forbid every machine", "the sizes of the region's machines"
        )
    facts = catalog.load()
    for size in sizes:
        if not facts.machine_type(CLOUD, size).attested:
            raise InputError(TYPE, "sizes", f"{size} has no TEE", "sizes with SEV-SNP or TDX")
