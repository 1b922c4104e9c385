"""One example of every emulated type that the small region does not have."""

from sandbox.provider import Properties
from sandbox.values import Value
from tests.sandbox.clouds import machines_together
from tests.sandbox.clouds.region import (
    DES,
    GROUP,
    SUBNET,
    VAULT,
    VNET,
    in_group,
    interface,
    machine,
    network_id,
)


def _zone(**more: Value) -> Properties:
    return {"resourceGroupName": "rg", "location": "Global", "privateZoneName": "test.internal", **more}


def _balancer() -> Properties:
    balancer = network_id("loadBalancers", "lb")
    return in_group(
        loadBalancerName="lb",
        sku={"name": "Standard"},
        frontendIPConfigurations=[{"name": "front", "subnet": {"id": SUBNET}, "privateIPAddress": "10.20.1.100"}],
        backendAddressPools=[{"name": "pool"}],
        probes=[{"name": "health", "port": 8443, "protocol": "Tcp"}],
        loadBalancingRules=[
            {
                "name": "https",
                "protocol": "Tcp",
                "frontendPort": 8443,
                "backendPort": 8443,
                "frontendIPConfiguration": {"id": f"{balancer}/frontendIPConfigurations/front"},
                "backendAddressPool": {"id": f"{balancer}/backendAddressPools/pool"},
                "probe": {"id": f"{balancer}/probes/health"},
            }
        ],
    )


