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
