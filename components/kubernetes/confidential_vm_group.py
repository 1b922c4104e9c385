"""Several machines of one kind, kept at their number."""

from dataclasses import dataclass

import pulumi
from pulumi_kubernetes import meta, policy

from components.component import Component
from components.errors import InputError
from components.kubernetes.confidential_vm import deployment
from components.kubernetes.machine_settings import MachineSettings, selector

TYPE = "bailiwick:index:KubernetesConfidentialVmGroup"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfidentialVmGroupArgs(MachineSettings):
    """Inputs of `ConfidentialVmGroup`: those of `MachineSettings`, and the number."""

    count: int
    """Number of machines, 2 or more; they are spread over the zones."""


class ConfidentialVmGroup(Component):
    """`bailiwick:index:KubernetesConfidentialVmGroup`: pods, each in a confidential guest of its own.

    Creates a Deployment of `count` pods spread over the zones, and a disruption budget that lets one go at a time.

    Guarantees: each machine is as `ConfidentialVm` makes it; one that is lost is replaced, and measured afresh; a new
    image or configuration replaces them one after the other.

    Does not: scale by load.
    """

    id: pulumi.Output[str]
    """Id of the Deployment: namespace and name."""
    group_name: str
    """Name of the Deployment, and the beginning of its pods' names."""

    def __init__(self, name: str, args: ConfidentialVmGroupArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        args.check(TYPE)
        if args.count < 2:
            raise InputError(TYPE, "count", f"{args.count} machines are no group", "ConfidentialVm, or 2")
        self.group_name = args.role
        super().__init__(TYPE, name, args, opts)
        self.id = deployment(self, name, TYPE, args, replicas=args.count).id
        policy.v1.PodDisruptionBudget(
            f"{name}-budget",
            metadata=args.placement.metadata(args.role, args.segment),
            spec=policy.v1.PodDisruptionBudgetSpecArgs(
                max_unavailable=1, selector=meta.v1.LabelSelectorArgs(match_labels=selector(args.role))
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({"id": self.id, "groupName": self.group_name})
