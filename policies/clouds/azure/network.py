"""Azure's networks: public addresses, ways out, and the rules of network security groups."""

from collections.abc import Iterator

import catalog
from policies.conditions import EVERYWHERE, OneOf, PrivateRange
from policies.subject import Property, Resource
from policies.terms import Destination, EgressGuard, EgressRule, Reference, Setting, Subnet, Unwanted, region_id

_PREFIX = "azure-native:network:"
_NIC = _PREFIX + "NetworkInterface"
_LOAD_BALANCER = _PREFIX + "LoadBalancer"
_SECURITY_GROUP = _PREFIX + "NetworkSecurityGroup"
_SECURITY_RULE = _PREFIX + "SecurityRule"
_ROUTE_TABLE = _PREFIX + "RouteTable"
_ROUTE = _PREFIX + "Route"
_NETWORK = _PREFIX + "VirtualNetwork"
_SUBNET = _PREFIX + "Subnet"

_PUBLIC_TYPES = {
    _PREFIX + "PublicIPAddress": "a public address",
    _PREFIX + "PublicIPPrefix": "a range of public addresses",
    _PREFIX + "ApplicationGateway": "a gateway with a public front",
    _PREFIX + "BastionHost": "a login from the public network",
    _PREFIX + "P2sVpnGateway": "a tunnel into the network",
    "azure-native:cdn:Profile": "a worldwide public front",
    "azure-native:frontdoor:FrontDoor": "a worldwide public front",
    "azure-native:trafficmanager:Profile": "a worldwide public name",
}
CLOSED = {
    "azure-native:appconfiguration:ConfigurationStore": ("publicNetworkAccess",),
    "azure-native:cognitiveservices:Account": ("properties", "publicNetworkAccess"),
    "azure-native:compute:Disk": ("publicNetworkAccess",),
    "azure-native:compute:Snapshot": ("publicNetworkAccess",),
    "azure-native:containerregistry:Registry": ("publicNetworkAccess",),
    "azure-native:cosmosdb:DatabaseAccount": ("publicNetworkAccess",),
    "azure-native:dbformysql:Server": ("network", "publicNetworkAccess"),
    "azure-native:dbforpostgresql:Server": ("network", "publicNetworkAccess"),
    "azure-native:eventhub:Namespace": ("publicNetworkAccess",),
    "azure-native:machinelearningservices:OnlineEndpoint": ("properties", "publicNetworkAccess"),
    "azure-native:machinelearningservices:Workspace": ("publicNetworkAccess",),
    "azure-native:redis:Redis": ("publicNetworkAccess",),
    "azure-native:search:Service": ("publicNetworkAccess",),
    "azure-native:servicebus:Namespace": ("publicNetworkAccess",),
    "azure-native:sql:Server": ("publicNetworkAccess",),
    "azure-native:storage:StorageAccount": ("publicNetworkAccess",),
    "azure-native:web:WebApp": ("publicNetworkAccess",),
}
"""By type: where it is said that the service answers its private endpoints alone."""
_OUTWARD_TYPES = {
    _PREFIX + "NatGateway": "a way out to the public network",
    _PREFIX + "VirtualNetworkGateway": "a tunnel out of the network",
    _PREFIX + "VirtualNetworkGatewayConnection": "a tunnel out of the network",
    _PREFIX + "VpnGateway": "a tunnel out of the network",
    _PREFIX + "ExpressRouteCircuit": "a line out of the network",
    _PREFIX + "ExpressRouteGateway": "a line out of the network",
}
_NEXT_HOPS = ("VirtualNetworkGateway", "VnetLocal", "Internet", "VirtualAppliance", "None")
_PRIVATE_TAGS = ("VirtualNetwork", "AzureLoadBalancer")


def ways_in(resource: Resource) -> Iterator[Setting | Unwanted]:
    """What makes `resource` reachable from the public network."""
    if resource.type in _PUBLIC_TYPES:
        yield Unwanted(Property("type", resource.type), _PUBLIC_TYPES[resource.type])
    elif resource.type == _NIC:
        yield from _addresses(resource.props.at("ipConfigurations"), "publicIPAddress")
    elif resource.type == _LOAD_BALANCER:
        yield from _addresses(resource.props.at("frontendIPConfigurations"), "publicIPAddress", "publicIPPrefix")
    elif resource.type in {"azure-native:compute:VirtualMachine", "azure-native:compute:VirtualMachineScaleSet"}:
        scale_set = resource.type.endswith("ScaleSet")
        body = resource.props.at("virtualMachineProfile") if scale_set else resource.props
        for interface in body.at("networkProfile", "networkInterfaceConfigurations").items():
            yield from _addresses(interface.at("ipConfigurations"), "publicIPAddressConfiguration")
    elif resource.type == "azure-native:containerservice:ManagedCluster":
        yield Setting(resource.props.at("apiServerAccessProfile", "enablePrivateCluster"), OneOf((True,)))
        for pool in resource.props.at("agentPoolProfiles").items():
            yield Setting(pool.at("enableNodePublicIP"), OneOf((False,)), unless_stated=True)
    elif resource.type == "azure-native:containerservice:AgentPool":
        yield Setting(resource.props.at("enableNodePublicIP"), OneOf((False,)), unless_stated=True)
    elif resource.type in CLOSED:
        state = resource.props.at(*CLOSED[resource.type])
        yield Setting(state, OneOf(("Disabled",)), ("Enabled", "SecuredByPerimeter"), switch=True)
    elif resource.type == "azure-native:containerinstance:ContainerGroup":
        yield Setting(resource.props.at("ipAddress", "type"), OneOf(("Private",)), ("Public",), unless_stated=True)
    elif resource.type == "azure-native:app:ContainerApp":
        reached = resource.props.at("configuration", "ingress", "external")
        yield Setting(reached, OneOf((False,)), unless_stated=True, switch=True)
    elif resource.type == _SECURITY_GROUP:
        for rule in resource.props.at("securityRules").items():
            yield from _sources(rule)
    elif resource.type == _SECURITY_RULE:
        yield from _sources(resource.props)


