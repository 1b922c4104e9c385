"""Where encrypted models wait for an attested guest."""

from dataclasses import dataclass

import pulumi

from components.addresses import Segment
from components.component import Component, ComponentArgs
from components.kubernetes.placement import Placement
from components.kubernetes.site import ModelStoreSite, require_inside
from components.kubernetes.sovereign_network import flow, range_rule

TYPE = "bailiwick:index:KubernetesModelStore"
CONTAINER = "models"


@dataclass(frozen=True, slots=True)
class ModelStoreArgs(ComponentArgs):
    """Inputs of `ModelStore`."""

    placement: Placement
    """Where the guests are that read models."""
    site: ModelStoreSite
    """The site's object store."""
    address_space: str
    """Private range of the site, in which the store must be."""


class ModelStore(Component):
    """`bailiwick:index:KubernetesModelStore`: the way from the workloads to the site's object store.

    Creates the network policy that lets the workloads' pods call the store, and nothing else at the site.

    Guarantees: guests read models from a store inside the site's private range; one outside is refused.

    Does not: create the store, or encrypt models. The publisher encrypts them before they come, with a data key that
    only the broker can have unwrapped, so that whoever can read the store reads nothing.
    """

    account_name: str
    """Name by which guests know the store."""

    def __init__(self, name: str, args: ModelStoreArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        require_inside(TYPE, "site.endpoint", args.site.endpoint, args.address_space)
        super().__init__(TYPE, name, args, opts)
        self.account_name = args.site.account
        flow(
            f"{name}-fetch",
            args.placement,
            Segment.WORKLOAD,
            "fetch-models",
            egress=[range_rule(args.site.endpoint.cidr, args.site.endpoint.port)],
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({"accountName": self.account_name})
