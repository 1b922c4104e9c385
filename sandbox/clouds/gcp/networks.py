"""Compute Engine's networks: VPC networks, subnetworks, firewall rules and routes."""

import ipaddress
import re
from functools import lru_cache

from sandbox.clouds import addresses
from sandbox.clouds.gcp import ids, references
from sandbox.clouds.gcp.errors import ApiError, FieldError, RefusedError
from sandbox.clouds.gcp.rules import between, number, one_of, rfc1035_name
from sandbox.clouds.resource import Reference, Request, ResourceType, View, constant
from sandbox.values import UNKNOWN

_PORT = re.compile(r"\d{1,5}(?:-\d{1,5})?")
_PROTOCOLS = ("all", "tcp", "udp", "icmp", "esp", "ah", "sctp", "ipip")
_LARGEST_SUBNET_PREFIX = 29


@lru_cache(maxsize=65_536)
def cidr(value: str, field: str) -> addresses.Network:
    """The network of a CIDR range without host bits, in Google's wording where it is none."""
    try:
        return ipaddress.ip_network(value)
    except ValueError:
        raise FieldError(field, value, "Must be a CIDR address range without bits set for the host.") from None


def _routing(request: Request) -> None:
    if request.inputs["autoCreateSubnetworks"] is not False and request.inputs["internalIpv6Range"]:
        raise FieldError("internalIpv6Range", "", "Only a custom mode network has internal IPv6 ranges.")


def _range(request: Request) -> None:
    """A subnetwork has a free range of its own in its network, in private space or at least well formed."""
    value = request.inputs["ipCidrRange"]
    if value is None:
        raise FieldError("ipCidrRange", "", "A subnetwork needs an IPv4 range.")
    wanted = [("ipCidrRange", value)]
    for index, item in enumerate(request.inputs.items("secondaryIpRanges")):
        wanted.append((f"secondaryIpRanges[{index}].ipCidrRange", item.text("ipCidrRange")))
    network = references.find(request, ids.NETWORK, request.inputs.text("network"))
    request.claims.release(request.id, f"range:4:{network.id}")
    for field, each in wanted:
        prefix = cidr(each, field)
        if prefix.version == 4 and prefix.prefixlen > _LARGEST_SUBNET_PREFIX:
            raise FieldError(field, each, f"The range must be at least a /{_LARGEST_SUBNET_PREFIX}.")
        if not addresses.take_range(request.claims, network.id, prefix, request.id):
            raise ApiError(
                400,
                f"Invalid IPCidrRange: {each} conflicts with an existing subnetwork of network '{network.name}'",
                "invalidIPCidrRange",
            )


def _custom_mode(request: Request) -> None:
    network = references.find(request, ids.NETWORK, request.inputs.text("network"))
    if network.inputs.get("autoCreateSubnetworks") is not False:
        raise FieldError(
            "network",
            request.inputs.text("network"),
            "Subnetworks are made by hand in a custom mode network only; this network is in auto mode.",
        )


def _gateway(request: Request) -> str:
    return str(next(cidr(request.inputs.text("ipCidrRange"), "ipCidrRange").hosts()))


def _rules(request: Request) -> None:
    """A firewall rule either allows or denies, in one direction, well-formed protocols and ports."""
    allows, denies = request.inputs.items("allows"), request.inputs.items("denies")
    if bool(allows) == bool(denies):
        raise RefusedError("one of `allow,deny` must be specified, and only one")
    for kind, rule in [("allow", each) for each in allows] + [("deny", each) for each in denies]:
        protocol = rule.text("protocol").lower()
        if protocol not in _PROTOCOLS and not (protocol.isdigit() and int(protocol) < 256):
            raise FieldError(f"{kind}[0].IPProtocol", protocol, "Unknown protocol.")
        for port in rule["ports"] or ():
            if port is not UNKNOWN and not _is_port(str(port)):
                raise FieldError(f"{kind}[0].ports", port, "Must be a port or a range of ports from 0 to 65535.")
            if protocol not in ("tcp", "udp", "sctp"):
                raise FieldError(f"{kind}[0].ports", port, f"Ports are not allowed for protocol {protocol}.")


def _is_port(port: str) -> bool:
    return bool(_PORT.fullmatch(port)) and all(int(each) <= 65_535 for each in port.split("-"))


