"""A network with no way in and no way out."""

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
from pulumi_azure_native import network, privatedns

import catalog
from components.addresses import Segment, subnets
from components.azure.flows import CONTROL_PLANES, FLOWS, cluster_flows, security_rules
from components.azure.placement import Placement
from components.component import Component, ComponentArgs

TYPE = "bailiwick:index:AzureSovereignNetwork"

_RESERVED_ADDRESSES = 4
"""Azure keeps the first four addresses of a subnet for itself, and the last."""
PRIVATE_SERVICES = ("key-vault", "blob", "attestation")
_CONTROL_PLANE_SERVICE = "Microsoft.ContainerService/managedClusters"


@dataclass(frozen=True, slots=True)
class SovereignNetworkArgs(ComponentArgs):
    """Inputs of `SovereignNetwork`."""

    placement: Placement
    """Where the network is."""
    address_space: str
    """Private IPv4 range of the network (RFC 1918) in CIDR notation, /26 or larger; the subnets are cut from its
    start."""
    domain: str
    """Private DNS domain for the region's own services, such as `azure-germany.bailiwick.internal`."""
    services: Sequence[str] = PRIVATE_SERVICES
    """Services of Azure that are reached privately, as the catalogue names their endpoints; each has its DNS zones."""
    clusters: Sequence[str] = ()
    """Names of the Kubernetes clusters; each gets a subnet of its own, and all of them one for their control planes."""


