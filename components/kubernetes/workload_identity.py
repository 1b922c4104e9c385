"""An identity without a secret, and nothing that it may do."""

from dataclasses import dataclass

import pulumi
from pulumi_kubernetes import core

from components.addresses import Segment
from components.component import Component, ComponentArgs
from components.kubernetes.placement import Placement, name_of

TYPE = "bailiwick:index:KubernetesWorkloadIdentity"


@dataclass(frozen=True, slots=True)
class WorkloadIdentityArgs(ComponentArgs):
    """Inputs of `WorkloadIdentity`."""

    placement: Placement
    """Where the identity is kept."""
    role: str
    """What the holder is, such as `verifier`; the identity's name."""
    segment: Segment = Segment.WORKLOAD
    """Segment of the network, which is a namespace."""


class WorkloadIdentity(Component):
    """`bailiwick:index:KubernetesWorkloadIdentity`: a service account that may do nothing in the cluster.

    Creates the service account; no role, no binding, no token.

    Guarantees: no token of it is mounted anywhere, so that what runs under it cannot speak to the API server at all;
    default namespaces' accounts are used by nothing of the region.

    Does not: prove anything. Whoever runs the cluster can start pods under any account: keys are released for
    evidence, never for an identity.
    """

    id: pulumi.Output[str]
    """Name of the service account, as pods take it, available when it exists."""

    def __init__(self, name: str, args: WorkloadIdentityArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(TYPE, name, args, opts)
        account = core.v1.ServiceAccount(
            f"{name}-account",
            metadata=args.placement.metadata(args.role, args.segment),
            automount_service_account_token=False,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.id = name_of(account)
        self.register_outputs({"id": self.id})
