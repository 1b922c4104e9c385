"""Azure's resources as Bailiwick's components make them there, to be varied by rule."""

import base64
import json
from collections.abc import Mapping
from typing import Any

from policies.examples.common import CONFIG, LOCATION, MEASUREMENT, but
from policies.rule import ExampleResource

_GROUP = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/example/providers"


def release_data(document: object) -> str:
    """`document` as `releasePolicy.data` takes it."""
    text = document if isinstance(document, str) else json.dumps(document)
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def claim(name: str, value: object) -> dict[str, Any]:
    return {"claim": f"x-ms-{name}", "equals": value}


STRICT = (
    claim("attestation-type", "sevsnpvm"),
    claim("compliance-status", "azure-compliant-cvm"),
    claim("sevsnpvm-launchmeasurement", MEASUREMENT),
    claim("sevsnpvm-is-debuggable", False),
)
"""The conditions that make a release policy as strict as the rules ask."""


def release_policy(*conditions: Mapping[str, Any], authority: str = "shareddewc.dewc.attest.azure.net") -> str:
    """An encoded policy that trusts one authority under `conditions`."""
    way = {"authority": f"https://{authority}", "allOf": list(conditions or STRICT)}
    return release_data({"version": "1.0.0", "anyOf": [way]})


TAGS = {"owner": "platform@example.org", "jurisdiction": "DE", "data-class": "confidential"}
IMAGE = f"{_GROUP}/Microsoft.Compute/galleries/example/images/inference-guest/versions/1.0.0"

PROVIDER = ExampleResource(
    "pulumi:providers:azure-native",
    "azure",
    {"location": LOCATION, "environment": "public", "subscriptionId": CONFIG["subscriptionId"]},
)

DISK_KEY = ExampleResource(
    "azure-native:compute:DiskEncryptionSet",
    "inference-disk-key",
    {"location": LOCATION, "encryptionType": "ConfidentialVmEncryptedWithCustomerKey"},
)

VM = ExampleResource(
    "azure-native:compute:VirtualMachine",
    "inference",
    {
        "location": LOCATION,
        "hardwareProfile": {"vmSize": "Standard_DC4as_v5"},
        "securityProfile": {
            "securityType": "ConfidentialVM",
            "uefiSettings": {"secureBootEnabled": True, "vTpmEnabled": True},
        },
        "storageProfile": {
            "imageReference": {"id": IMAGE},
            "osDisk": {
                "managedDisk": {
                    "securityProfile": {
                        "securityEncryptionType": "DiskWithVMGuestState",
                        "diskEncryptionSet": {
                            "id": f"{_GROUP}/Microsoft.Compute/diskEncryptionSets/inference-disk-key"
                        },
                    }
                }
            },
        },
    },
    uses={"storageProfile": ("inference-disk-key",)},
)

NODE_POOL = ExampleResource(
    "azure-native:containerservice:AgentPool",
    "nodes",
    {"resourceName": "cluster", "vmSize": "Standard_DC4as_v5", "enableNodePublicIP": False},
)

CLUSTER = ExampleResource(
    "azure-native:containerservice:ManagedCluster",
    "cluster",
    {
        "location": LOCATION,
        "agentPoolProfiles": [{"name": "system", "vmSize": "Standard_DC4as_v5"}],
        "apiServerAccessProfile": {"enablePrivateCluster": True, "disableRunCommand": True},
        "disableLocalAccounts": True,
    },
)

VAULT = ExampleResource(
    "azure-native:keyvault:Vault",
    "keys",
    {
        "location": LOCATION,
        "properties": {
            "sku": {"family": "A", "name": "premium"},
            "enablePurgeProtection": True,
            "softDeleteRetentionInDays": 90,
            "publicNetworkAccess": "Disabled",
            "networkAcls": {"defaultAction": "Deny", "bypass": "None"},
        },
    },
)

VAULT_DOOR = ExampleResource(
    "azure-native:network:PrivateEndpoint",
    "keys-endpoint",
    {
        "location": LOCATION,
        "privateLinkServiceConnections": [
            {
                "name": "key-vault",
                "privateLinkServiceId": f"{_GROUP}/Microsoft.KeyVault/vaults/keys",
                "groupIds": ["vault"],
            }
        ],
    },
    uses={"privateLinkServiceConnections": ("keys",)},
)

