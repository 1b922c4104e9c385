"""Azure's vaults, HSMs, keys and disk encryption sets."""

import re
from collections.abc import Iterator, Mapping
from functools import cache

import catalog
from policies.clouds.service_keys import Paths, stated_in
from policies.conditions import AtLeast, Matching, OneOf, WithinDays
from policies.subject import Property, Resource
from policies.terms import DiskKey, Key, KeyStore, Origin, PrivateDoor, Reference, Setting, Unwanted

_VAULT = "azure-native:keyvault:Vault"
_MANAGED_HSM = "azure-native:keyvault:ManagedHsm"
_KEY = "azure-native:keyvault:Key"
_HSM_KEY = "pulumi-python:dynamic/azure:ManagedHsmKey"
_DISK_ENCRYPTION_SET = "azure-native:compute:DiskEncryptionSet"
_CLUSTER = "azure-native:containerservice:ManagedCluster"
_PRIVATE_ENDPOINT = "azure-native:network:PrivateEndpoint"

_VAULT_KEY = ("keyVaultProperties", "keyIdentifier")
SERVICE_KEYS: Mapping[str, Paths] = {
    _DISK_ENCRYPTION_SET: (("activeKey", "keyUrl"),),
    _CLUSTER: (("diskEncryptionSetID",),),
    "azure-native:appconfiguration:ConfigurationStore": (("encryption", *_VAULT_KEY),),
    "azure-native:automation:AutomationAccount": (("encryption", *_VAULT_KEY[:1], "keyName"),),
    "azure-native:cognitiveservices:Account": (("properties", "encryption", "keyVaultProperties", "keyName"),),
    "azure-native:compute:Disk": (("encryption", "diskEncryptionSetId"),),
    "azure-native:compute:Snapshot": (("encryption", "diskEncryptionSetId"),),
    "azure-native:containerinstance:ContainerGroup": (("encryptionProperties", "keyName"),),
    "azure-native:cosmosdb:DatabaseAccount": (("keyVaultKeyUri",),),
    "azure-native:dataprotection:BackupVault": (
        ("properties", "securitySettings", "encryptionSettings", "keyVaultProperties", "keyUri"),
    ),
    "azure-native:dbformysql:Server": (("dataEncryption", "primaryKeyURI"),),
    "azure-native:dbforpostgresql:Server": (("dataEncryption", "primaryKeyURI"),),
    "azure-native:eventhub:Namespace": (("encryption", "keyVaultProperties", "*", "keyName"),),
    "azure-native:machinelearningservices:Workspace": (("encryption", *_VAULT_KEY),),
    "azure-native:operationalinsights:Cluster": (("keyVaultProperties", "keyName"),),
    "azure-native:recoveryservices:Vault": (("properties", "encryption", "keyVaultProperties", "keyUri"),),
    "azure-native:servicebus:Namespace": (("encryption", "keyVaultProperties", "*", "keyName"),),
    "azure-native:sql:ManagedInstance": (("keyId",),),
    "azure-native:sql:Server": (("keyId",),),
    "azure-native:storage:EncryptionScope": (("keyVaultProperties", "keyUri"),),
}
"""Storage accounts are left out, as registries are: what the components keep there is encrypted before it comes,
records of use, or no secret."""
LONGEST_BETWEEN_ROTATIONS = 90
_DELETION_DELAY = AtLeast(30, "days")
_KEY_TYPES = ("RSA", "RSA-HSM", "EC", "EC-HSM", "oct", "oct-HSM")
_WRAPPING = ("wrapKey", "unwrapKey", "encrypt", "decrypt")
_DISK_ENCRYPTION_TYPES = (
    "EncryptionAtRestWithCustomerKey",
    "EncryptionAtRestWithPlatformAndCustomerKeys",
    "ConfidentialVmEncryptedWithCustomerKey",
)


