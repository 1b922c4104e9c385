"""Microsoft.Network: virtual networks, their subnets, and what filters and routes in them."""

import ipaddress
import uuid

from sandbox.clouds.azure import addresses, arm, network_rules
from sandbox.clouds.azure.places import zones
from sandbox.clouds.azure.references import location_of
from sandbox.clouds.resource import CloudError, Reference, Request, ResourceType, View, constant
from sandbox.values import UNKNOWN, Value

VIRTUAL_NETWORK = "Microsoft.Network/virtualNetworks"
SUBNET = network_rules.SUBNET
SECURITY_GROUP = "Microsoft.Network/networkSecurityGroups"
ROUTE_TABLE = "Microsoft.Network/routeTables"
NAT_GATEWAY = "Microsoft.Network/natGateways"
NIC = "Microsoft.Network/networkInterfaces"
PUBLIC_ADDRESS = "Microsoft.Network/publicIPAddresses"
LOAD_BALANCER = "Microsoft.Network/loadBalancers"
PRIVATE_ENDPOINT = "Microsoft.Network/privateEndpoints"
PRIVATE_ZONE = "Microsoft.Network/privateDnsZones"

NAME = arm.name_matches(
    r"[A-Za-z0-9]([\w.-]{0,78}\w)?",
    "InvalidResourceName",
    "Resource name {name} is invalid. The name can be up to 80 characters long. It must begin with a word character,"
    " and it must end with a word character or with '_'. The name may contain word characters or '.', '-', '_'.",
)


def zones_exist(request: Request) -> None:
    """Each availability zone that is asked for exists in the region."""
    region = arm.normal_location(location_of(request))
    wanted = request.inputs["zones"] or []
    if not wanted or not region:
        return
    known = zones(region)
    for zone in wanted:
        if zone is not UNKNOWN and zone not in known:
            raise CloudError(
                "InvalidAvailabilityZone",
                f"The zone(s) '{zone}' for resource '{request.type.kind}/{request.name}' is not supported. The"
                f" supported zones for location '{region}' are '{','.join(known)}'.",
            )


def _public_address(request: Request) -> Value:
    """An address of TEST-NET-3 (RFC 5737): an emulated cloud has no real ones."""
    return request.keep("ipAddress", lambda: str(ipaddress.ip_address("203.0.113.0") + 1 + uuid.uuid4().int % 254))


def _static_public_address(request: Request) -> None:
    sku = request.inputs.text("sku.name") or "Standard"
    if sku == "Standard" and request.inputs["publicIPAllocationMethod"] == "Dynamic":
        raise CloudError(
            "StandardSkuPublicIPAddressesMustBeStatic",
            f"Standard sku publicIp {request.id} must have AllocationMethod set to Static.",
        )


def _peering(request: Request) -> None:
    """Two peered networks do not overlap."""
    here = request.find(request.parent)
    there = request.find(request.inputs.text("remoteVirtualNetwork.id"))
    if here.id.lower() == there.id.lower():
        raise CloudError("InvalidRemoteVirtualNetwork", f"Virtual network {here.id} cannot be peered with itself.")
    for one in View(here.inputs)["addressSpace.addressPrefixes"]:
        for other in View(there.inputs)["addressSpace.addressPrefixes"]:
            if addresses.network(one).overlaps(addresses.network(other)):
                raise CloudError(
                    "VnetAddressSpacesOverlap",
                    f"Cannot create or update peering {request.id}. Virtual networks {here.id} and {there.id} cannot be"
                    f" peered because their address spaces overlap. Overlapping address prefixes: {one}, {other}.",
                )


_SUBNET_REFERENCES = (
    ("networkSecurityGroup.id", SECURITY_GROUP),
    ("routeTable.id", ROUTE_TABLE),
    ("natGateway.id", NAT_GATEWAY),
)

