"""AWS's networks: gateways, routes, and the rules of security groups, which deny what they do not list."""

from collections.abc import Iterator

from policies.clouds.aws.access import public_statements
from policies.conditions import Matching, OneOf, is_private
from policies.subject import Property, Resource
from policies.terms import Destination, EgressGuard, EgressRule, PrivateDoor, Reference, Setting, Subnet, Unwanted

_PREFIX = "aws:ec2:"
_GROUPS = frozenset({_PREFIX + "SecurityGroup", _PREFIX + "DefaultSecurityGroup"})
_RULES = frozenset({_PREFIX + "SecurityGroupRule", "aws:vpc:SecurityGroupEgressRule"})
_LOAD_BALANCERS = frozenset({"aws:lb:LoadBalancer", "aws:alb:LoadBalancer"})
_MACHINES = frozenset({_PREFIX + "Instance", _PREFIX + "SpotInstanceRequest"})
_TEMPLATE = _PREFIX + "LaunchTemplate"
_ACCESS_BLOCK = "aws:s3:BucketPublicAccessBlock"
_BLOCKS = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
_BUCKET_POLICY = "aws:s3:BucketPolicy"
_DATABASES = frozenset({"aws:rds:Instance", "aws:rds:ClusterInstance", "aws:redshift:Cluster"})
_PUBLIC_TYPES = {
    "aws:apigatewayv2:Api": "a public front",
    "aws:lambda:FunctionUrl": "a public front",
    "aws:lightsail:Instance": "a machine with a public address",
    _PREFIX + "Eip": "a public address",
    _PREFIX + "InternetGateway": "a way in from the public network",
    "aws:cloudfront:Distribution": "a worldwide public front",
    "aws:globalaccelerator:Accelerator": "a worldwide public front",
}
_OUTWARD_TYPES = {
    _PREFIX + "InternetGateway": "a way out to the public network",
    _PREFIX + "NatGateway": "a way out to the public network",
    _PREFIX + "EgressOnlyInternetGateway": "a way out to the public network",
    _PREFIX + "VpnGateway": "a tunnel out of the network",
}
_PEERINGS = {
    _PREFIX + "VpcPeeringConnection": "a way into another network",
    "aws:ec2transitgateway:VpcAttachment": "a way into other networks",
}
_ENDPOINT = _PREFIX + "VpcEndpoint"
_TLS_POLICY = Matching(
    r"ELBSecurityPolicy-(TLS13-1-[23]-|TLS-1-2-|FS-1-2-)\S+",
    "a policy of TLS 1.2 or 1.3 (ELBSecurityPolicy-TLS13-…)",
)
_GATEWAYS = ("gatewayId", "natGatewayId", "egressOnlyGatewayId")


def ways_in(resource: Resource) -> Iterator[Setting | Unwanted]:
    """What makes `resource` reachable from the public network."""
    if resource.type in _PUBLIC_TYPES:
        yield Unwanted(Property("type", resource.type), _PUBLIC_TYPES[resource.type])
    elif resource.type in _MACHINES:
        yield Setting(resource.props.at("associatePublicIpAddress"), OneOf((False,)))
    elif resource.type == _TEMPLATE:
        for interface in resource.props.at("networkInterfaces").items():
            yield Setting(interface.at("associatePublicIpAddress"), OneOf(("false", False)))
    elif resource.type == "aws:eks:Cluster":
        yield Setting(resource.props.at("vpcConfig", "endpointPublicAccess"), OneOf((False,)), switch=True)
    elif resource.type == _ACCESS_BLOCK:
        yield from (Setting(resource.props.at(key), OneOf((True,)), switch=True) for key in _BLOCKS)
    elif resource.type == _BUCKET_POLICY:
        yield from (
            Unwanted(one, "data that everybody reads") for one in public_statements(resource.props.at("policy"))
        )
    elif resource.type in _DATABASES:
        yield Setting(resource.props.at("publiclyAccessible"), OneOf((False,)), unless_stated=True, switch=True)
    elif resource.type == _PREFIX + "Subnet":
        yield Setting(resource.props.at("mapPublicIpOnLaunch"), OneOf((False,)), unless_stated=True, switch=True)
    elif resource.type in _LOAD_BALANCERS:
        yield Setting(resource.props.at("internal"), OneOf((True,)))


