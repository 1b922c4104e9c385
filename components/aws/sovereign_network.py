"""A network with no way in and no way out."""

import ipaddress
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import pulumi
from pulumi_aws import ec2, route53

from components.addresses import Segment, subnets
from components.aws.firewall import acl_rules, group_rules
from components.aws.placement import Placement
from components.aws.policies import Statement, document
from components.component import Component, ComponentArgs
from components.errors import InputError

TYPE = "bailiwick:index:AwsSovereignNetwork"
_SMALLEST_SUBNET_PREFIX = 28
_ZONES_OF_A_SEGMENT = 4
"""A segment is cut into this many equal parts, one for each zone: no region of the catalogue's jurisdictions has more
in use."""
_PRIVATE_SERVICES = ("kms", "s3", "sts", "logs")
_CLUSTER_SERVICES = ("ec2", "ecr.api", "ecr.dkr", "eks", "eks-auth", "autoscaling", "elasticloadbalancing")


@dataclass(frozen=True, slots=True)
class SovereignNetworkArgs(ComponentArgs):
    """Inputs of `SovereignNetwork`."""

    placement: Placement
    """Where the network is."""
    address_space: str
    """Private IPv4 range of the network (RFC 1918) in CIDR notation, /24 or larger; the subnets are cut from its
    start."""
    domain: str
    """Private DNS domain for the region's own services, such as `aws-ireland.bailiwick.internal`."""
    clusters: Sequence[str] = ()
    """Names of the Kubernetes clusters; each gets subnets of its own, and the network gets the private endpoints that
    nodes cannot do without."""


