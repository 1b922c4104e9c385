"""Building blocks for the rules' examples: resources as Bailiwick's Azure components make them, to be varied."""

import base64
import copy
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from policies.rule import ExampleResource

TODAY = date(2026, 11, 23)
"""The day on which the examples are judged."""
LOCATION = "germanywestcentral"
CONFIG: Mapping[str, str] = {
    "cloud": "azure",
    "jurisdiction": "DE",
    "location": LOCATION,
    "subscriptionId": "00000000-0000-0000-0000-000000000000",
    "tenantId": "00000000-0000-0000-0000-000000000000",
    "emulated": "true",
    "dataClass": "confidential",
}
"""The stack configuration of every example, without the `bailiwick:` prefix."""

_MEASUREMENT = "5c2f" * 24
_GROUP = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/example/providers"


def but(resource: ExampleResource, changes: Mapping[str, Any], **others: Any) -> ExampleResource:
    """`resource` with some properties set (`"properties.sku.name"`), or removed where the value is None."""
    props = copy.deepcopy(dict(resource.props))
    for path, value in changes.items():
        *parents, last = path.split(".")
        holder: Any = props
        for key in parents:
            holder = holder[int(key)] if isinstance(holder, list) else holder.setdefault(key, {})
        if value is None:
            holder.pop(last)
        else:
            holder[last] = value
    return replace(resource, props=props, **others)


def state(**others: str) -> str:
    """A stack's declaration of where its state is, with some of it changed, as Pulumi hands it on."""
    declared = {
        "backend": "azblob://state?storage_account=platform",
        "secretsProvider": "azurekeyvault://platform.vault.azure.net/keys/state",
        "location": LOCATION,
        **others,
    }
    return json.dumps({key: value for key, value in declared.items() if value})


def release_data(document: object) -> str:
    """`document` as `releasePolicy.data` takes it."""
    text = document if isinstance(document, str) else json.dumps(document)
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def claim(name: str, value: object) -> dict[str, Any]:
    return {"claim": f"x-ms-{name}", "equals": value}


STRICT = (
    claim("attestation-type", "sevsnpvm"),
    claim("compliance-status", "azure-compliant-cvm"),
    claim("sevsnpvm-launchmeasurement", _MEASUREMENT),
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

VERIFIER = ExampleResource(
    "bailiwick:index:AzureAttestationVerifier", "verifier", {"guestConfiguration": {"trust_anchors": ["amd"]}}
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

_BUILD_KEY = ec.derive_private_key(7, ec.SECP384R1())
"""Signs what the examples were built from, and nothing else: anybody can guess it."""


def reference_value(image: str, built_at: str = "2026-11-01T00:00:00+00:00") -> dict[str, Any]:
    """The reference value of `image` in a DSSE envelope."""
    kind = "application/vnd.in-toto+json"
    subject = [{"name": image, "digest": {"sha384": _MEASUREMENT}}]
    payload = json.dumps(
        {"_type": "https://in-toto.io/Statement/v1", "subject": subject, "predicate": {"built_at": built_at}}
    ).encode()
    signed = b"DSSEv1 %d %b %d %b" % (len(kind), kind.encode(), len(payload), payload)
    signature = _BUILD_KEY.sign(signed, ec.ECDSA(hashes.SHA384(), deterministic_signing=True))
    return {
        "payloadType": kind,
        "payload": base64.b64encode(payload).decode(),
        "signatures": [{"sig": base64.b64encode(signature).decode()}],
    }


VERIFIER_CONFIGURED = ExampleResource(
    "bailiwick:index:AzureAttestationVerifier",
    "verifier",
    {
        "guestConfiguration": {
            "role": "verifier",
            "trust_anchors": ["amd"],
            "reference_values": [reference_value("inference-guest-1.0.0")],
            "build_keys": [
                _BUILD_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
            ],
            "resources": [
                {
                    "path": "default/model-key/llm",
                    "policy": {
                        "tee": ["az-snp-vtpm"],
                        "images": ["inference-guest-1.0.0"],
                        "debug": False,
                        "migration": False,
                        "vmpl": [0],
                        "minimum_tcb": {"bootloader": 4, "tee": 0, "snp": 22, "microcode": 213},
                        "max_token_seconds": 300,
                    },
                }
            ],
        }
    },
)


def verifier_on(cloud: str) -> ExampleResource:
    """`VERIFIER_CONFIGURED` in another cloud, which starts no guest under a paravisor."""
    bare = {"guestConfiguration.resources.0.policy.tee": ["snp"]}
    return but(VERIFIER_CONFIGURED, bare, type=f"bailiwick:index:{cloud}AttestationVerifier")


def told(changes: Mapping[str, Any]) -> str:
    """The configuration of `VERIFIER_CONFIGURED`, changed, as a machine gets it."""
    configuration = but(VERIFIER_CONFIGURED, changes).props["guestConfiguration"]
    return base64.b64encode(json.dumps(configuration).encode()).decode()


def workload_told(account: str) -> str:
    """What a workload is told at boot that takes its model from `account`."""
    configuration = {
        "version": 1,
        "role": "workload",
        "resource": "default/model-key/llm",
        "artefact": {"account": account, "container": "models", "blob": "llm.enc"},
    }
    return base64.b64encode(json.dumps(configuration).encode()).decode()


def region(*graph: Mapping[str, str], cloud: str = "Azure") -> ExampleResource:
    """A region that states this jurisdiction graph."""
    return ExampleResource(f"bailiwick:index:{cloud}SovereignRegion", "region", {"jurisdictionGraph": list(graph)})


GATEWAY = ExampleResource(
    "bailiwick:index:AzureModelGateway",
    "gateway",
    {
        "models": [
            {
                "name": "llm",
                "verifier": "http://verifier.example.internal:8443",
                "key": "default/model-key/llm",
                "guarantee": "attested",
                "dataClass": "confidential",
                "weights": {"digest": f"sha256:{'0b6d' * 16}", "signer": "build@example.org"},
            }
        ],
        "identity": {"issuers": ["https://login.example.org"]},
        "policies": [{"team": "research", "models": ["llm"]}],
        "log": {"content": "off"},
    },
)
"""A gateway as it states itself: what it serves, whose word on callers it takes, which team may use which model."""