def key_store(resource: Resource) -> KeyStore | None:
    """`resource` as a store of keys: a vault, or a Managed HSM, whose keys are in hardware by nature."""
    body = resource.props.at("properties")
    if resource.type == _VAULT:
        service = "key-vault"
        hardware = Setting(body.at("sku", "name"), OneOf(("premium",)), ("standard",))
    elif resource.type == _MANAGED_HSM:
        service, hardware = "managed-hsm", None
    else:
        return None
    rules = body.at("networkAcls")
    openings = (
        (rules.at("ipRules"), "an exception for public addresses"),
        (rules.at("virtualNetworkRules"), "a service endpoint instead of a private one"),
    )
    return KeyStore(
        service=service,
        hardware=hardware,
        purge_protection=Setting(body.at("enablePurgeProtection"), OneOf((True,)), switch=True),
        deletion_delay=Setting(body.at("softDeleteRetentionInDays"), _DELETION_DELAY),
        closed=(
            Setting(body.at("publicNetworkAccess"), OneOf(("Disabled",)), ("Enabled",), switch=True),
            Setting(rules.at("defaultAction"), OneOf(("Deny",)), ("Allow",), switch=True),
        ),
        openings=tuple(Unwanted(found, what) for found, what in openings if not _empty(found)),
    )


def _empty(rules: Property) -> bool:
    return not rules.unknown and not rules.items()


def key(resource: Resource) -> Key | None:
    """`resource` as a key."""
    if resource.type not in (_KEY, _HSM_KEY):
        return None
    body = resource.props.at("properties")
    operations = body.at("keyOps")
    release: bool | None = None
    if resource.type == _HSM_KEY:  # its keys have no operation for release: the policy alone stands for it
        release = body.at("releasePolicy", "data").stated
    elif operations.stated:
        release = "release" in [one.text for one in operations.items()]
    return Key(
        hardware=Setting(body.at("kty"), OneOf(("RSA-HSM", "EC-HSM", "oct-HSM")), _KEY_TYPES),
        exportable=body.at("attributes", "exportable"),
        releasable=release,
        release_document=body.at("releasePolicy", "data"),
        wraps=any(one.text in _WRAPPING for one in operations.items()) if operations.stated else None,
        rotation=tuple(
            Setting(action.at("trigger", "timeAfterCreate"), WithinDays(LONGEST_BETWEEN_ROTATIONS))
            for action in body.at("rotationPolicy", "lifetimeActions").items()
            if (action.at("action", "type").text or "").casefold() == "rotate"
        ),
        expiry=(body.at("rotationPolicy", "attributes", "expiryTime"), body.at("attributes", "expires")),
    )


def disk_key(resource: Resource) -> DiskKey | None:
    """`resource` as the tie between disks and a key."""
    if resource.type != _DISK_ENCRYPTION_SET:
        return None
    kind = resource.props.at("encryptionType")
    return DiskKey(Setting(kind, OneOf(("ConfidentialVmEncryptedWithCustomerKey",)), _DISK_ENCRYPTION_TYPES))


def private_door(resource: Resource) -> PrivateDoor | None:
    """`resource` as a private endpoint."""
    if resource.type != _PRIVATE_ENDPOINT:
        return None
    connections = resource.props.at("privateLinkServiceConnections")
    return PrivateDoor(
        target=Reference(connections, "privateLinkServiceConnections"),
        groups=tuple(group for one in connections.items() for group in one.at("groupIds").items()),
    )


def service_keys(resource: Resource) -> Iterator[Property]:
    """The customer's keys of disks, clusters and services."""
    return stated_in(resource, SERVICE_KEYS)


def own_hardware(resource: Resource) -> Iterator[Origin | Unwanted]:
    """A vault's HSM serves every customer of its region; a Managed HSM serves one."""
    if resource.type == _VAULT:
        yield Unwanted(Property("type", resource.type), "keys in an HSM that every customer of the region shares")
    elif resource.type == _DISK_ENCRYPTION_SET:
        url = Setting(resource.props.at("activeKey", "keyUrl"), _of_managed_hsm())
        yield Origin(url, "activeKey", frozenset({_HSM_KEY, _MANAGED_HSM}))


@cache
def _of_managed_hsm() -> Matching:
    suffixes = [one.dns["managed-hsm"] for one in catalog.load().clouds.values() if "managed-hsm" in one.dns]
    hosts = "|".join(map(re.escape, suffixes))
    return Matching(rf"https://[a-z0-9-]+\.(?:{hosts})/keys/\S+", f"the URL of a key under {' or '.join(suffixes)}")


def key_places(resource: Resource) -> Iterator[Setting]:
    """A Managed HSM can be extended to more regions, with every key in it; the first of them is the primary one."""
    if resource.type == _MANAGED_HSM:
        for region in resource.props.at("properties", "regions").items():
            yield Setting(region.at("isPrimary"), OneOf((True,)))
