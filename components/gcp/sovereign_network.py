"""A network with no way in and no way out."""

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
from pulumi_gcp import compute, dns, networkconnectivity

import catalog
from components.addresses import Segment, subnets
from components.component import Component, ComponentArgs
from components.errors import InputError
from components.gcp.firewall import cluster_rules, deny_rules, flow_rules
from components.gcp.names import gcp_unique
from components.gcp.placement import Placement

TYPE = "bailiwick:index:GcpSovereignNetwork"
RECORD_SECONDS = 300
PODS_RANGE = "pods"
SERVICES_RANGE = "services"
_CLUSTER_SPACE = ipaddress.IPv4Network("100.64.0.0/10")
"""Shared address space (RFC 6598): pods and services of clusters take it, because nobody else's network routes it."""
_RESERVED_ADDRESSES = 2
"""Google keeps the first two addresses of a subnet for itself, and the last two."""
_PRIVATE_SERVICES = ("cloud-kms", "storage")
_ALL_SERVICES = "google-apis"


@dataclass(frozen=True, slots=True)
class SovereignNetworkArgs(ComponentArgs):
    """Inputs of `SovereignNetwork`."""

    placement: Placement
    """Where the network is."""
    address_space: str
    """Private IPv4 range of the network (RFC 1918) in CIDR notation, /26 or larger; the subnets are cut from its
    start."""
    domain: str
    """Private DNS domain for the region's own services, such as `gcp-germany.bailiwick.internal`."""
    clusters: Sequence[str] = ()
    """Names of the Kubernetes clusters; each gets a subnet of its own. With one of them, the network has a private
    address for all of Google's APIs, which nodes cannot do without."""