class SovereignNetwork(Component):
    """`bailiwick:index:AwsSovereignNetwork`: a VPC that neither the Internet reaches nor guests leave.

    Creates a VPC; in each availability zone a subnet for each of `workload`, `verifier` and `endpoints`, and one for
    each cluster; a security group for each of them; one network ACL and one route table for all; interface endpoints
    for KMS, S3, STS and CloudWatch Logs; a private DNS zone for the region's own domain.

    Guarantees: there is no Internet gateway, and no route but the one inside the VPC; the network ACL lets nothing in
    or out of the VPC's own range; security groups open only the flows of the region; the VPC's own security group is
    empty; no subnet gives out public addresses; AWS's services are reached on private addresses of the VPC, and by
    principals of the own account only.

    Does not: peer with other networks, offer VPN, or filter names. A guest still reaches what the host itself answers
    (DNS at the VPC's resolver, instance metadata and time at 169.254.169.x), which no security group governs.
    """

    id: pulumi.Output[str]
    """Id of the VPC."""
    subnet_ids: Mapping[Segment, Mapping[str, pulumi.Output[str]]]
    """Id of the subnet of each segment in each zone, available when its routes and its ACL are in place."""
    cluster_subnet_ids: Mapping[str, Mapping[str, pulumi.Output[str]]]
    """The same for each cluster, by its name."""
    group_ids: Mapping[str, pulumi.Output[str]]
    """Id of the security group of each segment and each cluster."""
    domain_zone: pulumi.Output[str]
    """Id of the private zone of the region's own domain."""
    prefixes: Mapping[str, ipaddress.IPv4Network]
    """Address range of each segment and each cluster, over all zones."""

    def __init__(self, name: str, args: SovereignNetworkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        self.prefixes = _prefixes(args)
        super().__init__(TYPE, name, args, opts)
        self._stem = name
        self._args = args
        self._child = pulumi.ResourceOptions(parent=self)
        placement = args.placement
        vpc = ec2.Vpc(
            f"{name}-vpc",
            region=placement.location,
            cidr_block=args.address_space,
            enable_dns_support=True,
            enable_dns_hostnames=True,
            tags=placement.tagged(placement.name("tag", "vpc")),
            opts=self._child,
        )
        self.id = vpc.id
        ec2.DefaultSecurityGroup(
            f"{name}-default",
            region=placement.location,
            vpc_id=vpc.id,
            ingress=[],
            egress=[],
            tags=placement.tag_mapping,
            opts=self._child,
        )
        self.group_ids = {part: self._group(part) for part in self.prefixes}
        parts = {part: self._subnets(part) for part in self.prefixes}
        ready = self._guarded([subnet for zones in parts.values() for subnet in zones.values()])
        ids = {
            part: {zone: _after(subnet.id, ready) for zone, subnet in zones.items()} for part, zones in parts.items()
        }
        self.subnet_ids = {segment: ids[segment] for segment in Segment}
        self.cluster_subnet_ids = {cluster: ids[cluster] for cluster in args.clusters}
        self._endpoints()
        self.domain_zone = route53.Zone(
            f"{name}-domain",
            name=args.domain,
            comment=f"names of {placement.stack}",
            vpcs=[route53.ZoneVpcArgs(vpc_id=vpc.id, vpc_region=placement.location)],
            tags=placement.tag_mapping,
            opts=self._child,
        ).id
        self.register_outputs(
            {
                "id": self.id,
                "subnetIds": dict(self.subnet_ids),
                "groupIds": self.group_ids,
                "domainZone": self.domain_zone,
            }
        )

    def _group(self, part: str) -> pulumi.Output[str]:
        placement = self._args.placement
        ingress, egress = group_rules(part, self.prefixes)
        group = ec2.SecurityGroup(
            f"{self._stem}-{part}-group",
            region=placement.location,
            name=placement.name("security group", part),
            description=f"{part} of {placement.stack}",
            vpc_id=self.id,
            ingress=ingress,
            egress=egress,
            tags=placement.tag_mapping,
            opts=self._child,
        )
        group_id: pulumi.Output[str] = group.id
        return group_id

    def _subnets(self, part: str) -> "dict[str, ec2.Subnet]":
        placement = self._args.placement
        ranges = self.prefixes[part].subnets(prefixlen_diff=_ZONES_OF_A_SEGMENT.bit_length() - 1)
        return {
            zone: ec2.Subnet(
                f"{self._stem}-{part}-{zone}",
                region=placement.location,
                vpc_id=self.id,
                cidr_block=str(prefix),
                availability_zone=zone,
                map_public_ip_on_launch=False,
                tags=placement.tagged(placement.name("tag", part, zone)),
                opts=self._child,
            )
            for zone, prefix in zip(placement.zones, ranges, strict=False)
        }

    def _guarded(self, all_subnets: "Sequence[ec2.Subnet]") -> list[pulumi.Resource]:
        """Put every subnet under the ACL and the route table that lead nowhere; what does it."""
        placement = self._args.placement
        table = ec2.RouteTable(
            f"{self._stem}-routes",
            region=placement.location,
            vpc_id=self.id,
            routes=[],
            tags=placement.tagged(placement.name("tag", "nowhere")),
            opts=self._child,
        )
        associations = [
            ec2.RouteTableAssociation(
                f"{self._stem}-routes-{index}",
                region=placement.location,
                subnet_id=subnet.id,
                route_table_id=table.id,
                opts=self._child,
            )
            for index, subnet in enumerate(all_subnets)
        ]
        ingress, egress = acl_rules(self._args.address_space)
        acl = ec2.NetworkAcl(
            f"{self._stem}-acl",
            region=placement.location,
            vpc_id=self.id,
            subnet_ids=[subnet.id for subnet in all_subnets],
            ingress=ingress,
            egress=egress,
            tags=placement.tagged(placement.name("tag", "inside-only")),
            opts=self._child,
        )
        return [acl, *associations]

    def _endpoints(self) -> None:
        placement = self._args.placement
        services = (*_PRIVATE_SERVICES, *(_CLUSTER_SERVICES if self._args.clusters else ()))
        for service in services:
            ec2.VpcEndpoint(
                f"{self._stem}-{service.replace('.', '-')}",
                region=placement.location,
                vpc_id=self.id,
                service_name=placement.private_service(service),
                vpc_endpoint_type="Interface",
                subnet_ids=list(self.subnet_ids[Segment.ENDPOINTS].values()),
                security_group_ids=[self.group_ids[Segment.ENDPOINTS]],
                private_dns_enabled=True,
                policy=document(self._let_through(service)),
                # S3 answers its public name on private addresses to everyone in the VPC, not to resolvers outside it.
                dns_options=ec2.VpcEndpointDnsOptionsArgs(private_dns_only_for_inbound_resolver_endpoint=False)
                if service == "s3"
                else None,
                tags=placement.tagged(placement.name("tag", service)),
                opts=self._child,
            )

    def _let_through(self, service: str) -> list[Statement]:
        """Who may use the way to `service`: the account's own principals, so that nobody takes data out with the keys
        of another account; and, where images are pulled, AWS, whose signature opens their layers."""
        placement = self._args.placement
        ours = {"StringEquals": {"aws:PrincipalAccount": placement.account_id}}
        statements: list[Statement] = [
            {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*", "Condition": ours}
        ]
        if service == "s3" and self._args.clusters:
            layers = {"Action": "s3:GetObject", "Resource": placement.image_layers_arn}
            statements.append({"Effect": "Allow", "Principal": "*", **layers})
        return statements


def _after(value: pulumi.Output[str], ready: Sequence[pulumi.Resource]) -> pulumi.Output[str]:
    """`value` for who has to wait for `ready` too. It is known whenever it was: an Output that is computed from theirs
    is not while one of them is to be made again, and a preview would announce that all behind it is replaced."""

    async def resources() -> set[pulumi.Resource]:
        return {*await value.resources(), *ready}

    known = cast("Awaitable[str]", value.future())  # None where it is not, as is_known says
    return pulumi.Output(resources(), known, value.is_known(), value.is_secret())


def _prefixes(args: SovereignNetworkArgs) -> dict[str, ipaddress.IPv4Network]:
    parts = [*Segment, *args.clusters]
    found = dict(zip(parts, subnets(TYPE, args.address_space, len(parts)), strict=True))
    zones = args.placement.zones
    if not zones or len(zones) > _ZONES_OF_A_SEGMENT:
        raise InputError(TYPE, "placement.location", f"{args.placement.location} has {len(zones)} zones, not 1 to 4")
    longest = found[Segment.WORKLOAD].prefixlen + _ZONES_OF_A_SEGMENT.bit_length() - 1
    if longest > _SMALLEST_SUBNET_PREFIX:
        space = ipaddress.IPv4Network(args.address_space)
        raise InputError(
            TYPE, "address_space", f"{space} is too small for a subnet in each zone", f"{space.network_address}/24"
        )
    return {str(part): prefix for part, prefix in found.items()}