def _direction(request: Request) -> None:
    egress = request.inputs["direction"] == "EGRESS"
    labelled = [request.inputs[name] for name in ("sourceTags", "sourceServiceAccounts")]
    if egress and any(labelled):
        raise FieldError("sourceTags", "", "Source tags and service accounts are for INGRESS rules only.")
    if not egress and not any([request.inputs["sourceRanges"], *labelled]):
        raise RefusedError(
            "one of source_tags, source_ranges, or source_service_accounts must be defined for an INGRESS rule"
        )
    for path in ("sourceRanges", "destinationRanges"):
        for value in request.inputs[path] or ():
            if value is not UNKNOWN:
                cidr(str(value), path)


def _next_hop(request: Request) -> None:
    hops = [name for name in request.inputs.properties if name.startswith("nextHop") and name != "nextHopInstanceZone"]
    if len(hops) != 1:
        raise RefusedError(f"exactly one next hop must be specified, got {len(hops)}")
    cidr(request.inputs.text("destRange"), "destRange")


def network_of(request: Request, item: View) -> str | None:
    """The id of the network that a network interface or a forwarding rule is in, by its subnetwork or by itself."""
    account = request.session.account
    if subnetwork := item.text("subnetwork"):
        network = references.find(request, ids.SUBNETWORK, subnetwork).outputs["network"]
        return ids.plain(str(network), account)
    named = item.text("network")
    return ids.target(ids.NETWORK, named, account, request.inputs) if named else None


TYPES = (
    ResourceType(
        pulumi_type="gcp:compute/network:Network",
        kind=ids.NETWORK,
        identify=ids.compute(ids.NETWORK),
        name_property="name",
        replace_on=("name", "project", "description", "autoCreateSubnetworks", "internalIpv6Range", "networkProfile"),
        checks=(
            rfc1035_name,
            one_of("routingMode", "REGIONAL", "GLOBAL"),
            between("mtu", 1_300, 8_896),
            _routing,
        ),
        outputs={
            "networkId": number("networkId", text=True),
            "numericId": number("numericId", text=True),
            "routingMode": lambda request: request.inputs["routingMode"] or "REGIONAL",
            "autoCreateSubnetworks": lambda request: request.inputs["autoCreateSubnetworks"] is not False,
        },
        in_use=references.in_use,
    ),
    ResourceType(
        pulumi_type="gcp:compute/subnetwork:Subnetwork",
        kind=ids.SUBNETWORK,
        identify=ids.compute(ids.SUBNETWORK),
        name_property="name",
        replace_on=("name", "project", "region", "network", "description", "ipCidrRange", "purpose"),
        references=(Reference("network", (ids.NETWORK,)),),
        checks=(rfc1035_name, _custom_mode, _range),
        outputs={
            "subnetworkId": number("subnetworkId", text=False),
            "gatewayAddress": _gateway,
            "network": lambda request: ids.self_link(
                references.find(request, ids.NETWORK, request.inputs.text("network")).id
            ),
            "privateIpGoogleAccess": lambda request: request.inputs["privateIpGoogleAccess"] is True,
            "purpose": lambda request: request.inputs["purpose"] or "PRIVATE",
            "stackType": lambda request: request.inputs["stackType"] or "IPV4_ONLY",
        },
        in_use=references.in_use,
    ),
    ResourceType(
        pulumi_type="gcp:compute/firewall:Firewall",
        kind=ids.FIREWALL,
        identify=ids.compute(ids.FIREWALL),
        name_property="name",
        replace_on=("name", "project", "network", "direction"),
        references=(Reference("network", (ids.NETWORK,)),),
        checks=(
            rfc1035_name,
            one_of("direction", "INGRESS", "EGRESS"),
            between("priority", 0, 65_535),
            _rules,
            _direction,
        ),
        outputs={
            "direction": lambda request: request.inputs["direction"] or "INGRESS",
            "priority": lambda request: request.inputs["priority"] if request.inputs["priority"] is not None else 1_000,
        },
    ),
    ResourceType(
        pulumi_type="gcp:compute/route:Route",
        kind=ids.ROUTE,
        identify=ids.compute(ids.ROUTE),
        name_property="name",
        replace_on=("name", "project", "network", "destRange", "priority", "tags", "nextHopGateway", "nextHopIp",
                    "nextHopIlb", "nextHopInstance"),
        references=(Reference("network", (ids.NETWORK,)),),
        checks=(rfc1035_name, _next_hop, between("priority", 0, 65_535)),
        outputs={"routeType": constant("STATIC")},
    ),
)  # fmt: skip