class SovereignNetwork(Component):
    """`bailiwick:index:GcpSovereignNetwork`: a VPC network that neither the Internet reaches nor guests leave.

    Creates a network without default routes; three subnetworks (`workload`, `verifier`, `endpoints`) and one for each
    cluster; firewall rules; a regional private endpoint with a private DNS zone for Cloud KMS and for Cloud Storage; a
    private zone for the region's own domain.

    Guarantees: no route leads to the Internet; what no flow names is denied in both directions; no address is public;
    keys and models are reached at endpoints that end TLS in the region, not at Google's worldwide front ends.

    Does not: peer with other networks, offer VPN or Cloud NAT, or filter names. A guest still reaches what the host
    itself answers at 169.254.169.254 (DNS, metadata, tokens of its identity), which firewall rules do not govern. With
    `clusters`, their nodes reach Google's APIs through Private Service Connect, wherever those APIs run.
    """

    id: pulumi.Output[str]
    """Resource id of the network."""
    subnet_ids: Mapping[Segment, pulumi.Output[str]]
    """Resource id of each subnetwork."""
    cluster_subnet_ids: Mapping[str, pulumi.Output[str]]
    """Resource id of each cluster's subnetwork, by the cluster's name."""
    domain_zone: pulumi.Output[str]
    """Name of the managed zone of the region's own domain."""
    prefixes: Mapping[Segment, ipaddress.IPv4Network]
    """Address range of each subnetwork."""

    def __init__(self, name: str, args: SovereignNetworkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        parts = subnets(TYPE, args.address_space, len(Segment) + len(args.clusters))
        self.prefixes = dict(zip(Segment, parts, strict=False))
        self._clusters = dict(zip(args.clusters, parts[len(Segment) :], strict=True))
        self._apis_address = ipaddress.IPv4Network(args.address_space)[-2]
        if args.clusters and any(self._apis_address in part for part in parts):
            wider = ipaddress.IPv4Network(args.address_space).supernet()
            raise InputError(TYPE, "address_space", "has no address left for Google's APIs", str(wider))
        super().__init__(TYPE, name, args, opts)
        self._stem = name
        self._args = args
        self._child = pulumi.ResourceOptions(parent=self)
        self._network = compute.Network(
            f"{name}-vpc",
            name=self.network_name(args.placement),
            project=args.placement.project_id,
            auto_create_subnetworks=False,
            delete_default_routes_on_create=True,
            routing_mode="REGIONAL",
            opts=self._child,
        )
        self.id = self._network.id
        self._firewall()
        self.subnet_ids = {segment: self._subnet(segment, prefix).id for segment, prefix in self.prefixes.items()}
        self.cluster_subnet_ids = {
            cluster: self._subnet(f"cluster-{cluster}", prefix, self._secondary(index)).id
            for index, (cluster, prefix) in enumerate(self._clusters.items())
        }
        for index, service in enumerate(_PRIVATE_SERVICES):
            self._regional_endpoint(service, self.address(Segment.ENDPOINTS, index))
        if args.clusters:
            self._all_apis()
        self.domain_zone = self._zone("domain", args.domain).name
        self.register_outputs({"id": self.id})

    @staticmethod
    def network_name(placement: Placement) -> str:
        """Name of the region's network."""
        return placement.name("net")

    @staticmethod
    def service_host(placement: Placement, service: str) -> str:
        """Host name of a service's private endpoint in the region (an id of the catalogue's private endpoints)."""
        fact = catalog.load().private_endpoint(placement.cloud, service)
        return fact.target.format(region=placement.location)

    def address(self, segment: Segment, index: int) -> str:
        """The `index`-th usable address of a segment, from 0."""
        return str(self.prefixes[segment][_RESERVED_ADDRESSES + index])

    def _firewall(self) -> None:
        rules = [*deny_rules(), *flow_rules(self._args.placement.cloud, self.prefixes)]
        for index, (cluster, prefix) in enumerate(self._clusters.items()):
            ranges = [str(prefix), *(str(range_) for range_ in _cluster_ranges(index))]
            rules += cluster_rules(cluster, ranges, self.prefixes, str(self._apis_address))
        for rule in rules:
            compute.Firewall(
                f"{self._stem}-{rule.name}",
                name=self._args.placement.name(rule.name),
                project=self._args.placement.project_id,
                network=self.id,
                description=rule.why,
                direction=rule.direction,
                priority=rule.priority,
                source_ranges=rule.sources,
                destination_ranges=rule.targets,
                allows=None if rule.denies else [compute.FirewallAllowArgs(protocol=rule.protocol, ports=rule.ports)],
                denies=[compute.FirewallDenyArgs(protocol="all")] if rule.denies else None,
                opts=self._child,
            )

    def _subnet(
        self,
        segment: str,
        prefix: ipaddress.IPv4Network,
        secondary: "list[compute.SubnetworkSecondaryIpRangeArgs] | None" = None,
    ) -> "compute.Subnetwork":
        placement = self._args.placement
        return compute.Subnetwork(
            f"{self._stem}-{segment}",
            name=placement.name(segment),
            project=placement.project_id,
            region=placement.location,
            network=self.id,
            ip_cidr_range=str(prefix),
            secondary_ip_ranges=secondary,
            private_ip_google_access=False,
            stack_type="IPV4_ONLY",
            opts=self._child,
        )

    def _secondary(self, index: int) -> "list[compute.SubnetworkSecondaryIpRangeArgs]":
        return [
            compute.SubnetworkSecondaryIpRangeArgs(range_name=name, ip_cidr_range=str(range_))
            for name, range_ in zip((PODS_RANGE, SERVICES_RANGE), _cluster_ranges(index), strict=True)
        ]

    def _regional_endpoint(self, service: str, address: str) -> None:
        placement = self._args.placement
        host = self.service_host(placement, service)
        networkconnectivity.RegionalEndpoint(
            f"{self._stem}-{service}",
            name=placement.name(service),
            project=placement.project_id,
            location=placement.location,
            target_google_api=host,
            access_type="REGIONAL",
            address=address,
            network=self.id,
            subnetwork=self.subnet_ids[Segment.ENDPOINTS],
            labels=placement.labels,
            opts=self._child,
        )
        self._record(service, self._zone(service, host), f"{host}.", "A", address)

    def _all_apis(self) -> None:
        """Private Service Connect for every API: one address inside the network, and the names that lead there."""
        placement = self._args.placement
        bundle = catalog.load().private_endpoint(placement.cloud, _ALL_SERVICES)
        address = compute.GlobalAddress(
            f"{self._stem}-apis-address",
            name=placement.name("apis"),
            project=placement.project_id,
            purpose="PRIVATE_SERVICE_CONNECT",
            address_type="INTERNAL",
            address=str(self._apis_address),
            network=self.id,
            labels=placement.labels,
            opts=self._child,
        )
        compute.GlobalForwardingRule(
            f"{self._stem}-apis",
            name=gcp_unique("private service connect", "apis", placement.project_id, placement.stack),
            project=placement.project_id,
            target=bundle.target,
            load_balancing_scheme="",
            network=self.id,
            ip_address=address.id,
            labels=placement.labels,
            opts=self._child,
        )
        for zone_name in bundle.zones:
            label = zone_name.replace(".", "-")
            zone = self._zone(label, zone_name)
            self._record(label, zone, f"{zone_name}.", "A", str(self._apis_address))
            self._record(f"{label}-any", zone, f"*.{zone_name}.", "CNAME", f"{zone_name}.")

    def _zone(self, label: str, domain: str) -> "dns.ManagedZone":
        placement = self._args.placement
        return dns.ManagedZone(
            f"{self._stem}-{label}-zone",
            name=placement.name_of("dns zone", label),
            project=placement.project_id,
            dns_name=f"{domain}.",
            description=f"{domain} inside the region",
            visibility="private",
            private_visibility_config=dns.ManagedZonePrivateVisibilityConfigArgs(
                networks=[dns.ManagedZonePrivateVisibilityConfigNetworkArgs(network_url=self.id)]
            ),
            labels=placement.labels,
            opts=self._child,
        )

    def _record(self, label: str, zone: "dns.ManagedZone", host: str, kind: str, value: str) -> None:
        dns.RecordSet(
            f"{self._stem}-{label}-record",
            name=host,
            project=self._args.placement.project_id,
            managed_zone=zone.name,
            type=kind,
            ttl=RECORD_SECONDS,
            rrdatas=[value],
            opts=self._child,
        )


def _cluster_ranges(index: int) -> tuple[ipaddress.IPv4Network, ipaddress.IPv4Network]:
    """The ranges of the pods (a /17: 128 nodes of 110 pods) and of the services (a /20) of the `index`-th cluster."""
    block = list(_CLUSTER_SPACE.subnets(new_prefix=16))[index]
    pods, rest = block.subnets()
    return pods, next(rest.subnets(new_prefix=20))
