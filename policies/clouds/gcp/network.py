"""Google Cloud's networks: addresses, routes and doors. Firewall rules belong to them, and not to subnets."""

from collections.abc import Iterator, Mapping

from policies.clouds.gcp import firewalls
from policies.conditions import OneOf
from policies.subject import Property, Resource
from policies.terms import PrivateDoor, Reference, Setting, Subnet, Unwanted

_PREFIX = "gcp:compute:"
_MACHINES = frozenset({f"{_PREFIX}{name}" for name in ("Instance", "InstanceTemplate", "RegionInstanceTemplate")})
_NETWORK = _PREFIX + "Network"
_SUBNET = _PREFIX + "Subnetwork"
_INTERNAL = ("INTERNAL", "INTERNAL_MANAGED", "INTERNAL_SELF_MANAGED")
_OUTWARD_TYPES = {
    _PREFIX + "RouterNat": "a way out to the public network",
    _PREFIX + "VPNGateway": "a tunnel out of the network",
    _PREFIX + "HaVpnGateway": "a tunnel out of the network",
    _PREFIX + "InterconnectAttachment": "a line out of the network",
    _PREFIX + "VPNTunnel": "a tunnel out of the network",
    "gcp:networkconnectivity:Spoke": "a way out to a hub's networks",
}
_GLOBAL_FRONT = _PREFIX + "GlobalForwardingRule"
_BUNDLES = ("all-apis", "vpc-sc")
"""Targets of a global forwarding rule that is a private door to Google's own APIs (Private Service Connect)."""
_INTERNAL_ONLY = "INGRESS_TRAFFIC_INTERNAL_ONLY"
CLOSED: Mapping[str, tuple[tuple[tuple[str, ...], str | bool], ...]] = {
    "gcp:cloudfunctions:Function": ((("ingressSettings",), "ALLOW_INTERNAL_ONLY"),),
    "gcp:cloudfunctionsv2:Function": ((("serviceConfig", "ingressSettings"), "ALLOW_INTERNAL_ONLY"),),
    "gcp:cloudrunv2:Service": ((("ingress",), _INTERNAL_ONLY),),
    "gcp:container:Cluster": (
        (("privateClusterConfig", "enablePrivateNodes"), True),
        (("privateClusterConfig", "enablePrivateEndpoint"), True),
    ),
    "gcp:sql:DatabaseInstance": ((("settings", "ipConfiguration", "ipv4Enabled"), False),),
    "gcp:storage:Bucket": ((("publicAccessPrevention",), "enforced"),),
    "gcp:workbench:Instance": ((("gceSetup", "disablePublicIp"), True),),
}
"""By type: what keeps it off the public network, which the cloud's defaults do not."""
_PUBLIC_TYPES = {
    "gcp:apigateway:Gateway": "a public front",
}


def ways_in(resource: Resource) -> Iterator[Unwanted | Setting]:
    """What makes `resource` reachable from the public network."""
    if resource.type in _PUBLIC_TYPES:
        yield Unwanted(Property("type", resource.type), _PUBLIC_TYPES[resource.type])
    elif resource.type == _GLOBAL_FRONT:
        if resource.props.at("target").text not in _BUNDLES:
            yield Unwanted(Property("type", resource.type), "a worldwide public front")
    elif resource.type in _MACHINES:
        for interface in resource.props.at("networkInterfaces").items():
            yield Unwanted(interface.at("accessConfigs"), "a public address")
            yield Unwanted(interface.at("ipv6AccessConfigs"), "a public address")
    elif resource.type in {_PREFIX + "Address", _PREFIX + "GlobalAddress"}:
        yield Setting(resource.props.at("addressType"), OneOf(("INTERNAL",)), ("EXTERNAL",))
    elif resource.type in CLOSED:
        yield from (_closed(resource.props, *closed) for closed in CLOSED[resource.type])
    elif resource.type == _PREFIX + "ForwardingRule":
        schemes = (*_INTERNAL, "EXTERNAL", "EXTERNAL_MANAGED")
        yield Setting(resource.props.at("loadBalancingScheme"), OneOf(_INTERNAL), schemes)
    else:
        yield from firewalls.sources(resource)


def _closed(props: Property, path: tuple[str, ...], value: str | bool) -> Setting:
    return Setting(props.at(*path), OneOf((value,)))


def ways_out(resource: Resource) -> Iterator[Unwanted | Setting]:
    """What lets traffic leave `resource` around the firewall. A new network has a route to the Internet."""
    if resource.type in _OUTWARD_TYPES:
        yield Unwanted(Property("type", resource.type), _OUTWARD_TYPES[resource.type])
    elif resource.type == _NETWORK:
        yield Setting(resource.props.at("deleteDefaultRoutesOnCreate"), OneOf((True,)))
        yield Setting(resource.props.at("autoCreateSubnetworks"), OneOf((False,)))
    elif resource.type == _SUBNET:
        external = resource.props.at("ipv6AccessType")
        yield Setting(external, OneOf(("INTERNAL",)), ("EXTERNAL",), unless_stated=True)
    elif resource.type == _PREFIX + "Route":
        yield Unwanted(resource.props.at("nextHopGateway"), "a way out to the public network")
        yield Unwanted(resource.props.at("nextHopVpnTunnel"), "a tunnel out of the network")


def subnets(_: Resource) -> tuple[Subnet, ...]:
    """Subnets have no guard of their own here."""
    return ()


def needs_guard(resource: Resource) -> Property | None:
    """The name of a network, whose implied last rule lets everything out."""
    return resource.props.at("name") if resource.type == _NETWORK else None


def guarded_network(resource: Resource) -> Reference | None:
    """The network that `resource`, a firewall rule, belongs to."""
    return Reference(resource.props.at("network"), "network") if resource.type == firewalls.FIREWALL else None


def peerings(resource: Resource) -> Iterator[Unwanted]:
    """What joins the network of `resource` to another one."""
    if resource.type in {_PREFIX + "NetworkPeering", "gcp:servicenetworking:Connection"}:
        yield Unwanted(Property("type", resource.type), "a way into another network")
    elif resource.type == _PREFIX + "SharedVPCServiceProject":
        yield Unwanted(Property("type", resource.type), "a network that another project owns")


def private_door(resource: Resource) -> PrivateDoor | None:
    """`resource` as a regional endpoint, which leads to a service, never to one resource."""
    if resource.type != "gcp:networkconnectivity:RegionalEndpoint":
        return None
    return PrivateDoor(target=None, groups=(), host=resource.props.at("targetGoogleApi"))


def private_name(_: Resource) -> None:
    """Names are given to addresses, and not to endpoints."""
    return


def private_host(resource: Resource) -> Property | None:
    """The name that a record of a zone gives an address."""
    return resource.props.at("name") if resource.type == "gcp:dns:RecordSet" else None