class SovereignNetwork(Component):
    """`bailiwick:index:AzureSovereignNetwork`: a virtual network that neither the Internet reaches nor guests leave.

    Creates a virtual network; three subnets (`workload`, `verifier`, `endpoints`), and for `clusters` one of each and
    one for their control planes, which AKS puts there, each with a network security group and one route table; private
    DNS zones of the `services` and of the region's own domain, linked to the network.

    Guarantees: no subnet has Azure's default outbound access; 0.0.0.0/0 routes to nowhere; every security group ends
    with a rule that denies all, in both directions, above Azure's own rules that allow the network and the Internet;
    only the flows of `components.azure.flows` are open: no cluster reaches another's nodes; no address is public.

    Does not: peer with other networks, offer VPN or bastion access, or filter names. A guest still reaches what Azure
    answers on the host itself (DNS at 168.63.129.16, instance metadata at 169.254.169.254), which security groups do
    not govern.
    """

    id: pulumi.Output[str]
    """Resource id of the virtual network."""
    subnet_ids: Mapping[str, pulumi.Output[str]]
    """Resource id of each subnet, by segment (`workload`, `verifier`, `endpoints`), available when its security group
    is in place."""
    cluster_subnet_ids: Mapping[str, pulumi.Output[str]]
    """Resource id of each cluster's subnet, by the cluster's name."""
    control_plane_subnet_id: pulumi.Output[str] | None
    """Resource id of the subnet of the clusters' control planes; None without clusters."""
    zone_ids: dict[str, pulumi.Output[str]]
    """Resource id of each private DNS zone, by name, available when the zone is linked."""

    def __init__(self, name: str, args: SovereignNetworkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        self._clusters = {cluster: f"cluster-{cluster}" for cluster in args.clusters}
        more = (CONTROL_PLANES, *self._clusters.values()) if self._clusters else ()
        self._prefixes = subnet_prefixes(args.address_space, more)
        super().__init__(TYPE, name, args, opts)
        self._stem = name
        self._args = args
        self._child = pulumi.ResourceOptions(parent=self)
        placement = args.placement
        self._network = network.VirtualNetwork(
            f"{name}-vnet",
            virtual_network_name=self.network_name(placement),
            resource_group_name=placement.resource_group_name,
            location=placement.location,
            address_space=network.AddressSpaceArgs(address_prefixes=[args.address_space]),
            tags=placement.tag_mapping,
            # Azure lists subnets inside the network too; here each is a resource of its own, never both.
            opts=pulumi.ResourceOptions.merge(self._child, pulumi.ResourceOptions(ignore_changes=["subnets"])),
        )
        self.id = self._network.id
        routes = self._route_table()
        ids = self._subnets(routes)
        self.subnet_ids = {segment: ids[segment] for segment in Segment}
        self.cluster_subnet_ids = {cluster: ids[subnet] for cluster, subnet in self._clusters.items()}
        self.control_plane_subnet_id = ids.get(CONTROL_PLANES)
        self.zone_ids = {zone: self._zone(zone) for zone in (*_zones_of(args.services), args.domain)}
        self.register_outputs({"id": self.id, "subnetIds": dict(self.subnet_ids), "zoneIds": self.zone_ids})

    def address(self, segment: Segment, index: int) -> str:
        """The `index`-th address of a subnet that is free for use, counted from 0."""
        return str(self._prefixes[segment][_RESERVED_ADDRESSES + index])

    @staticmethod
    def network_name(placement: Placement) -> str:
        """Name of the region's virtual network."""
        return placement.name("virtual network")

    def _route_table(self) -> "network.RouteTable":
        placement = self._args.placement
        return network.RouteTable(
            f"{self._stem}-routes",
            route_table_name=placement.name("route table", "nowhere"),
            resource_group_name=placement.resource_group_name,
            location=placement.location,
            disable_bgp_route_propagation=True,
            routes=[
                network.RouteArgs(
                    name="internet-to-nowhere", address_prefix="0.0.0.0/0", next_hop_type=network.RouteNextHopType.NONE
                )
            ],
            tags=placement.tag_mapping,
            opts=self._child,
        )

    def _subnets(self, routes: "network.RouteTable") -> dict[str, pulumi.Output[str]]:
        """The subnets, one after the other: Azure changes one subnet of a network at a time and fails the others."""
        placement = self._args.placement
        ids: dict[str, pulumi.Output[str]] = {}
        previous: list[pulumi.Resource] = []
        flows = (*FLOWS, *cluster_flows(tuple(self._clusters.values())))
        for segment, prefix in self._prefixes.items():
            group = network.NetworkSecurityGroup(
                f"{self._stem}-{segment}-nsg",
                network_security_group_name=placement.name("network security group", segment),
                resource_group_name=placement.resource_group_name,
                location=placement.location,
                security_rules=security_rules(segment, self._prefixes, flows),
                tags=placement.tag_mapping,
                opts=self._child,
            )
            subnet = network.Subnet(
                f"{self._stem}-{segment}",
                subnet_name=str(segment),
                resource_group_name=placement.resource_group_name,
                virtual_network_name=self._network.name,
                address_prefix=str(prefix),
                default_outbound_access=False,
                network_security_group=network.NetworkSecurityGroupArgs(id=group.id),
                route_table=network.RouteTableArgs(id=routes.id),
                private_endpoint_network_policies=network.VirtualNetworkPrivateEndpointNetworkPolicies.ENABLED,
                delegations=(
                    [network.DelegationArgs(name="aks", service_name=_CONTROL_PLANE_SERVICE)]
                    if segment == CONTROL_PLANES
                    else None
                ),
                opts=pulumi.ResourceOptions(parent=self, depends_on=previous),
            )
            previous = [subnet]
            ids[segment] = subnet.id
        return ids

    def _zone(self, zone_name: str) -> pulumi.Output[str]:
        placement = self._args.placement
        child = f"{self._stem}-{zone_name.replace('.', '-')}"
        zone = privatedns.PrivateZone(
            child,
            private_zone_name=zone_name,
            resource_group_name=placement.resource_group_name,
            location="Global",
            tags=placement.tag_mapping,
            opts=self._child,
        )
        link = privatedns.VirtualNetworkLink(
            f"{child}-link",
            virtual_network_link_name=self.network_name(placement),
            private_zone_name=zone.name,
            resource_group_name=placement.resource_group_name,
            location="Global",
            registration_enabled=False,
            virtual_network=privatedns.SubResourceArgs(id=self._network.id),
            tags=placement.tag_mapping,
            opts=self._child,
        )
        return pulumi.Output.all(zone.id, link.id).apply(lambda ids: str(ids[0]))


def _zones_of(services: Sequence[str]) -> list[str]:
    """The private DNS zones of services, from the catalogue."""
    facts = catalog.load()
    return [zone for service in services for zone in facts.private_endpoint("azure", service).zones]


def subnet_prefixes(address_space: str, more: Sequence[str] = ()) -> dict[str, ipaddress.IPv4Network]:
    """The range of each segment and then of `more` subnets, in the order in which they take their part of the space."""
    names = (*Segment, *more)
    return dict(zip(names, subnets(TYPE, address_space, len(names)), strict=True))