def _sources(rule: Property) -> Iterator[Setting]:
    """Whence an inbound rule lets traffic in, other than from groups of machines."""
    if (rule.at("direction").text or "").casefold() == "outbound" or not _allows(rule):
        return
    ranges = _prefixes(rule, "source")
    if not ranges and not rule.at("sourceApplicationSecurityGroups").stated:
        ranges = (rule.at("sourceAddressPrefix"),)
    yield from (Setting(one, PrivateRange(_PRIVATE_TAGS), (*EVERYWHERE, "*", "Internet")) for one in ranges)


def _allows(rule: Property) -> bool:
    return (rule.at("access").text or "").casefold() != "deny"


def _prefixes(rule: Property, end: str) -> tuple[Property, ...]:
    """The address prefixes of one end of `rule`: `source` or `destination`."""
    single = rule.at(f"{end}AddressPrefix")
    return (*((single,) if single.stated else ()), *rule.at(f"{end}AddressPrefixes").items())


def _addresses(configurations: Property, *keys: str) -> Iterator[Unwanted]:
    for configuration in configurations.items():
        for key in keys:
            yield Unwanted(configuration.at(key), "a public address")


def ways_out(resource: Resource) -> Iterator[Unwanted | Setting]:
    """What lets traffic leave `resource` around the rules of its guard."""
    if resource.type in _OUTWARD_TYPES:
        yield Unwanted(Property("type", resource.type), _OUTWARD_TYPES[resource.type])
    elif resource.type == _ROUTE_TABLE:
        for route in resource.props.at("routes").items():
            yield _next_hop(route)
    elif resource.type == _ROUTE:
        yield _next_hop(resource.props)
    else:
        for subnet in _subnets(resource):
            yield Unwanted(subnet.at("natGateway"), "a way out to the public network")


def _next_hop(route: Property) -> Setting:
    return Setting(route.at("nextHopType"), OneOf(("VnetLocal", "VirtualAppliance", "None")), _NEXT_HOPS)


def subnets(resource: Resource) -> Iterator[Subnet]:
    """The subnets that `resource` is or holds."""
    through = "networkSecurityGroup" if resource.type == _SUBNET else "subnets"
    for body in _subnets(resource):
        yield Subnet(
            default_outbound=Setting(body.at("defaultOutboundAccess"), OneOf((False,))),
            guard=Reference(body.at("networkSecurityGroup"), through),
        )


def _subnets(resource: Resource) -> tuple[Property, ...]:
    if resource.type == _SUBNET:
        return (resource.props,)
    return resource.props.at("subnets").items() if resource.type == _NETWORK else ()


def egress_guard(resource: Resource) -> EgressGuard | None:
    """The outbound rules of `resource`; Azure's own last rule lets everything out, so they must end in a refusal."""
    if resource.type == _SECURITY_GROUP:
        rules = resource.props.at("securityRules").items()
        return EgressGuard(tuple(_egress_rule(rule) for rule in rules if _outbound(rule)))
    if resource.type == _SECURITY_RULE:
        rules = (resource.props,) if _outbound(resource.props) else ()
        return EgressGuard(tuple(_egress_rule(rule) for rule in rules), complete=False)
    return None


def _outbound(rule: Property) -> bool:
    return (rule.at("direction").text or "").casefold() != "inbound"


def _egress_rule(rule: Property) -> EgressRule:
    allows = _allows(rule)
    everything = (
        rule.at("protocol"),
        rule.at("sourceAddressPrefix"),
        rule.at("sourcePortRange"),
        rule.at("destinationAddressPrefix"),
        rule.at("destinationPortRange"),
    )
    return EgressRule(
        property=rule,
        allows=allows,
        denies_all=not allows and all(one.text == "*" for one in everything),
        destinations=tuple(_destinations(rule)) if allows else (),
    )


def _destinations(rule: Property) -> Iterator[Destination]:
    if rule.at("destinationApplicationSecurityGroups").stated:
        yield Destination(rule.at("destinationApplicationSecurityGroups"), private=True)
    for prefix in _prefixes(rule, "destination"):
        yield _destination(prefix)


def _destination(prefix: Property) -> Destination:
    """`prefix` as a place: a range may be private, a tag like `Storage.GermanyWestCentral` names a region."""
    text = (prefix.text or "").strip()
    if PrivateRange(_PRIVATE_TAGS).holds(text):
        return Destination(prefix, private=True)
    _, _, place = text.partition(".")
    known = {region.id for region in catalog.load().regions()}
    return Destination(prefix, private=False, location=region_id(place) if region_id(place) in known else None)


def peerings(resource: Resource) -> Iterator[Unwanted]:
    """What joins the network of `resource` to another one."""
    if resource.type in {_PREFIX + "VirtualNetworkPeering", _PREFIX + "HubVirtualNetworkConnection"}:
        yield Unwanted(Property("type", resource.type), "a way into another network")
    elif resource.type == _NETWORK:
        yield Unwanted(resource.props.at("virtualNetworkPeerings"), "a way into another network")


def private_name(resource: Resource) -> Reference | None:
    """The private endpoint that `resource` gives a name in private DNS."""
    if resource.type != _PREFIX + "PrivateDnsZoneGroup":
        return None
    return Reference(resource.props.at("privateEndpointName"), "privateEndpointName")


def needs_guard(_: Resource) -> None:
    """Subnets name their guards, so that no network needs one of its own."""
    return


def guarded_network(_: Resource) -> None:
    return
