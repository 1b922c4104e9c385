"""The runtime classes by which pods of a region become confidential guests."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
from pulumi_kubernetes import node

import catalog
from components.component import Component, ComponentArgs
from components.errors import InputError
from components.kubernetes.machine_settings import TEES
from components.kubernetes.placement import REGION_LABEL, Placement, name_of

TYPE = "bailiwick:index:KubernetesRuntimeClasses"
PEER_PODS_HANDLER = "kata-remote"
_HANDLERS: Mapping[str, str] = {"snp": "kata-qemu-snp", "tdx": "kata-qemu-tdx"}
_NODE_LABELS: Mapping[str, str] = {
    "snp": "amd.feature.node.kubernetes.io/snp",
    "tdx": "intel.feature.node.kubernetes.io/tdx",
}
"""Labels by which Node Feature Discovery says that the TEE is switched on."""
_OVERHEAD = {"cpu": "250m", "memory": "512Mi"}
"""What the virtual machine itself takes beside its pod."""


@dataclass(frozen=True, slots=True)
class PeerPods:
    """A cloud in which the pods' virtual machines are started, instead of on the nodes."""

    cloud: str
    """Cloud of the catalogue."""
    location: str
    """Its region, inside the region's jurisdiction."""


@dataclass(frozen=True, slots=True)
class RuntimeClassesArgs(ComponentArgs):
    """Inputs of `RuntimeClasses`."""

    placement: Placement
    """Where the cluster is."""
    tees: Sequence[str]
    """TEEs in use: `snp`, `tdx` or both."""
    peer_pods: PeerPods | None = None
    """Where the guests run if the nodes have no TEE or are virtual machines; None runs them on the nodes."""


class RuntimeClasses(Component):
    """`bailiwick:index:KubernetesRuntimeClasses`: a runtime class for each TEE, with Confidential Containers' handler.

    Creates a RuntimeClass for each TEE. On the nodes (`kata-qemu-snp`, `kata-qemu-tdx`) it selects nodes of the site on
    which Node Feature Discovery found the TEE. As peer pods (`kata-remote`) the guest is a confidential machine in a
    cloud, beside a node that needs no TEE.

    Guarantees: a pod of one of these classes runs in a guest of its own with encrypted memory, or not at all; peer pods
    are refused in a region outside the jurisdiction. The development handler `kata-qemu-coco-dev`, which has no TEE, is
    not among them.

    Does not: install Kata or Confidential Containers on the nodes, or make a cluster of confidential nodes. Nodes that
    are virtual machines cannot start SEV-SNP or TDX guests in turn: a managed cluster needs peer pods, or confidential
    nodes, where every pod of a node shares one trust boundary with the node's operator.
    """

    names: Mapping[str, str]
    """Name of the runtime class of each TEE."""
    ids: Mapping[str, pulumi.Output[str]]
    """The same names, available when the class exists."""

    def __init__(self, name: str, args: RuntimeClassesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        _check(args)
        super().__init__(TYPE, name, args, opts)
        self.names = {tee: args.placement.cluster_name(tee) for tee in args.tees}
        self.ids = {tee: self._runtime_class(name, args, tee) for tee in args.tees}
        self.register_outputs({"names": dict(self.names)})

    def _runtime_class(self, name: str, args: RuntimeClassesArgs, tee: str) -> pulumi.Output[str]:
        place, class_name = args.placement, self.names[tee]
        region = {REGION_LABEL: place.location}
        made = node.v1.RuntimeClass(
            f"{name}-{tee}",
            metadata=place.metadata(class_name),
            handler=PEER_PODS_HANDLER if args.peer_pods else _HANDLERS[tee],
            overhead=None if args.peer_pods else node.v1.OverheadArgs(pod_fixed=dict(_OVERHEAD)),
            scheduling=node.v1.SchedulingArgs(
                node_selector=region if args.peer_pods else {**region, _NODE_LABELS[tee]: "true"}
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
        return name_of(made)


def _check(args: RuntimeClassesArgs) -> None:
    if foreign := [tee for tee in args.tees if tee not in _HANDLERS]:
        raise InputError(TYPE, "tees", f"{foreign[0]!r} is not a TEE that Kata starts guests in", " or ".join(TEES))
    if args.peer_pods is None:
        return
    facts = catalog.load()
    try:
        place = facts.region(args.peer_pods.cloud, args.peer_pods.location)
    except catalog.UnknownFact as error:
        raise InputError(TYPE, "peer_pods", str(error.message).split(";")[0], error.nearest) from error
    jurisdiction = args.placement.tags.jurisdiction
    if not facts.within(place.jurisdiction, jurisdiction):
        near = facts.regions(cloud=args.peer_pods.cloud, jurisdiction=jurisdiction)
        raise InputError(
            TYPE,
            "peer_pods",
            f"{args.peer_pods.location} is in {place.jurisdiction}, outside {jurisdiction}",
            near[0].id if near else None,
        )
