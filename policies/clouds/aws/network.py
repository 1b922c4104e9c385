"""AWS's networks: gateways, routes and endpoints."""

from collections.abc import Iterator

from policies.clouds.aws import groups
from policies.clouds.aws.access import public_statements
from policies.clouds.aws.perimeter import NAMED, parties
from policies.conditions import Matching, OneOf
from policies.subject import Property, Resource
from policies.terms import PrivateDoor, Setting, Unwanted

_PREFIX = "aws:ec2:"
_LOAD_BALANCERS = frozenset({"aws:lb:LoadBalancer", "aws:alb:LoadBalancer", "aws:elb:LoadBalancer"})
_ACCESS_BLOCK = "aws:s3:BucketPublicAccessBlock"
_BLOCKS = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
_BUCKET_POLICY = "aws:s3:BucketPolicy"
_DATABASES = frozenset(
    {
        "aws:dms:ReplicationInstance",
        "aws:neptune:ClusterInstance",
        "aws:rds:ClusterInstance",
        "aws:rds:Instance",
        "aws:redshift:Cluster",
        "aws:redshiftserverless:Workgroup",
    }
)
_PUBLIC_TYPES = {
    "aws:apigatewayv2:Api": "a public front",
    "aws:lambda:FunctionUrl": "a public front",
    "aws:lightsail:Instance": "a machine with a public address",
    _PREFIX + "Eip": "a public address",
    _PREFIX + "InternetGateway": "a way in from the public network",
    "aws:cloudfront:Distribution": "a worldwide public front",
    "aws:globalaccelerator:Accelerator": "a worldwide public front",
    "aws:lightsail:Lb": "a public load balancer",
    "aws:lightsail:StaticIp": "a public address",
    _PREFIX + "EipAssociation": "a public address",
}
_OUTWARD_TYPES = {
    _PREFIX + "InternetGateway": "a way out to the public network",
    _PREFIX + "NatGateway": "a way out to the public network",
    _PREFIX + "EgressOnlyInternetGateway": "a way out to the public network",
    _PREFIX + "VpnGateway": "a tunnel out of the network",
    _PREFIX + "VpnConnection": "a tunnel out of the network",
    _PREFIX + "CarrierGateway": "a way out to a carrier's network",
    "aws:ec2clientvpn:Endpoint": "a tunnel out of the network",
    **dict.fromkeys(
        (
            f"aws:directconnect:{kind}"
            for kind in ("GatewayAssociation", "PrivateVirtualInterface", "PublicVirtualInterface")
        ),
        "a line out of the network",
    ),
}
_PEERINGS = {
    _PREFIX + "VpcPeeringConnection": "a way into another network",
    _PREFIX + "VpcPeeringConnectionAccepter": "a way into another network",
    "aws:ec2transitgateway:PeeringAttachment": "a way into other networks",
    "aws:ec2transitgateway:VpcAttachment": "a way into other networks",
    "aws:ec2transitgateway:VpcAttachmentAccepter": "a way into other networks",
    "aws:networkmanager:VpcAttachment": "a way into other networks",
    "aws:odb:NetworkPeeringConnection": "a way into another network",
    "aws:vpclattice:ServiceNetworkVpcAssociation": "a way into other networks",
}
_ENDPOINT = _PREFIX + "VpcEndpoint"
_SERVICE_OF_SOMEBODY = ".vpce-svc-"
_TLS_POLICY = Matching(
    r"ELBSecurityPolicy-(TLS13-1-[23]-|TLS-1-2-|FS-1-2-)\S+",
    "a policy of TLS 1.2 or 1.3 (ELBSecurityPolicy-TLS13-…)",
)
_TLS_OF_DOMAINS = Matching(r"Policy-Min-TLS-1-[23]-\S+", "a policy of TLS 1.2 or newer (Policy-Min-TLS-1-2-…)")
_GATEWAYS = (
    "carrierGatewayId",
    "coreNetworkArn",
    "egressOnlyGatewayId",
    "localGatewayId",
    "natGatewayId",
    "transitGatewayId",
    "vpcPeeringConnectionId",
)
_ITSELF = "local"
"""The gateway of a route that leads nowhere but to the network itself."""


def ways_in(resource: Resource) -> Iterator[Setting | Unwanted]:
    """What makes `resource` reachable from the public network."""
    if resource.type in _PUBLIC_TYPES:
        yield Unwanted(Property("type", resource.type), _PUBLIC_TYPES[resource.type])
    elif resource.type in groups.MACHINES | {groups.CONFIGURATION}:
        yield Setting(resource.props.at("associatePublicIpAddress"), OneOf((False,)))
    elif resource.type == groups.TEMPLATE:
        yield from map(groups.private_interface, resource.props.at("networkInterfaces").items())
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
    else:
        yield from groups.sources(resource)


def ways_out(resource: Resource) -> Iterator[Setting | Unwanted]:
    """What lets traffic leave `resource` around the security groups."""
    if resource.type in _OUTWARD_TYPES:
        yield Unwanted(Property("type", resource.type), _OUTWARD_TYPES[resource.type])
    elif resource.type in {_PREFIX + "RouteTable", _PREFIX + "DefaultRouteTable"}:
        for route in resource.props.at("routes").items():
            yield from _ways_of(route)
    elif resource.type == _PREFIX + "Route":
        yield from _ways_of(resource.props)
    elif resource.type in {_ENDPOINT, _ENDPOINT + "Policy"}:
        yield from _private_ways(resource)


def _ways_of(route: Property) -> Iterator[Unwanted]:
    gateway = route.at("gatewayId")
    leads_out = (route.at(key) for key in _GATEWAYS)
    for one in (*leads_out, *(() if not gateway.unknown and gateway.value == _ITSELF else (gateway,))):
        yield Unwanted(one, "a way out of the network")


def _private_ways(resource: Resource) -> Iterator[Setting]:
    """Whose principals an endpoint lets through to AWS's services, and to whose resources. What leads to a service of
    another owner (PrivateLink) takes no policy: that owner decides on it."""
    service = resource.props.at("serviceName")
    if service.stated and _SERVICE_OF_SOMEBODY in (service.text or ""):
        return
    policy = resource.props.at("policy")
    if not policy.stated:
        yield Setting(policy, NAMED)
    else:
        yield from (Setting(party, NAMED, ("*",)) for party in parties(policy))


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
    elif resource.type == "aws:elb:LoadBalancer":
        for listener in props.at("listeners").items():
            yield Setting(listener.at("lbProtocol"), OneOf(("HTTPS", "SSL", "TCP")), ("HTTP",))
    elif resource.type == "aws:elasticache:ReplicationGroup":
        yield Setting(props.at("transitEncryptionEnabled"), OneOf((True,)))
    elif resource.type == "aws:opensearch:Domain":
        yield Setting(props.at("domainEndpointOptions", "enforceHttps"), OneOf((True,)))
        yield Setting(props.at("domainEndpointOptions", "tlsSecurityPolicy"), _TLS_OF_DOMAINS)
    elif resource.type == "aws:msk:Cluster":
        between = props.at("encryptionInfo", "encryptionInTransit", "clientBroker")
        yield Setting(between, OneOf(("TLS",)), ("TLS_PLAINTEXT", "PLAINTEXT"), unless_stated=True)
