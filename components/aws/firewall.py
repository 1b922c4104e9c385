"""What traffic a region lets through: whatever no flow names is denied."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from pulumi_aws import ec2

from components.addresses import Segment
from components.guest_configuration import VERIFIER_PORT

HTTPS_PORT = 443


@dataclass(frozen=True, slots=True)
class Flow:
    """One kind of traffic between two segments."""

    source: Segment
    target: Segment
    port: int
    """TCP port at the target."""
    why: str


FLOWS = (
    Flow(Segment.WORKLOAD, Segment.VERIFIER, VERIFIER_PORT, "guests attest and ask for their keys"),
    Flow(Segment.VERIFIER, Segment.VERIFIER, VERIFIER_PORT, "the load balancer asks who is healthy"),
    Flow(Segment.WORKLOAD, Segment.ENDPOINTS, HTTPS_PORT, "guests fetch encrypted models"),
    Flow(Segment.VERIFIER, Segment.ENDPOINTS, HTTPS_PORT, "the broker has keys unwrapped by KMS"),
)

Rules: TypeAlias = "tuple[list[ec2.SecurityGroupIngressArgs], list[ec2.SecurityGroupEgressArgs]]"


def group_rules(part: str, prefixes: Mapping[str, ipaddress.IPv4Network]) -> Rules:
    """The rules of a part's security group, in and out. A security group denies what no rule allows."""
    if part not in set(Segment):
        return _cluster_rules(part, prefixes)
    clusters = [each for each in prefixes if each not in set(Segment)]
    ingress = [_ingress(str(prefixes[flow.source]), flow.port, flow.why) for flow in FLOWS if flow.target == part]
    egress = [_egress(str(prefixes[flow.target]), flow.port, flow.why) for flow in FLOWS if flow.source == part]
    if part == Segment.ENDPOINTS:
        ingress += [_ingress(str(prefixes[cluster]), HTTPS_PORT, f"nodes of {cluster}") for cluster in clusters]
    return ingress, egress


def _cluster_rules(part: str, prefixes: Mapping[str, ipaddress.IPv4Network]) -> Rules:
    """Nodes reach each other, their control plane in the same subnets, and the private endpoints."""
    own, endpoints = str(prefixes[part]), str(prefixes[Segment.ENDPOINTS])
    ingress = [
        ec2.SecurityGroupIngressArgs(
            protocol="-1", from_port=0, to_port=0, cidr_blocks=[own], description="nodes and control plane"
        )
    ]
    egress = [
        ec2.SecurityGroupEgressArgs(
            protocol="-1", from_port=0, to_port=0, cidr_blocks=[own], description="nodes and control plane"
        ),
        _egress(endpoints, HTTPS_PORT, "nodes use private endpoints"),
    ]
    return ingress, egress


def acl_rules(address_space: str) -> "tuple[list[ec2.NetworkAclIngressArgs], list[ec2.NetworkAclEgressArgs]]":
    """The rules of the network ACL: the VPC's own range, and after it AWS's own rule that denies all."""
    rule = {
        "rule_no": 100,
        "protocol": "-1",
        "action": "allow",
        "cidr_block": address_space,
        "from_port": 0,
        "to_port": 0,
    }
    return [ec2.NetworkAclIngressArgs(**rule)], [ec2.NetworkAclEgressArgs(**rule)]


def _ingress(source: str, port: int, why: str) -> "ec2.SecurityGroupIngressArgs":
    return ec2.SecurityGroupIngressArgs(
        protocol="tcp", from_port=port, to_port=port, cidr_blocks=[source], description=why
    )


def _egress(target: str, port: int, why: str) -> "ec2.SecurityGroupEgressArgs":
    return ec2.SecurityGroupEgressArgs(
        protocol="tcp", from_port=port, to_port=port, cidr_blocks=[target], description=why
    )
