"""A network with no way in and no way out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
from pulumi_kubernetes import core, meta, networking

from components.addresses import Segment, subnets
from components.component import Component, ComponentArgs
from components.guest_configuration import VERIFIER_PORT
from components.kubernetes.placement import Placement

TYPE = "bailiwick:index:KubernetesSovereignNetwork"
GUARD_LABEL = "bailiwick.dev/region"
"""Label of a region's namespaces, with the stack's name: by it the admission policies know them."""
CONFIDENTIAL_LABEL = "bailiwick.dev/confidential"
"""Label of those namespaces in which every pod is a confidential guest."""
_NAMESPACE_LABEL = "kubernetes.io/metadata.name"
_DNS = {"k8s-app": "kube-dns"}
_DNS_PORT = 53
_CONFIDENTIAL = (Segment.WORKLOAD, Segment.VERIFIER)


@dataclass(frozen=True, slots=True)
class SovereignNetworkArgs(ComponentArgs):
    """Inputs of `SovereignNetwork`."""

    placement: Placement
    """Where the network is."""
    address_space: str
    """Private IPv4 range of the site (RFC 1918) in CIDR notation; what pods may call besides each other is in it."""


class SovereignNetwork(Component):
    """`bailiwick:index:KubernetesSovereignNetwork`: namespaces that nothing enters and nothing leaves.

    Creates three namespaces (`workload`, `verifier`, `endpoints`) that enforce the `restricted` level of Pod Security;
    in each a network policy that denies all, in both directions, and one that opens the cluster's DNS; and the two
    policies by which workloads reach the verifier.

    Guarantees: no pod of the region reaches the Internet, the API server, the nodes' metadata or another namespace
    unless a policy here says so; nothing reaches them from outside the region.

    Does not: enforce itself. A network plug-in does, and one that ignores network policies ignores these: the cluster
    needs one that implements them (Calico, Cilium, …). The cluster's DNS is open, and by it names leave; a resolver
    that forwards nothing outside closes that.
    """

    namespaces: Mapping[Segment, str]
    """Name of each namespace."""
    closed: Sequence[pulumi.Resource]
    """The policies that deny everything, for what must not start before they hold."""

    def __init__(self, name: str, args: SovereignNetworkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        subnets(TYPE, args.address_space, 1)
        place = args.placement
        super().__init__(TYPE, name, args, opts)
        self.namespaces = {segment: place.namespace(segment) for segment in Segment}
        made = {segment: self._namespace(name, place, segment) for segment in Segment}
        self.closed = [self._deny_all(f"{name}-{segment}", place, segment, made[segment]) for segment in Segment]
        for segment in Segment:
            flow(
                f"{name}-{segment}-dns",
                place,
                segment,
                "dns",
                egress=[_dns_rule()],
                opts=pulumi.ResourceOptions(parent=self, depends_on=[made[segment]]),
            )
        both = pulumi.ResourceOptions(parent=self, depends_on=[made[Segment.WORKLOAD], made[Segment.VERIFIER]])
        port = [tcp(VERIFIER_PORT)]
        flow(
            f"{name}-attest-out",
            place,
            Segment.WORKLOAD,
            "attest",
            egress=[
                networking.v1.NetworkPolicyEgressRuleArgs(to=[namespace_peer(place, Segment.VERIFIER)], ports=port)
            ],
            opts=both,
        )
        flow(
            f"{name}-attest-in",
            place,
            Segment.VERIFIER,
            "attest",
            ingress=[
                networking.v1.NetworkPolicyIngressRuleArgs(from_=[namespace_peer(place, Segment.WORKLOAD)], ports=port)
            ],
            opts=both,
        )
        self.register_outputs({"namespaces": {str(key): value for key, value in self.namespaces.items()}})

    def _namespace(self, name: str, place: Placement, segment: Segment) -> "core.v1.Namespace":
        labels = {"pod-security.kubernetes.io/enforce": "restricted", GUARD_LABEL: place.stack}
        if segment in _CONFIDENTIAL:
            labels[CONFIDENTIAL_LABEL] = "true"
        return core.v1.Namespace(
            f"{name}-{segment}",
            metadata=place.metadata(place.namespace(segment), labels=labels),
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _deny_all(
        self, name: str, place: Placement, segment: Segment, namespace: "core.v1.Namespace"
    ) -> "networking.v1.NetworkPolicy":
        return networking.v1.NetworkPolicy(
            f"{name}-deny",
            metadata=place.metadata("deny-all", segment),
            spec=networking.v1.NetworkPolicySpecArgs(
                pod_selector=meta.v1.LabelSelectorArgs(), policy_types=["Ingress", "Egress"]
            ),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[namespace]),
        )


def flow(
    name: str,
    place: Placement,
    segment: Segment,
    policy_name: str,
    *,
    pods: Mapping[str, str] | None = None,
    egress: "Sequence[networking.v1.NetworkPolicyEgressRuleArgs]" = (),
    ingress: "Sequence[networking.v1.NetworkPolicyIngressRuleArgs]" = (),
    opts: pulumi.ResourceOptions,
) -> "networking.v1.NetworkPolicy":
    """Open one flow for the pods of a segment with these labels, or for all of its pods."""
    return networking.v1.NetworkPolicy(
        name,
        metadata=place.metadata(policy_name, segment),
        spec=networking.v1.NetworkPolicySpecArgs(
            pod_selector=meta.v1.LabelSelectorArgs(match_labels=dict(pods) if pods else None),
            policy_types=[*(["Ingress"] if ingress else []), *(["Egress"] if egress else [])],
            egress=list(egress) or None,
            ingress=list(ingress) or None,
        ),
        opts=opts,
    )


def tcp(port: int) -> "networking.v1.NetworkPolicyPortArgs":
    return networking.v1.NetworkPolicyPortArgs(protocol="TCP", port=port)


def namespace_peer(place: Placement, segment: Segment) -> "networking.v1.NetworkPolicyPeerArgs":
    """The pods of another segment."""
    selector = meta.v1.LabelSelectorArgs(match_labels={_NAMESPACE_LABEL: place.namespace(segment)})
    return networking.v1.NetworkPolicyPeerArgs(namespace_selector=selector)


def range_rule(cidr: str, port: int) -> "networking.v1.NetworkPolicyEgressRuleArgs":
    """The way to one port of an address range of the site."""
    block = networking.v1.IPBlockArgs(cidr=cidr)
    return networking.v1.NetworkPolicyEgressRuleArgs(
        to=[networking.v1.NetworkPolicyPeerArgs(ip_block=block)], ports=[tcp(port)]
    )


def _dns_rule() -> "networking.v1.NetworkPolicyEgressRuleArgs":
    system = meta.v1.LabelSelectorArgs(match_labels={_NAMESPACE_LABEL: "kube-system"})
    servers = meta.v1.LabelSelectorArgs(match_labels=dict(_DNS))
    return networking.v1.NetworkPolicyEgressRuleArgs(
        to=[networking.v1.NetworkPolicyPeerArgs(namespace_selector=system, pod_selector=servers)],
        ports=[networking.v1.NetworkPolicyPortArgs(protocol=protocol, port=_DNS_PORT) for protocol in ("UDP", "TCP")],
    )