TYPES = (
    ResourceType(
        pulumi_type="azure-native:network:VirtualNetwork",
        kind=VIRTUAL_NETWORK,
        identify=arm.in_group(VIRTUAL_NETWORK, "virtualNetworkName"),
        name_property="virtualNetworkName",
        replace_on=("resourceGroupName", "virtualNetworkName", "location"),
        references=tuple(
            Reference(f"subnets[].{path}", (kind,), same_location=True) for path, kind in _SUBNET_REFERENCES
        ),
        checks=(
            NAME,
            network_rules.address_space,
            network_rules.inline_subnets,
            network_rules.kept_address_space,
        ),
        embedded={"subnets": "subnets"},
        in_use=network_rules.network_in_use,
    ),
    ResourceType(
        pulumi_type="azure-native:network:Subnet",
        kind=SUBNET,
        identify=arm.in_group(SUBNET, "virtualNetworkName", "subnetName"),
        name_property="subnetName",
        naming="copy",
        located="none",
        replace_on=("resourceGroupName", "virtualNetworkName", "subnetName"),
        references=tuple(Reference(path, (kind,), same_location=True) for path, kind in _SUBNET_REFERENCES),
        checks=(NAME, network_rules.subnet_place, network_rules.shrink),
        in_use=network_rules.subnet_in_use,
    ),
    ResourceType(
        pulumi_type="azure-native:network:NetworkSecurityGroup",
        kind=SECURITY_GROUP,
        identify=arm.in_group(SECURITY_GROUP, "networkSecurityGroupName"),
        name_property="networkSecurityGroupName",
        replace_on=("resourceGroupName", "networkSecurityGroupName", "location"),
        checks=(NAME, network_rules.security_rules),
        embedded={"securityRules": "securityRules"},
        in_use=network_rules.security_group_in_use,
    ),
    ResourceType(
        pulumi_type="azure-native:network:SecurityRule",
        kind=f"{SECURITY_GROUP}/securityRules",
        identify=arm.in_group(f"{SECURITY_GROUP}/securityRules", "networkSecurityGroupName", "securityRuleName"),
        name_property="securityRuleName",
        naming="copy",
        located="none",
        replace_on=("resourceGroupName", "networkSecurityGroupName", "securityRuleName"),
        checks=(lambda request: network_rules.security_rule(request.inputs),),
    ),
    ResourceType(
        pulumi_type="azure-native:network:RouteTable",
        kind=ROUTE_TABLE,
        identify=arm.in_group(ROUTE_TABLE, "routeTableName"),
        name_property="routeTableName",
        replace_on=("resourceGroupName", "routeTableName", "location"),
        checks=(NAME,),
        embedded={"routes": "routes"},
        in_use=network_rules.route_table_in_use,
    ),
    ResourceType(
        pulumi_type="azure-native:network:PublicIPAddress",
        kind=PUBLIC_ADDRESS,
        identify=arm.in_group(PUBLIC_ADDRESS, "publicIpAddressName"),
        name_property="publicIpAddressName",
        replace_on=("resourceGroupName", "publicIpAddressName", "location", "sku", "publicIPAddressVersion", "zones"),
        checks=(NAME, zones_exist, _static_public_address),
        outputs={"ipAddress": _public_address},
        in_use=network_rules.public_address_in_use,
    ),
    ResourceType(
        pulumi_type="azure-native:network:VirtualNetworkPeering",
        kind=f"{VIRTUAL_NETWORK}/virtualNetworkPeerings",
        identify=arm.in_group(
            f"{VIRTUAL_NETWORK}/virtualNetworkPeerings", "virtualNetworkName", "virtualNetworkPeeringName"
        ),
        name_property="virtualNetworkPeeringName",
        naming="copy",
        located="none",
        replace_on=("resourceGroupName", "virtualNetworkName", "virtualNetworkPeeringName", "remoteVirtualNetwork"),
        references=(Reference("remoteVirtualNetwork.id", (VIRTUAL_NETWORK,)),),
        checks=(_peering,),
        outputs={"peeringState": constant("Initiated"), "peeringSyncLevel": constant("FullyInSync")},
    ),
)
