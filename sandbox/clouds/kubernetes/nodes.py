"""The emulated cluster's nodes, made from the catalogue's facts about the customer's sites, and its scheduler.

A site's machine types are its nodes: two of each in each zone. Labels are the well-known ones, and those by which Node
Feature Discovery says that the processor's TEE is switched on.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import catalog
from sandbox.clouds.kubernetes import api
from sandbox.clouds.kubernetes.selectors import selects

CLOUD: Final = "kubernetes"
REGION_LABEL: Final = "topology.kubernetes.io/region"
ZONE_LABEL: Final = "topology.kubernetes.io/zone"
SIZE_LABEL: Final = "node.kubernetes.io/instance-type"
TEE_LABELS: Final = {
    "snp": "amd.feature.node.kubernetes.io/snp",
    "tdx": "intel.feature.node.kubernetes.io/tdx",
}
_NODES_PER_ZONE: Final = 2
_BYTES_PER_GIB: Final = 2**30


class UnschedulableError(Exception):
    """No node takes the pod; the message is the scheduler's."""


@dataclass(frozen=True, slots=True)
class Node:
    """One machine of a site."""

    name: str
    region: str
    zone: str | None
    size: str
    tee: str | None
    vcpu: float
    memory: float
    """Bytes."""

    @property
    def labels(self) -> dict[str, str]:
        labels = {
            "kubernetes.io/hostname": self.name,
            "kubernetes.io/os": "linux",
            "kubernetes.io/arch": "amd64",
            REGION_LABEL: self.region,
            SIZE_LABEL: self.size,
        }
        if self.zone:
            labels[ZONE_LABEL] = self.zone
        if self.tee in TEE_LABELS:
            labels[TEE_LABELS[self.tee]] = "true"
        return labels


@dataclass(frozen=True, slots=True)
class Placed:
    """A pod that is on a node, as the scheduler sees it."""

    node: str
    labels: Mapping[str, str]
    vcpu: float
    memory: float


def nodes() -> list[Node]:
    """Every node, by name."""
    facts = catalog.load()
    found = []
    for region in facts.regions(cloud=CLOUD):
        for machine in facts.machine_types(CLOUD, region=region.id):
            for zone in machine.zones.get(region.id) or region.zone_names or (None,):
                found += [
                    Node(
                        name="-".join(filter(None, (region.id, zone, machine.size, str(number)))),
                        region=region.id,
                        zone=zone,
                        size=machine.size,
                        tee=machine.tee,
                        vcpu=float(machine.vcpu or 0),
                        memory=float(machine.memory_gib or 0) * _BYTES_PER_GIB,
                    )
                    for number in range(1, _NODES_PER_ZONE + 1)
                ]
    return sorted(found, key=lambda node: node.name)


def schedule(
    spec: Mapping[str, Any], selector: Mapping[str, str], labels: Mapping[str, str], placed: Sequence[Placed]
) -> Node:
    """The node for a pod with this spec and these labels.

    `selector` is that of its runtime class. Pods with the same labels are spread over the zones. Raises
    `UnschedulableError`.
    """
    every = nodes()
    wanted = {**selector, **(spec.get("nodeSelector") or {})}
    fitting = [node for node in every if selects({"matchLabels": wanted}, node.labels) and _affine(spec, node)]
    reasons: Counter[str] = Counter()
    if len(fitting) < len(every):
        reasons["node(s) didn't match Pod's node affinity/selector"] = len(every) - len(fitting)
    vcpu, memory = requests(spec)
    roomy = []
    for node in fitting:
        held = [pod for pod in placed if pod.node == node.name]
        if node.vcpu and sum(pod.vcpu for pod in held) + vcpu > node.vcpu:
            reasons["Insufficient cpu"] += 1
        elif node.memory and sum(pod.memory for pod in held) + memory > node.memory:
            reasons["Insufficient memory"] += 1
        else:
            roomy.append(node)
    if not roomy:
        why = ", ".join(f"{count} {reason}" for reason, count in sorted(reasons.items()))
        raise UnschedulableError(f"0/{len(every)} nodes are available: {why or 'the cluster has none'}.")
    zones = {node.name: node.zone for node in every}
    twins = [pod for pod in placed if pod.labels == labels]
    in_zone, on_node = Counter(zones.get(pod.node) for pod in twins), Counter(pod.node for pod in twins)
    return min(roomy, key=lambda node: (in_zone[node.zone], on_node[node.name], node.name))


def requests(spec: Mapping[str, Any]) -> tuple[float, float]:
    """What a pod's containers ask for: vCPU and bytes of memory."""
    asked = [
        (container.get("resources") or {}).get("requests") or (container.get("resources") or {}).get("limits") or {}
        for container in spec.get("containers") or ()
    ]
    return (
        sum(api.quantity(each.get("cpu", 0)) or 0 for each in asked),
        sum(api.quantity(each.get("memory", 0)) or 0 for each in asked),
    )


def _affine(spec: Mapping[str, Any], node: Node) -> bool:
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    terms = (affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or {}).get("nodeSelectorTerms")
    return not terms or any(selects({"matchExpressions": term.get("matchExpressions")}, node.labels) for term in terms)