KEY = ExampleResource(
    "azure-native:keyvault:Key",
    "model-key",
    {
        "vaultName": "keys",
        "properties": {
            "kty": "RSA-HSM",
            "keySize": 3072,
            "keyOps": ["wrapKey", "unwrapKey", "release"],
            "attributes": {"exportable": True},
            "releasePolicy": {"contentType": "application/json; charset=utf-8", "data": release_policy()},
        },
    },
)

WRAPPING_KEY = ExampleResource(
    "azure-native:keyvault:Key",
    "wrapping-key",
    {
        "vaultName": "keys",
        "properties": {
            "kty": "RSA-HSM",
            "keySize": 3072,
            "keyOps": ["wrapKey", "unwrapKey"],
            "attributes": {"exportable": False},
            "rotationPolicy": {
                "attributes": {"expiryTime": "P120D"},
                "lifetimeActions": [{"trigger": {"timeAfterCreate": "P90D"}, "action": {"type": "rotate"}}],
            },
        },
    },
)

INTERFACE = ExampleResource(
    "azure-native:network:NetworkInterface",
    "inference-nic",
    {
        "location": LOCATION,
        "ipConfigurations": [{"name": "private", "subnet": {"id": f"{_GROUP}/Microsoft.Network/subnets/workload"}}],
    },
)

DENY_ALL_OUT = {
    "name": "deny-all-outbound",
    "access": "Deny",
    "direction": "Outbound",
    "protocol": "*",
    "priority": 4096,
    "sourceAddressPrefix": "*",
    "sourcePortRange": "*",
    "destinationAddressPrefix": "*",
    "destinationPortRange": "*",
}


def allow_out(destination: str) -> dict[str, Any]:
    """An outbound rule that lets traffic go to `destination`."""
    return {
        **DENY_ALL_OUT,
        "name": "allow",
        "access": "Allow",
        "protocol": "Tcp",
        "priority": 100,
        "destinationAddressPrefix": destination,
        "destinationPortRange": "443",
    }


def allow_in(source: str) -> dict[str, Any]:
    """An inbound rule that lets traffic from `source` in."""
    return {
        **allow_out("10.20.1.0/24"),
        "direction": "Inbound",
        "sourceAddressPrefix": source,
    }


SECURITY_GROUP = ExampleResource(
    "azure-native:network:NetworkSecurityGroup",
    "workload-nsg",
    {"location": LOCATION, "securityRules": [allow_out("10.20.1.0/24"), DENY_ALL_OUT]},
)

SUBNET = ExampleResource(
    "azure-native:network:Subnet",
    "workload",
    {
        "addressPrefix": "10.20.0.0/24",
        "defaultOutboundAccess": False,
        "networkSecurityGroup": {"id": f"{_GROUP}/Microsoft.Network/networkSecurityGroups/workload-nsg"},
    },
    uses={"networkSecurityGroup": ("workload-nsg",)},
)

AUDIT_STORE = ExampleResource(
    "azure-native:storage:StorageAccount",
    "audit",
    {
        "location": LOCATION,
        "sku": {"name": "Standard_ZRS"},
        "allowCrossTenantReplication": False,
        "minimumTlsVersion": "TLS1_2",
        "enableHttpsTrafficOnly": True,
        "publicNetworkAccess": "Disabled",
        "immutableStorageWithVersioning": {
            "enabled": True,
            "immutabilityPolicy": {"immutabilityPeriodSinceCreationInDays": 365, "state": "Unlocked"},
        },
    },
)

AUDIT_STREAM = ExampleResource(
    "azure-native:monitor:DiagnosticSetting",
    "keys-audit",
    {
        "resourceUri": f"{_GROUP}/Microsoft.KeyVault/vaults/keys",
        "storageAccountId": f"{_GROUP}/Microsoft.Storage/storageAccounts/audit",
        "logs": [{"categoryGroup": "audit", "enabled": True}],
    },
    uses={"resourceUri": ("keys",), "storageAccountId": ("audit",)},
)

VERIFIER_VM = but(VM, {}, name="verifier-0", parent="verifier")

ATTESTATION_PROVIDER = ExampleResource(
    "azure-native:attestation:AttestationProvider",
    "attestation",
    {
        "location": LOCATION,
        "properties": {"publicNetworkAccess": "Disabled", "tpmAttestationAuthentication": "Enabled"},
    },
)