def ways_out(resource: Resource) -> Iterator[Setting | Unwanted]:
    """What lets traffic leave `resource` around the security groups."""
    if resource.type in _OUTWARD_TYPES:
        yield Unwanted(Property("type", resource.type), _OUTWARD_TYPES[resource.type])
    elif resource.type in {_PREFIX + "RouteTable", _PREFIX + "DefaultRouteTable"}:
        for route in resource.props.at("routes").items():
            yield from (Unwanted(route.at(key), "a way out of the network") for key in _GATEWAYS)
    elif resource.type == _PREFIX + "Route":
        yield from (Unwanted(resource.props.at(key), "a way out of the network") for key in _GATEWAYS)


def subnets(resource: Resource) -> Iterator[Subnet]:
    """A machine's own attachment: AWS guards that, and not the subnet. One without a guard of the stack's own gets the
    network's default one, which lets everything out."""
    if resource.type in _MACHINES:
        yield Subnet(
            default_outbound=Setting(resource.props.at("associatePublicIpAddress"), OneOf((False,))),
            guard=Reference(resource.props.at("vpcSecurityGroupIds"), "vpcSecurityGroupIds"),
        )


def egress_guard(resource: Resource) -> EgressGuard | None:
    """The outbound rules of `resource`; the provider removes AWS's own, which lets everything out."""
    if resource.type in _GROUPS:
        rules = resource.props.at("egress").items()
    elif resource.type in _RULES:
        direction = resource.props.at("type")
        rules = () if direction.stated and direction.text == "ingress" else (resource.props,)
    else:
        return None
    return EgressGuard(tuple(_rule(rule) for rule in rules), complete=False)


def _rule(rule: Property) -> EgressRule:
    ranges = (
        *rule.at("cidrBlocks").items(),
        *rule.at("ipv6CidrBlocks").items(),
        *(one for one in (rule.at("cidrIpv4"), rule.at("cidrIpv6")) if one.stated),
    )
    named = (
        *rule.at("securityGroups").items(),
        *(one for one in (rule.at("sourceSecurityGroupId"), rule.at("referencedSecurityGroupId")) if one.stated),
    )
    lists = (*rule.at("prefixListIds").items(), *(one for one in (rule.at("prefixListId"),) if one.stated))
    destinations = (
        *(Destination(one, private=is_private(one.text or "")) for one in ranges),
        *(Destination(one, private=True) for one in named),
        *(Destination(one, private=False) for one in lists),
    )
    inside = Destination(rule.at("self"), private=True)
    return EgressRule(
        property=rule,
        allows=True,
        denies_all=False,
        destinations=(*destinations, inside) if inside.property.stated else destinations,
    )


def peerings(resource: Resource) -> Iterator[Unwanted]:
    """What joins the network of `resource` to another one."""
    if resource.type in _PEERINGS:
        yield Unwanted(Property("type", resource.type), _PEERINGS[resource.type])


def private_door(resource: Resource) -> PrivateDoor | None:
    """`resource` as an endpoint of the network, which leads to a service, never to one resource."""
    if resource.type != _ENDPOINT:
        return None
    return PrivateDoor(target=None, groups=(), host=resource.props.at("serviceName"))


def private_host(resource: Resource) -> Property | None:
    """The service whose public name an endpoint answers with private addresses; a gateway is a route and needs none."""
    if resource.type != _ENDPOINT:
        return None
    gateway = (resource.props.at("vpcEndpointType").text or "Gateway") == "Gateway"
    return resource.props.at("serviceName") if gateway or resource.props.at("privateDnsEnabled").flag else None


def transport(resource: Resource) -> Iterator[Setting]:
    """What keeps connections encrypted. A listener that passes TCP on leaves it to the machines behind it."""
    props = resource.props
    if resource.type in {"aws:lb:Listener", "aws:alb:Listener"}:
        protocol = props.at("protocol")
        yield Setting(protocol, OneOf(("TLS", "HTTPS", "TCP")), ("HTTP", "UDP", "TCP_UDP"))
        if protocol.text in ("TLS", "HTTPS"):
            yield Setting(props.at("sslPolicy"), _TLS_POLICY)
    elif resource.type in {"aws:apigateway:DomainName", "aws:apigatewayv2:DomainName"}:
        place = props if resource.type == "aws:apigateway:DomainName" else props.at("domainNameConfiguration")
        yield Setting(place.at("securityPolicy"), OneOf(("TLS_1_2",)), ("TLS_1_0",))
    elif resource.type == "aws:elasticache:ReplicationGroup":
        yield Setting(props.at("transitEncryptionEnabled"), OneOf((True,)))
