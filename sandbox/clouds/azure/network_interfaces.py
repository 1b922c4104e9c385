"""Microsoft.Network: what has an address in a subnet: interfaces, load balancers, private endpoints."""

import uuid
from collections.abc import Mapping

import catalog
from sandbox.clouds.azure import addresses, arm, network_rules
from sandbox.clouds.azure.network import (
    LOAD_BALANCER,
    NAME,
    NIC,
    PRIVATE_ENDPOINT,
    PRIVATE_ZONE,
    PUBLIC_ADDRESS,
    SECURITY_GROUP,
    SUBNET,
)
from sandbox.clouds.azure.places import CLOUD, host_suffix
from sandbox.clouds.resource import CloudError, Compute, Reference, Request, ResourceType, Undetermined, View, constant
from sandbox.values import UNKNOWN, Value

BACKEND_POOL = f"{LOAD_BALANCER}/backendAddressPools"
FRONTEND = f"{LOAD_BALANCER}/frontendIPConfigurations"
_BALANCER_PARTS = (
    "frontendIPConfigurations",
    "backendAddressPools",
    "probes",
    "loadBalancingRules",
    "inboundNatRules",
    "inboundNatPools",
    "outboundRules",
)
# The catalogue's service → the type that a private endpoint for it leads to, and the type's label in host names.
_LINKED = {
    "blob": ("microsoft.storage/storageaccounts", "storage"),
    "dfs": ("microsoft.storage/storageaccounts", "storage"),
    "file": ("microsoft.storage/storageaccounts", "storage"),
    "queue": ("microsoft.storage/storageaccounts", "storage"),
    "table": ("microsoft.storage/storageaccounts", "storage"),
    "key-vault": ("microsoft.keyvault/vaults", "vault"),
    "managed-hsm": ("microsoft.keyvault/managedhsms", "managed-hsm"),
    "attestation": ("microsoft.attestation/attestationproviders", "attestation"),
}


def _ip_configurations(listed: str) -> Compute:
    """The IP configurations of an object with the addresses that they have."""

    def compute(request: Request) -> Value:
        before = {} if request.before is None else {
            item["name"]: item.get("privateIPAddress") for item in request.before.outputs.get(listed) or ()
        }  # fmt: skip
        request.claims.release(request.id)
        return [_with_address(request, listed, index, item, before) for index, item in _members(request, listed)]

    return compute


def _members(request: Request, listed: str) -> list[tuple[int, View]]:
    return list(enumerate(request.inputs.items(listed)))


def _with_address(
    request: Request, listed: str, index: int, item: View, before: Mapping[str, Value]
) -> dict[str, Value]:
    name = item.text("name")
    segment = request.type.embedded[listed]
    shown = {**item.properties, "id": f"{request.id}/{segment}/{name}", "provisioningState": "Succeeded"}
    if listed == "ipConfigurations":
        shown.setdefault("primary", index == 0)
    try:
        subnet_id = item["subnet.id"]
        if subnet_id is not None:
            shown.setdefault("privateIPAllocationMethod", "Static" if item["privateIPAddress"] else "Dynamic")
            shown["privateIPAddress"] = addresses.allocate(
                request, subnet_id, item["privateIPAddress"], before.get(name), shown["id"]
            )
    except Undetermined:
        shown["privateIPAddress"] = UNKNOWN
    return shown


def _mac_address(request: Request) -> Value:
    """An address of the block that Azure's interfaces show (00-0D-3A)."""
    return request.keep("macAddress", lambda: "00-0D-3A-" + "-".join(f"{byte:02X}" for byte in uuid.uuid4().bytes[:3]))


def _group_ids(request: Request) -> None:
    """The sub-resource that a private endpoint asks for is one that the target's type has."""
    endpoints = catalog.load().private_endpoints(CLOUD)
    for connection in request.inputs.items("privateLinkServiceConnections"):
        kind = _kind(connection)
        allowed = {endpoints[service].group_id for service, (linked, _) in _LINKED.items() if linked == kind}
        for group in connection["groupIds"] or ():
            if allowed and group is not UNKNOWN and group not in allowed:
                raise CloudError(
                    "InvalidPrivateLinkServiceConnectionGroupId",
                    f"Private link service connection {connection.text('name')} of {request.id} has group id"
                    f" '{group}', which the resource does not have. Valid group ids: {', '.join(sorted(allowed))}.",
                )


def _kind(connection: View) -> str:
    target = arm.parse(connection.text("privateLinkServiceId"))
    return target.kind.lower() if target else ""


def _endpoint_dns(request: Request) -> Value:
    """The host names that are to lead to the endpoint, each with the endpoint's address."""
    before: Value = None
    if request.before is not None:
        for entry in request.before.outputs.get("customDnsConfigs") or ():
            before = entry["ipAddresses"][0]
    label = f"{request.id}/ipConfigurations/privateEndpointIpConfig"
    address = addresses.allocate(request, request.inputs.text("subnet.id"), None, before, label)
    return [
        {"fqdn": host, "ipAddresses": [address]}
        for connection in request.inputs.items("privateLinkServiceConnections")
        for host in _hosts(connection)
    ]