def other_parts() -> list[tuple[str, str, Properties]]:
    """One example of every other emulated type, in an order in which a program would create them."""
    zero = "00000000-0000-0000-0000-000000000000"
    gallery = {"galleryName": "gallery"}
    image = gallery | {"galleryImageName": "image"}
    account = {"resourceGroupName": "rg", "accountName": "audit1"}
    role = f"{GROUP}/providers/Microsoft.Authorization/roleDefinitions/11111111-2222-3333-4444-555555555555"
    balancer_pool = network_id("loadBalancers", "lb") + "/backendAddressPools/pool"
    return [
        ("network:LoadBalancer", "lb", _balancer()),
        (
            "network:NetworkInterface",
            "member",
            interface("member", loadBalancerBackendAddressPools=[{"id": balancer_pool}]),
        ),
        (
            "compute:VirtualMachine",
            "vm",
            machine(networkProfile={"networkInterfaces": [{"id": network_id("networkInterfaces", "member")}]}),
        ),
        (
            "compute:VirtualMachineExtension",
            "extension",
            in_group(vmName="inference", vmExtensionName="a", publisher="b", type="c", typeHandlerVersion="1.0"),
        ),
        (
            "compute:Disk",
            "disk",
            in_group(diskName="disk", creationData={"createOption": "Empty"}, diskSizeGB=32, zones=["1"]),
        ),
        ("compute:Gallery", "gallery", in_group(**gallery)),
        (
            "compute:GalleryImage",
            "image",
            in_group(
                **image,
                osType="Linux",
                osState="Specialized",
                identifier={"publisher": "a", "offer": "b", "sku": "c"},
                features=[{"name": "SecurityType", "value": "ConfidentialVM"}],
            ),
        ),
        (
            "compute:GalleryImageVersion",
            "version",
            in_group(**image, galleryImageVersionName="1.0.0", storageProfile={}),
        ),
        ("network:RouteTable", "routes", in_group(routeTableName="routes", routes=[])),
        (
            "network:SecurityRule",
            "rule",
            {
                "resourceGroupName": "rg",
                "networkSecurityGroupName": "nsg",
                "securityRuleName": "rule",
                "access": "Deny",
                "direction": "Inbound",
                "priority": 4096,
                "protocol": "*",
                "sourceAddressPrefix": "Internet",
                "sourcePortRange": "*",
                "destinationAddressPrefix": "*",
                "destinationPortRanges": ["22", "8000-9000"],
            },
        ),
        (
            "network:PublicIPAddress",
            "public",
            in_group(publicIpAddressName="public", publicIPAllocationMethod="Static"),
        ),
        (
            "network:VirtualNetwork",
            "hub",
            in_group(virtualNetworkName="hub", addressSpace={"addressPrefixes": ["10.99.0.0/16"]}),
        ),
        (
            "network:VirtualNetworkPeering",
            "peering",
            {
                "resourceGroupName": "rg",
                "virtualNetworkName": "hub",
                "virtualNetworkPeeringName": "to-region",
                "remoteVirtualNetwork": {"id": VNET},
            },
        ),
        (
            "network:PrivateEndpoint",
            "endpoint",
            in_group(
                privateEndpointName="endpoint",
                subnet={"id": SUBNET},
                privateLinkServiceConnections=[{"name": "v", "privateLinkServiceId": VAULT, "groupIds": ["vault"]}],
            ),
        ),
        ("privatedns:PrivateZone", "zone", _zone()),
        (
            "privatedns:VirtualNetworkLink",
            "link",
            _zone(virtualNetworkLinkName="link", virtualNetwork={"id": VNET}, registrationEnabled=False),
        ),
        (
            "privatedns:PrivateRecordSet",
            "record",
            {
                "resourceGroupName": "rg",
                "privateZoneName": "test.internal",
                "recordType": "A",
                "relativeRecordSetName": "verifier",
                "ttl": 60,
                "aRecords": [{"ipv4Address": "10.20.1.100"}],
            },
        ),
        (
            "network:PrivateDnsZoneGroup",
            "zones",
            {
                "resourceGroupName": "rg",
                "privateEndpointName": "endpoint",
                "privateDnsZoneGroupName": "default",
                "privateDnsZoneConfigs": [
                    {"name": "z", "privateDnsZoneId": network_id("privateDnsZones", "test.internal")}
                ],
            },
        ),
        (
            "keyvault:Secret",
            "secret",
            {"resourceGroupName": "rg", "vaultName": "kv-test-1", "secretName": "s", "properties": {"value": "geheim"}},
        ),
        (
            "keyvault:ManagedHsm",
            "hsm",
            in_group(
                name="hsm-1",
                sku={"family": "B", "name": "Standard_B1"},
                properties={"tenantId": zero, "initialAdminObjectIds": [zero]},
            ),
        ),
        (
            "managedidentity:FederatedIdentityCredential",
            "credential",
            {
                "resourceGroupName": "rg",
                "resourceName": "guest",
                "federatedIdentityCredentialResourceName": "c",
                "issuer": "https://issuer.example.org",
                "subject": "s",
                "audiences": ["a"],
            },
        ),
        (
            "authorization:RoleDefinition",
            "role",
            {
                "scope": GROUP,
                "roleDefinitionId": role.rsplit("/", 1)[-1],
                "roleName": "unwrap",
                "assignableScopes": [GROUP],
                "permissions": [{"actions": [], "dataActions": ["Microsoft.KeyVault/vaults/keys/unwrap/action"]}],
            },
        ),
        (
            "authorization:RoleAssignment",
            "assignment",
            {"scope": VAULT, "roleDefinitionId": role, "principalId": "99999999-2222-3333-4444-555555555555"},
        ),
        *machines_together.parts(),
        (
            "authorization:ManagementLockByScope",
            "lock",
            {"scope": DES, "lockName": "keep", "level": "CanNotDelete"},
        ),
        (
            "storage:StorageAccount",
            "audit",
            in_group(
                accountName="audit1",
                kind="StorageV2",
                sku={"name": "Standard_ZRS"},
                immutableStorageWithVersioning={
                    "enabled": True,
                    "immutabilityPolicy": {"state": "Unlocked", "immutabilityPeriodSinceCreationInDays": 365},
                },
            ),
        ),
        ("storage:BlobContainer", "container", {**account, "containerName": "records"}),
        (
            "storage:BlobContainerImmutabilityPolicy",
            "retention",
            {**account, "containerName": "records", "immutabilityPeriodSinceCreationInDays": 365},
        ),
        ("operationalinsights:Workspace", "workspace", in_group(workspaceName="logs", retentionInDays=365)),
        (
            "monitor:DiagnosticSetting",
            "setting",
            {
                "resourceUri": VAULT,
                "name": "audit",
                "workspaceId": f"{GROUP}/providers/Microsoft.OperationalInsights/workspaces/logs",
                "logs": [{"categoryGroup": "audit", "enabled": True}],
            },
        ),
        (
            "attestation:AttestationProvider",
            "provider",
            in_group(providerName="att1", properties={"publicNetworkAccess": "Disabled"}),
        ),
    ]
