"""Google Cloud's networks: addresses, routes, and firewall rules, which belong to a network and not to a subnet."""

from collections.abc import Iterator

import catalog
from policies.conditions import EVERYWHERE, OneOf, PrivateRange, is_private
from policies.subject import Property, Resource
from policies.terms import Destination, EgressGuard, EgressRule, PrivateDoor, Reference, Setting, Subnet, Unwanted

_PREFIX = "gcp:compute:"
_MACHINES = frozenset({f"{_PREFIX}{name}" for name in ("Instance", "InstanceTemplate", "RegionInstanceTemplate")})
_NETWORK = _PREFIX + "Network"
_SUBNET = _PREFIX + "Subnetwork"
_FIREWALL = _PREFIX + "Firewall"
_INTERNAL = ("INTERNAL", "INTERNAL_MANAGED", "INTERNAL_SELF_MANAGED")
_OUTWARD_TYPES = {
    _PREFIX + "RouterNat": "a way out to the public network",
    _PREFIX + "VPNGateway": "a tunnel out of the network",
    _PREFIX + "HaVpnGateway": "a tunnel out of the network",
    _PREFIX + "InterconnectAttachment": "a line out of the network",
}
_GLOBAL_FRONT = _PREFIX + "GlobalForwardingRule"
_BUNDLES = ("all-apis", "vpc-sc")
"""Targets of a global forwarding rule that is a private door to Google's own APIs (Private Service Connect)."""
_PUBLIC_TYPES = {
    "gcp:apigateway:Gateway": "a public front",
}
_PROBES = "load-balancer-health-checks"
"""Whence Google Cloud asks backends whether they serve, as the catalogue names it."""


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
    elif resource.type == _PREFIX + "Address":
        yield Setting(resource.props.at("addressType"), OneOf(("INTERNAL",)), ("EXTERNAL",))
    elif resource.type == _PREFIX + "ForwardingRule":
        schemes = (*_INTERNAL, "EXTERNAL", "EXTERNAL_MANAGED")
        yield Setting(resource.props.at("loadBalancingScheme"), OneOf(_INTERNAL), schemes)
    elif resource.type == _FIREWALL and not _about_egress(resource):
        yield from _sources(resource.props)


def _about_egress(firewall: Resource) -> bool:
    """What says nothing of the direction is about ingress."""
    return (firewall.props.at("direction").text or "INGRESS").upper() == "EGRESS"


def _sources(rule: Property) -> Iterator[Setting]:
    """Whence a firewall rule lets traffic in, other than from machines of the network: from everywhere, if it does not
    say. Google Cloud's own probes come from public ranges that nobody else has."""
    if rule.at("disabled").flag is True or not rule.at("allows").items():
        return
    ranges = rule.at("sourceRanges").items()
    if not ranges and not any(rule.at(key).stated for key in ("sourceTags", "sourceServiceAccounts")):
        ranges = (rule.at("sourceRanges"),)
    yield from (Setting(one, PrivateRange(_probes()), EVERYWHERE) for one in ranges)


def _probes() -> tuple[str, ...]:
    """The ranges from which load balancers ask backends whether they serve."""
    facts = catalog.load()
    clouds = [cloud.id for cloud in facts.clouds.values() if cloud.provider == "gcp"]
    known = [found for cloud in clouds if (found := facts.private_endpoints(cloud).get(_PROBES))]
    return tuple(dict.fromkeys(range_ for one in known for range_ in one.addresses))


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
    return Reference(resource.props.at("network"), "network") if resource.type == _FIREWALL else None


def egress_guard(resource: Resource) -> EgressGuard | None:
    """`resource` as one rule about egress."""
    if resource.type != _FIREWALL or not _about_egress(resource):
        return None
    props = resource.props
    disabled = props.at("disabled").flag is True
    denies = props.at("denies").items()
    ranges = props.at("destinationRanges").items()
    everything = any((rule.at("protocol").text or "").lower() == "all" for rule in denies)
    everywhere = not ranges or any(one.text in EVERYWHERE for one in ranges)
    narrowed = props.at("targetTags").stated or props.at("targetServiceAccounts").stated
    allows = bool(props.at("allows").items()) and not disabled
    rule = EgressRule(
        property=props.at("allows"),
        allows=allows,
        denies_all=everything and everywhere and not narrowed and not disabled,
        destinations=tuple(Destination(one, private=is_private(one.text or "")) for one in ranges if allows),
    )
    return EgressGuard((rule,), complete=False)


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