def _hosts(connection: View) -> list[str]:
    target = arm.parse(connection.text("privateLinkServiceId"))
    kind = _kind(connection)
    labels = {service: label for service, (linked, label) in _LINKED.items() if linked == kind}
    if target is None or not labels:
        return []
    suffix = host_suffix(next(iter(labels.values())))
    if "blob" in labels:
        return [f"{target.name}.{group}.{suffix}" for group in connection["groupIds"] or ()]
    return [f"{target.name}.{suffix}"]


def _connections(listed: str, status: str, description: str) -> Compute:
    """The connections of a private endpoint, in the state that they begin in."""
    state = {"status": status, "description": description, "actionsRequired": "None"}

    def compute(request: Request) -> Value:
        return [
            {
                **connection.properties,
                "id": f"{request.id}/{listed}/{connection.text('name')}",
                "provisioningState": "Succeeded",
                "privateLinkServiceConnectionState": state,
            }
            for connection in request.inputs.items(listed)
        ]

    return compute


TYPES = (
    ResourceType(
        pulumi_type="azure-native:network:NetworkInterface",
        kind=NIC,
        identify=arm.in_group(NIC, "networkInterfaceName"),
        name_property="networkInterfaceName",
        replace_on=("resourceGroupName", "networkInterfaceName", "location"),
        references=(
            Reference("networkSecurityGroup.id", (SECURITY_GROUP,), same_location=True),
            Reference("ipConfigurations[].subnet.id", (SUBNET,), same_location=True),
            Reference("ipConfigurations[].publicIPAddress.id", (PUBLIC_ADDRESS,), same_location=True),
            Reference("ipConfigurations[].loadBalancerBackendAddressPools[].id", (BACKEND_POOL,), same_location=True),
        ),
        checks=(NAME, network_rules.interface),
        embedded={"ipConfigurations": "ipConfigurations"},
        outputs={"ipConfigurations": _ip_configurations("ipConfigurations"), "macAddress": _mac_address},
        in_use=network_rules.interface_in_use,
    ),
    ResourceType(
        pulumi_type="azure-native:network:LoadBalancer",
        kind=LOAD_BALANCER,
        identify=arm.in_group(LOAD_BALANCER, "loadBalancerName"),
        name_property="loadBalancerName",
        replace_on=("resourceGroupName", "loadBalancerName", "location", "sku"),
        references=(
            Reference("frontendIPConfigurations[].subnet.id", (SUBNET,), same_location=True),
            Reference("frontendIPConfigurations[].publicIPAddress.id", (PUBLIC_ADDRESS,), same_location=True),
            Reference("loadBalancingRules[].frontendIPConfiguration.id", (FRONTEND,)),
            Reference("loadBalancingRules[].backendAddressPool.id", (BACKEND_POOL,)),
            Reference("loadBalancingRules[].backendAddressPools[].id", (BACKEND_POOL,)),
            Reference("loadBalancingRules[].probe.id", (f"{LOAD_BALANCER}/probes",)),
        ),
        checks=(NAME,),
        embedded={name: name for name in _BALANCER_PARTS},
        outputs={"frontendIPConfigurations": _ip_configurations("frontendIPConfigurations")},
        in_use=network_rules.load_balancer_in_use,
    ),
    ResourceType(
        pulumi_type="azure-native:network:PrivateEndpoint",
        kind=PRIVATE_ENDPOINT,
        identify=arm.in_group(PRIVATE_ENDPOINT, "privateEndpointName"),
        name_property="privateEndpointName",
        replace_on=("resourceGroupName", "privateEndpointName", "location", "subnet", "customNetworkInterfaceName"),
        references=(
            Reference("subnet.id", (SUBNET,), same_location=True),
            Reference("privateLinkServiceConnections[].privateLinkServiceId"),
            Reference("manualPrivateLinkServiceConnections[].privateLinkServiceId"),
        ),
        checks=(NAME, _group_ids),
        outputs={
            "customDnsConfigs": _endpoint_dns,
            # Approved at once where the caller owns both sides; asked for by hand, it waits for the target's owner.
            "privateLinkServiceConnections": _connections("privateLinkServiceConnections", "Approved", "Auto-Approved"),
            "manualPrivateLinkServiceConnections": _connections(
                "manualPrivateLinkServiceConnections", "Pending", "Awaiting Approval"
            ),
            "networkInterfaces": constant([]),
        },
    ),
    ResourceType(
        pulumi_type="azure-native:network:PrivateDnsZoneGroup",
        kind=f"{PRIVATE_ENDPOINT}/privateDnsZoneGroups",
        identify=arm.in_group(
            f"{PRIVATE_ENDPOINT}/privateDnsZoneGroups", "privateEndpointName", "privateDnsZoneGroupName"
        ),
        name_property="privateDnsZoneGroupName",
        naming="copy",
        located="none",
        replace_on=("resourceGroupName", "privateEndpointName", "privateDnsZoneGroupName"),
        references=(Reference("privateDnsZoneConfigs[].privateDnsZoneId", (PRIVATE_ZONE,)),),
    ),
)
