"""The traffic that a region's network lets through, and the security groups that deny the rest."""

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pulumi_azure_native import network

from components.addresses import Segment
from components.guest_configuration import VERIFIER_PORT

HTTPS_PORT = 443
TUNNEL_PORT = 4443
"""Where nodes reach the control plane beside its API."""
CONTROL_PLANES = "control-planes"
"""The subnet in which the control planes of all clusters have their addresses."""
POD_RANGE = "100.64.0.0/16"
"""Inside each cluster only, from the range for such use (RFC 6598), which no region's network has. Azure does not
encapsulate pods' traffic, so that security groups judge it (MicrosoftDocs/azure-aks-docs,
concepts-network-azure-cni-overlay)."""

_LOAD_BALANCER = "AzureLoadBalancer"
_LOWEST_PRIORITY = 4096
"""The last place in a security group, just before Azure's own rules, which allow the network and the Internet."""


@dataclass(frozen=True, slots=True)
class Flow:
    """One kind of traffic that the network lets through; whatever no flow names is denied."""

    name: str
    source: str
    """Subnet, range, or an Azure service tag."""
    target: str
    """Subnet or range."""
    port: int | str
    """TCP port at the target; `*` is every port of every protocol."""
    why: str
    through: str = ""
    """The subnet whose nodes have a range that is no subnet."""


FLOWS = (
    Flow("attest", Segment.WORKLOAD, Segment.VERIFIER, VERIFIER_PORT, "guests attest and ask for their keys"),
    Flow("probe", _LOAD_BALANCER, Segment.VERIFIER, VERIFIER_PORT, "the load balancer asks who is healthy"),
    Flow("fetch", Segment.WORKLOAD, Segment.ENDPOINTS, HTTPS_PORT, "guests fetch encrypted models"),
    Flow("unwrap", Segment.VERIFIER, Segment.ENDPOINTS, HTTPS_PORT, "the broker has keys unwrapped in the HSM"),
)
_CONTROL_FLOWS = (
    Flow("control", CONTROL_PLANES, CONTROL_PLANES, "*", "the parts of a control plane reach each other"),
    Flow("control-probe", _LOAD_BALANCER, CONTROL_PLANES, "*", "the load balancer asks who is healthy"),
    Flow("control-secrets", CONTROL_PLANES, Segment.ENDPOINTS, HTTPS_PORT, "secrets are encrypted in the HSM"),
)


def cluster_flows(clusters: Sequence[str]) -> list[Flow]:
    """What clusters need, by the names of their subnets; nothing where there are none."""
    if not clusters:
        return []
    return [
        *_CONTROL_FLOWS,
        *(
            flow
            for cluster in clusters
            for flow in (
                Flow(f"{cluster}-nodes", cluster, cluster, "*", "nodes reach each other"),
                Flow(f"{cluster}-services", cluster, POD_RANGE, "*", "nodes reach pods", cluster),
                Flow(f"{cluster}-pods", POD_RANGE, POD_RANGE, "*", "pods reach each other", cluster),
                Flow(f"{cluster}-api", cluster, CONTROL_PLANES, HTTPS_PORT, "nodes ask the control plane"),
                Flow(f"{cluster}-tunnel", cluster, CONTROL_PLANES, TUNNEL_PORT, "nodes ask the control plane"),
                Flow(f"{cluster}-control", CONTROL_PLANES, cluster, "*", "the control plane asks nodes"),
                Flow(f"{cluster}-hooks", CONTROL_PLANES, POD_RANGE, "*", "the control plane asks pods", cluster),
                Flow(f"{cluster}-probe", _LOAD_BALANCER, cluster, "*", "the load balancer asks who is healthy"),
                Flow(f"{cluster}-fetch", cluster, Segment.ENDPOINTS, HTTPS_PORT, "nodes pull images and models"),
                Flow(f"{cluster}-attest", cluster, Segment.VERIFIER, VERIFIER_PORT, "workloads ask for their keys"),
            )
        ),
    ]


def security_rules(
    segment: str, prefixes: Mapping[str, ipaddress.IPv4Network], flows: Sequence[Flow] = FLOWS
) -> "list[network.SecurityRuleArgs]":
    """The rules of a subnet's security group: its flows, then deny all in and deny all out."""

    def prefix(end: str) -> str:
        return str(prefixes.get(end, end))

    allowed = [
        network.SecurityRuleArgs(
            name=f"allow-{flow.name}-{direction.lower()}",
            description=flow.why,
            access="Allow",
            direction=direction,
            protocol="*" if flow.port == "*" else "Tcp",
            priority=100 + 10 * position,
            source_address_prefix=prefix(flow.source),
            source_port_range="*",
            destination_address_prefix=prefix(flow.target),
            destination_port_range=str(flow.port),
        )
        for position, flow in enumerate(flows)
        for direction, end in (("Inbound", flow.target), ("Outbound", flow.source))
        if segment == (end if end in prefixes else flow.through)
    ]
    denied = [
        network.SecurityRuleArgs(
            name=f"deny-all-{direction.lower()}",
            description="whatever no flow names",
            access="Deny",
            direction=direction,
            protocol="*",
            priority=_LOWEST_PRIORITY,
            source_address_prefix="*",
            source_port_range="*",
            destination_address_prefix="*",
            destination_port_range="*",
        )
        for direction in ("Inbound", "Outbound")
    ]
    return allowed + denied
