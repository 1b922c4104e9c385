"""Azure's data at rest and on the move: copies, redundancy, model deployments, tags, transport."""

from collections.abc import Iterator

from policies.conditions import OneOf
from policies.subject import Property, Resource
from policies.terms import Redundancy, Setting, Unwanted

_ACCOUNT = "azure-native:storage:StorageAccount"
_RECOVERY_VAULT = "azure-native:recoveryservices:Vault"
_BACKUP_VAULT = "azure-native:dataprotection:BackupVault"
_MODEL_DEPLOYMENT = "azure-native:cognitiveservices:Deployment"
_ATTESTATION_PROVIDER = "azure-native:attestation:AttestationProvider"

_UNTAGGED = "azure-native:authorization:"

_COPIERS = {
    "azure-native:storage:ObjectReplicationPolicy": "a copy in another account",
    "azure-native:sql:FailoverGroup": "a copy on another server",
    "azure-native:sql:InstanceFailoverGroup": "a copy on another server",
    "azure-native:sql:ReplicationLink": "a copy on another server",
    "azure-native:recoveryservices:ReplicationProtectedItem": "a copy in another region",
    "azure-native:containerregistry:Replication": "a copy in another region",
}
_REGIONAL_DEPLOYMENTS = ("Standard", "ProvisionedManaged")
_DEPLOYMENTS = (
    *_REGIONAL_DEPLOYMENTS,
    "GlobalStandard",
    "GlobalBatch",
    "GlobalProvisionedManaged",
    "DataZoneStandard",
    "DataZoneBatch",
    "DataZoneProvisionedManaged",
)
# Standard_GRS, Standard_RAGRS, Standard_GZRS, Standard_RAGZRS: the G is for geo-redundant.
_FAR_ACCOUNTS = frozenset({"standard_grs", "standard_ragrs", "standard_gzrs", "standard_ragzrs"})
_SQL_BACKUPS = (("requestedBackupStorageRedundancy",), True)
_FLEXIBLE_BACKUPS = (("backup", "geoRedundantBackup"), False)
# By type of database: the path of what says how its backups are kept, and whether they go far where it is not stated.
_BACKUPS: dict[str, tuple[tuple[str, ...], bool]] = {
    "azure-native:sql:Database": _SQL_BACKUPS,
    "azure-native:sql:ManagedInstance": _SQL_BACKUPS,
    "azure-native:dbforpostgresql:Server": _FLEXIBLE_BACKUPS,
    "azure-native:dbformysql:Server": _FLEXIBLE_BACKUPS,
    "azure-native:cosmosdb:DatabaseAccount": (
        ("backupPolicy", "periodicModeProperties", "backupStorageRedundancy"),
        True,
    ),
}
_FAR_BACKUPS = frozenset({"geo", "geozone", "enabled"})
_MODERN: tuple[str | bool, ...] = ("1.2", "1.3")
_OLD_TLS = ("1.0", "1.1", "Tls", "Tls11", "None")
ENCRYPTED: dict[str, tuple[tuple[tuple[str, ...], tuple[str | bool, ...]], ...]] = {
    "azure-native:cosmosdb:DatabaseAccount": ((("minimalTlsVersion",), ("Tls12",)),),
    "azure-native:eventhub:Namespace": ((("minimumTlsVersion",), _MODERN),),
    "azure-native:redis:Redis": ((("minimumTlsVersion",), _MODERN), (("enableNonSslPort",), (False,))),
    "azure-native:servicebus:Namespace": ((("minimumTlsVersion",), _MODERN),),
    "azure-native:sql:Server": ((("minimalTlsVersion",), _MODERN),),
    "azure-native:web:WebApp": ((("httpsOnly",), (True,)), (("siteConfig", "minTlsVersion"), _MODERN)),
}
"""By type: what keeps connections to a service encrypted, each with the values that do."""
_MODERN_TLS = ("TLS1_2", "TLS1_3")


def copies_away(resource: Resource) -> Iterator[Setting | Unwanted]:
    """What would copy the data of `resource` to where nobody judges it."""
    if resource.type in _COPIERS:
        yield Unwanted(Property("type", resource.type), _COPIERS[resource.type])
    elif resource.type == _ACCOUNT:
        yield Setting(resource.props.at("allowCrossTenantReplication"), OneOf((False,)), switch=True)


def redundancies(resource: Resource) -> Iterator[Redundancy]:
    """Where the copies of `resource` are; a backup vault that says nothing keeps them far away."""
    location = resource.props.at("location")
    if resource.type == _ACCOUNT:
        sku = resource.props.at("sku", "name")
        yield Redundancy(sku, not sku.stated or (sku.text or "").casefold() in _FAR_ACCOUNTS, location)
    elif resource.type == _RECOVERY_VAULT:
        kind = resource.props.at("properties", "redundancySettings", "standardTierStorageRedundancy")
        yield Redundancy(kind, not kind.stated or (kind.text or "").casefold() == "georedundant", location)
    elif resource.type == _BACKUP_VAULT:
        for setting in resource.props.at("properties", "storageSettings").items():
            kind = setting.at("type")
            yield Redundancy(kind, not kind.stated or (kind.text or "").casefold() == "georedundant", location)
    elif resource.type in _BACKUPS and resource.props.at("backupPolicy", "type").text != "Continuous":
        path, by_default = _BACKUPS[resource.type]
        kind = resource.props.at(*path)
        yield Redundancy(kind, kind.text.casefold() in _FAR_BACKUPS if kind.text else by_default, location)


def model_deployment(resource: Resource) -> Setting | None:
    """Where a managed model of `resource` is computed, by the name of its SKU."""
    if resource.type != _MODEL_DEPLOYMENT:
        return None
    return Setting(resource.props.at("sku", "name"), OneOf(_REGIONAL_DEPLOYMENTS), _DEPLOYMENTS)


def tags(resource: Resource) -> Property | None:
    """The tags of `resource`; None for what Azure does not tag: what has no location of its own, and assignments."""
    taggable = resource.props.at("location").stated and not resource.type.startswith(_UNTAGGED)
    return resource.props.at("tags") if taggable else None


def transport(resource: Resource) -> Iterator[Setting]:
    """What keeps connections to `resource` encrypted."""
    if resource.type == _ACCOUNT:
        yield Setting(resource.props.at("minimumTlsVersion"), OneOf(_MODERN_TLS), ("TLS1_0", "TLS1_1"), switch=True)
        yield Setting(resource.props.at("enableHttpsTrafficOnly"), OneOf((True,)), switch=True)
    for path, values in ENCRYPTED.get(resource.type, ()):
        yield Setting(resource.props.at(*path), OneOf(values), _OLD_TLS, switch=True)


def managed_verifier(resource: Resource) -> tuple[Setting, ...]:
    """What keeps an attestation provider private; nothing for anything else."""
    if resource.type != _ATTESTATION_PROVIDER:
        return ()
    return (
        Setting(resource.props.at("properties", "publicNetworkAccess"), OneOf(("Disabled",)), ("Enabled",)),
        Setting(resource.props.at("properties", "tpmAttestationAuthentication"), OneOf(("Enabled",)), ("Disabled",)),
    )


def store_name(resource: Resource) -> Property | None:
    """The name of a storage account, by which a workload asks it; as an output it has another key."""
    if resource.type != _ACCOUNT:
        return None
    stated = resource.props.at("accountName")
    return stated if stated.stated else resource.props.at("name")
