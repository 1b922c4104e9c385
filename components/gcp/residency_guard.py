"""What goes on holding after the deployment, whoever deploys next."""

from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi_gcp import orgpolicy

import catalog
from components.component import Component, ComponentArgs
from components.gcp.placement import Placement

TYPE = "bailiwick:index:GcpResidencyGuard"
_LOCATIONS: Final = "resource-locations"
_CONFIDENTIAL: Final = "non-confidential-computing"
_DENY_ALL: Final = ("external-ip",)
_ENFORCED: Final = (
    "shielded-vm",
    "serial-port",
    "service-account-keys",
    "public-storage",
    "uniform-storage",
)
"""Constraints without a value: they hold or they do not."""


@dataclass(frozen=True, slots=True)
class ResidencyGuardArgs(ComponentArgs):
    """Inputs of `ResidencyGuard`."""

    placement: Placement
    """Project that is guarded, and the region in which its resources may be."""
    plain_machines_allowed: bool = False
    """Weakness: let machines and cluster nodes without confidential computing into the project."""


class ResidencyGuard(Component):
    """`bailiwick:index:GcpResidencyGuard`: organization policies on the region's project.

    Creates one policy for each constraint: resources in the region only; no machine or node without confidential
    computing; no external address; shielded machines, no serial port; no keys of service accounts; no public bucket
    and no access lists on objects.

    Guarantees: what the policies forbid fails in Google Cloud itself, for every tool and every person in the project,
    also after this deployment. The values are the region's own, not `in:europe-locations`, which has London and Zurich.

    Does not: touch what exists already (a policy is asked when something is made), or bind whoever may change
    organization policies. Deploying it takes `roles/orgpolicy.policyAdmin` on the organization.
    """

    policies: list[str]
    """The constraints that hold, as Google names them."""

    def __init__(self, name: str, args: ResidencyGuardArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        facts = catalog.load()
        placement = args.placement
        rules = _rules(args)
        super().__init__(TYPE, name, args, opts)
        self.policies = [facts.guardrail(placement.cloud, id_).definition for id_ in rules]
        parent = f"projects/{placement.project_id}"
        for (id_, rule), constraint in zip(rules.items(), self.policies, strict=True):
            orgpolicy.Policy(
                f"{name}-{id_}",
                name=f"{parent}/policies/{constraint}",
                parent=parent,
                spec=orgpolicy.PolicySpecArgs(inherit_from_parent=False, rules=[rule]),
                opts=pulumi.ResourceOptions(parent=self),
            )
        self.register_outputs({"policies": self.policies})


def _rules(args: ResidencyGuardArgs) -> "dict[str, orgpolicy.PolicySpecRuleArgs]":
    """The one rule of each policy, by the guardrail's id in the catalogue."""
    facts = catalog.load()
    placement = args.placement
    here = facts.guardrail(placement.cloud, _LOCATIONS).values["{region}"].format(region=placement.location)
    rules = {_LOCATIONS: _values(allowed=[here])}
    if not args.plain_machines_allowed:
        rules[_CONFIDENTIAL] = _values(denied=list(facts.guardrail(placement.cloud, _CONFIDENTIAL).denied_values))
    # The API takes these as text: a boolean is refused.
    rules |= {id_: orgpolicy.PolicySpecRuleArgs(deny_all="TRUE") for id_ in _DENY_ALL}
    return rules | {id_: orgpolicy.PolicySpecRuleArgs(enforce="TRUE") for id_ in _ENFORCED}


def _values(*, allowed: list[str] | None = None, denied: list[str] | None = None) -> "orgpolicy.PolicySpecRuleArgs":
    return orgpolicy.PolicySpecRuleArgs(
        values=orgpolicy.PolicySpecRuleValuesArgs(allowed_values=allowed, denied_values=denied)
    )
