"""A small region in the emulated Azure, and what drives it."""

import base64
import copy
import json

from sandbox.clouds.azure import AzureCloud
from sandbox.clouds.hardware import KeyVersion, Machine, NullHardware
from sandbox.provider import Created, Properties
from sandbox.values import Value

SUBSCRIPTION = "/subscriptions/00000000-0000-0000-0000-000000000000"
GROUP = f"{SUBSCRIPTION}/resourceGroups/rg"
LOCATION = "germanywestcentral"
IMAGE = (
    f"{SUBSCRIPTION}/resourceGroups/bailiwick-images/providers/Microsoft.Compute/galleries/bailiwick"
    "/images/inference-guest/versions/1.0.0"
)
POLICY = {
    "version": "1.0.0",
    "anyOf": [{"authority": "https://attest.example.org", "allOf": [{"claim": "x-ms-compliance", "equals": "a"}]}],
}


def encoded(document: Value) -> str:
    return base64.urlsafe_b64encode(json.dumps(document).encode()).rstrip(b"=").decode()


class RecordingHardware(NullHardware):
    """Remembers what it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.booted: list[Machine] = []
        self.stopped: list[str] = []
        self.keys: list[tuple[str, str]] = []
        self.destroyed: list[tuple[str, str]] = []

    def image(self, reference_id: str) -> dict[str, Value] | None:
        return None if "/missing/" in reference_id else super().image(reference_id)

    def create_key(self, vault: str, name: str, properties: object) -> KeyVersion:
        self.keys.append((vault, name))
        return super().create_key(vault, name, {})

    def destroy_key(self, vault: str, name: str) -> None:
        self.destroyed.append((vault, name))

    def boot(self, machine: Machine) -> None:
        self.booted.append(machine)

    def power_off(self, machine_id: str) -> None:
        self.stopped.append(machine_id)


def urn(pulumi_type: str, name: str) -> str:
    return f"urn:pulumi:test::bailiwick::azure-native:{pulumi_type}::{name}"


class Bench:
    """Drives a cloud as an engine would: check, then create."""

    def __init__(self, cloud: AzureCloud, hardware: RecordingHardware) -> None:
        self.cloud = cloud
        self.hardware = hardware

    def failures(self, pulumi_type: str, name: str, inputs: Properties) -> list[str]:
        """What check refuses, one line each."""
        return [item.reason for item in self.cloud.check(urn(pulumi_type, name), {}, inputs).failures]

    def create(self, pulumi_type: str, name: str, inputs: Properties, *, preview: bool = False) -> Created:
        checked = self.cloud.check(urn(pulumi_type, name), {}, copy.deepcopy(inputs))
        assert checked.failures == ()
        return self.cloud.create(urn(pulumi_type, name), checked.inputs, preview=preview)

    def region(self, *, preview: bool = False) -> dict[str, Created]:
        """A group, a network with two subnets, an interface, an identity, a premium vault, a releasable key, a DES."""
        made: dict[str, Created] = {}
        for pulumi_type, name, inputs in region_parts():
            made[name] = self.create(pulumi_type, name, inputs, preview=preview)
        return made


def in_group(**inputs: Value) -> Properties:
    return {"resourceGroupName": "rg", "location": LOCATION, **inputs}


def network_id(kind: str, name: str) -> str:
    return f"{GROUP}/providers/Microsoft.Network/{kind}/{name}"


VNET = network_id("virtualNetworks", "vnet")
SUBNET = f"{VNET}/subnets/guests"
NIC = network_id("networkInterfaces", "nic")
VAULT = f"{GROUP}/providers/Microsoft.KeyVault/vaults/kv-test-1"
IDENTITY = f"{GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/guest"
DES = f"{GROUP}/providers/Microsoft.Compute/diskEncryptionSets/des"
KEY_URL = "https://kv-test-1.vault.azure.net/keys/os-disk/{version}"


def key_version() -> str:
    return NullHardware().create_key("kv-test-1", "os-disk", {}).version


def region_parts() -> list[tuple[str, str, Properties]]:
    zero = "00000000-0000-0000-0000-000000000000"
    return [
        ("resources:ResourceGroup", "group", {"resourceGroupName": "rg", "location": LOCATION}),
        (
            "network:VirtualNetwork",
            "vnet",
            in_group(virtualNetworkName="vnet", addressSpace={"addressPrefixes": ["10.20.0.0/16"]}),
        ),
        ("network:NetworkSecurityGroup", "nsg", in_group(networkSecurityGroupName="nsg", securityRules=[])),
        (
            "network:Subnet",
            "guests",
            {
                "resourceGroupName": "rg",
                "virtualNetworkName": "vnet",
                "subnetName": "guests",
                "addressPrefix": "10.20.1.0/24",
                "networkSecurityGroup": {"id": network_id("networkSecurityGroups", "nsg")},
            },
        ),
        ("network:NetworkInterface", "nic", interface("nic")),
        ("managedidentity:UserAssignedIdentity", "guest", in_group(resourceName="guest")),
        (
            "keyvault:Vault",
            "vault",
            in_group(
                vaultName="kv-test-1",
                properties={
                    "tenantId": zero,
                    "sku": {"family": "A", "name": "premium"},
                    "enablePurgeProtection": True,
                    "softDeleteRetentionInDays": 90,
                },
            ),
        ),
        ("keyvault:Key", "os-disk", key("os-disk")),
        ("compute:DiskEncryptionSet", "des", encryption_set()),
    ]


def interface(name: str, **configuration: Value) -> Properties:
    return in_group(
        networkInterfaceName=name, ipConfigurations=[{"name": "private", "subnet": {"id": SUBNET}, **configuration}]
    )


def key(name: str, **properties: Value) -> Properties:
    wanted = {
        "kty": "RSA-HSM",
        "keySize": 3072,
        "keyOps": ["wrapKey", "unwrapKey", "release"],
        "attributes": {"exportable": True},
        "releasePolicy": {"contentType": "application/json; charset=utf-8", "data": encoded(POLICY)},
        **properties,
    }
    return {
        "resourceGroupName": "rg",
        "vaultName": "kv-test-1",
        "keyName": name,
        "properties": {field: value for field, value in wanted.items() if value is not None},
    }


def encryption_set(**changes: Value) -> Properties:
    return in_group(
        **{
            "diskEncryptionSetName": "des",
            "encryptionType": "ConfidentialVmEncryptedWithCustomerKey",
            "identity": {"type": "UserAssigned", "userAssignedIdentities": [IDENTITY]},
            "activeKey": {"keyUrl": KEY_URL.format(version=key_version()), "sourceVault": {"id": VAULT}},
            **changes,
        }
    )


def machine(**changes: Value) -> Properties:
    """A confidential VM in the region; `a__b` in a keyword stands for the path `a.b`; None removes what is there."""
    inputs = in_group(
        vmName="inference",
        zones=["1"],
        hardwareProfile={"vmSize": "Standard_DC4as_v5"},
        securityProfile={
            "securityType": "ConfidentialVM",
            "uefiSettings": {"secureBootEnabled": True, "vTpmEnabled": True},
        },
        storageProfile={
            "imageReference": {"id": IMAGE},
            "osDisk": {
                "createOption": "FromImage",
                "managedDisk": {
                    "securityProfile": {
                        "securityEncryptionType": "DiskWithVMGuestState",
                        "diskEncryptionSet": {"id": DES},
                    }
                },
            },
        },
        networkProfile={"networkInterfaces": [{"id": NIC, "primary": True}]},
        identity={"type": "UserAssigned", "userAssignedIdentities": [IDENTITY]},
        userData=base64.b64encode(b'{"version":1}').decode(),
    )
    for path, value in changes.items():
        *steps, last = path.split("__")
        place = inputs
        for step in steps:
            place = place.setdefault(step, {})
        if value is None:
            place.pop(last, None)
        else:
            place[last] = value
    return inputs


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
        (
            "authorization:PolicyAssignment",
            "policy",
            {
                "scope": GROUP,
                "policyAssignmentName": "locations",
                "policyDefinitionId": "/providers/Microsoft.Authorization/policyDefinitions/"
                "e56962a6-4747-49cd-b67b-bf8b01975c4c",
                "parameters": {"listOfAllowedLocations": {"value": [LOCATION]}},
            },
        ),
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
