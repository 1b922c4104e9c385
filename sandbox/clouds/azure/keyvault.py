"""Microsoft.KeyVault: vaults, keys, secrets and Managed HSMs, with soft delete.

A deleted vault keeps its name until its retention ends (purge protection: nobody can shorten that). Azure recovers it
when the same vault is put again at the same id and place with `createMode` left out or `recover`; `default` is refused
with `ConflictError`. azure-native itself recovers deleted keys and secrets (pulumi/pulumi-azure-native#4759).
"""

import time

from sandbox.clouds.azure import arm, keyvault_rules
from sandbox.clouds.azure.network import SUBNET
from sandbox.clouds.azure.places import host_suffix
from sandbox.clouds.hardware import Hardware
from sandbox.clouds.resource import (
    CloudError,
    Compute,
    Reference,
    Request,
    ResourceType,
    SoftDelete,
    Undetermined,
    View,
    constant,
)
from sandbox.clouds.store import Grave
from sandbox.values import UNKNOWN, Value

VAULT = "Microsoft.KeyVault/vaults"
KEY = f"{VAULT}/keys"
SECRET = f"{VAULT}/secrets"
MANAGED_HSM = "Microsoft.KeyVault/managedHSMs"
DEFAULT_RETENTION_DAYS = 90

_UNACTIVATED: dict[str, Value] = {
    "provisioningState": "Provisioning",
    "statusMessage": "The Managed HSM is provisioned and waits for its security domain to be activated.",
    "securityDomainProperties": {"activationStatus": "NotActivated", "activationStatusMessage": ""},
}
"""What an HSM says of itself from its creation to its activation, which the data plane brings about."""
_CLASH = (
    "The {what} name '{name}' is already in use. {What} names are globally unique so it is possible that the name is"
    " already taken. If you are sure that the name was not taken then it is possible that a {what} with the same name"
    " was recently deleted but not purged after being placed in a recoverable state."
)


def vault_name(request: Request) -> str:
    """The vault of a key or a secret."""
    return request.parent.rsplit("/", 1)[-1]


def _retention(request: Request) -> int:
    return int(request.inputs["properties.softDeleteRetentionInDays"] or DEFAULT_RETENTION_DAYS)


def _retention_of_vault(request: Request) -> int:
    """A deleted key or secret is kept as long as its vault would be."""
    vault = View(request.find(request.parent).inputs)
    return int(vault["properties.softDeleteRetentionInDays"] or DEFAULT_RETENTION_DAYS)


def _meets_vault(request: Request, grave: Grave | None) -> None:
    mode = request.inputs["properties.createMode"]
    if grave is None:
        if mode == "recover":
            raise CloudError(
                "SoftDeletedVaultDoesNotExist",
                f"A soft deleted vault with the given name '{request.name}' does not exist. Ensure that the name for"
                " the vault that is being attempted to recover is in a recoverable state.",
            )
        return
    same_place = arm.normal_location(grave.inputs.get("location")) == arm.normal_location(request.inputs["location"])
    if mode == "default":
        raise CloudError(
            "ConflictError",
            "A vault with the same name already exists in deleted state. You need to either recover or purge existing"
            " key vault. Follow this link https://go.microsoft.com/fwlink/?linkid=2149745 for more information on soft"
            " delete.",
        )
    if grave.id.lower() != request.id.lower() or not same_place:
        raise CloudError("VaultAlreadyExists", _CLASH.format(what="vault", What="Vault", name=request.name))


def _meets_object(_request: Request, _grave: Grave | None) -> None:
    """azure-native recovers a deleted key or secret, then writes it."""


def _purge_key(hardware: Hardware, grave: Grave) -> None:
    *_, vault, _segment, name = grave.id.split("/")
    hardware.destroy_key(vault, name)


def _vault_properties(request: Request) -> Value:
    """The vault's properties as Azure answers them: the inputs, its defaults, and the data-plane URI."""
    given = dict(request.inputs["properties"])
    given.pop("createMode", None)
    return {
        "enableSoftDelete": True,
        "softDeleteRetentionInDays": DEFAULT_RETENTION_DAYS,
        "enableRbacAuthorization": False,
        "publicNetworkAccess": "Enabled",
        "accessPolicies": [],
        **given,
        "vaultUri": f"https://{request.name}.{host_suffix('vault')}/",
        "provisioningState": "Succeeded",
        "hsmPoolResourceId": "",
        "privateEndpointConnections": [],
    }


def _key_uri(request: Request) -> Value:
    return f"https://{vault_name(request)}.{host_suffix('vault')}/keys/{request.name}"


def _key_uri_with_version(request: Request) -> Value:
    """The HSM makes the key here: its version is known from then on."""

    def make() -> Value:
        version = request.session.hardware.create_key(
            vault_name(request), request.name, request.inputs["properties"]
        ).version
        return f"{_key_uri(request)}/{version}"

    return request.keep("keyUriWithVersion", make)


def _key_property(name: str, default: Value = None) -> Compute:
    def compute(request: Request) -> Value:
        value = request.inputs[f"properties.{name}"]
        return default if value is None else value

    return compute


def _key_attributes(request: Request) -> Value:
    given = request.inputs["properties.attributes"] or {}
    moment = request.keep("attributes", lambda: {"created": int(time.time())}).get("created")
    return {
        "enabled": True,
        "exportable": False,
        **given,
        "created": moment,
        "updated": moment,
        "recoveryLevel": "Recoverable+Purgeable" if not keyvault_rules.is_protected(request) else "Recoverable",
    }


def _secret_properties(request: Request) -> Value:
    """The answer never has the value of a secret."""
    given = {key: value for key, value in request.inputs["properties"].items() if key != "value"}
    uri = f"https://{vault_name(request)}.{host_suffix('vault')}/secrets/{request.name}"
    version = request.keep("properties", lambda: {"version": f"{time.time_ns():032x}"})
    number = version.get("version") or str(version.get("secretUriWithVersion", "")).rsplit("/", 1)[-1]
    return {**given, "secretUri": uri, "secretUriWithVersion": f"{uri}/{number}"}


def _hsm_properties(request: Request) -> Value:
    given = dict(request.inputs["properties"] or {})
    given.pop("createMode", None)
    try:
        made = request.keep("properties", lambda: _UNACTIVATED)
    except Undetermined:  # the rest is certain before there is an HSM
        made = dict.fromkeys(_UNACTIVATED, UNKNOWN)
    return {
        **given,
        **{name: made[name] for name in _UNACTIVATED},
        "hsmUri": f"https://{request.name}.{host_suffix('managed-hsm')}/",
        "privateEndpointConnections": [],
        "scheduledPurgeDate": "",
    }


TYPES = (
    ResourceType(
        pulumi_type="azure-native:keyvault:Vault",
        kind=VAULT,
        identify=arm.in_group(VAULT, "vaultName"),
        name_property="vaultName",
        replace_on=("resourceGroupName", "vaultName", "location", "properties.tenantId"),
        references=(Reference("properties.networkAcls.virtualNetworkRules[].id", (SUBNET,)),),
        checks=(
            arm.name_matches(
                r"(?=.{3,24}$)[A-Za-z](?:[A-Za-z0-9]|-(?!-))*[A-Za-z0-9]",
                "VaultNameNotValid",
                "The vault name '{name}' is invalid. A vault's name must be between 3-24 alphanumeric characters. The"
                " name must begin with a letter, end with a letter or digit, and not contain consecutive hyphens."
                " Follow this link for more information: https://go.microsoft.com/fwlink/?linkid=2147742",
            ),
            arm.require_guid("properties.tenantId"),
            keyvault_rules.vault_protection,
            keyvault_rules.retention_range,
            arm.unique("vault", "VaultAlreadyExists", _CLASH.format(what="vault", What="Vault", name="{name}")),
        ),
        outputs={"properties": _vault_properties},
        soft_delete=SoftDelete(space=lambda _: VAULT, retention_days=_retention, meets=_meets_vault),
    ),
    ResourceType(
        pulumi_type="azure-native:keyvault:Key",
        kind=KEY,
        identify=arm.in_group(KEY, "vaultName", "keyName"),
        name_property="keyName",
        naming="copy",
        located="none",
        replace_on=(
            "resourceGroupName",
            "vaultName",
            "keyName",
            "properties.kty",
            "properties.keySize",
            "properties.curveName",
            "properties.attributes.exportable",
            "properties.releasePolicy",
        ),
        checks=(
            keyvault_rules.object_name,
            keyvault_rules.key_type,
            keyvault_rules.key_size,
            keyvault_rules.exportable,
            keyvault_rules.release_policy,
            keyvault_rules.rotation,
        ),
        outputs={
            "kty": _key_property("kty", "RSA"),
            "keySize": _key_property("keySize"),
            "curveName": _key_property("curveName"),
            "keyOps": _key_property("keyOps"),
            "releasePolicy": _key_property("releasePolicy"),
            "rotationPolicy": _key_property("rotationPolicy"),
            "attributes": _key_attributes,
            "keyUri": _key_uri,
            "keyUriWithVersion": _key_uri_with_version,
            "location": lambda request: request.location_of(request.find(request.parent)),
        },
        soft_delete=SoftDelete(
            space=lambda request: f"{KEY}@{vault_name(request)}",
            retention_days=_retention_of_vault,
            meets=_meets_object,
            purged=_purge_key,
        ),
    ),
    ResourceType(
        pulumi_type="azure-native:keyvault:Secret",
        kind=SECRET,
        identify=arm.in_group(SECRET, "vaultName", "secretName"),
        name_property="secretName",
        naming="copy",
        located="none",
        replace_on=("resourceGroupName", "vaultName", "secretName"),
        checks=(keyvault_rules.object_name,),
        outputs={"properties": _secret_properties},
        soft_delete=SoftDelete(
            space=lambda request: f"{SECRET}@{vault_name(request)}",
            retention_days=_retention_of_vault,
            meets=_meets_object,
        ),
    ),
    ResourceType(
        pulumi_type="azure-native:keyvault:ManagedHsm",
        kind=MANAGED_HSM,
        identify=arm.in_group(MANAGED_HSM, "name"),
        name_property="name",
        replace_on=("resourceGroupName", "name", "location", "sku", "properties.tenantId"),
        checks=(
            arm.require_guid("properties.tenantId"),
            keyvault_rules.hsm_administrators,
            keyvault_rules.vault_protection,
            keyvault_rules.retention_range,
            arm.unique("managedhsm", "ManagedHsmAlreadyExists", _CLASH.format(what="HSM", What="HSM", name="{name}")),
        ),
        outputs={"properties": _hsm_properties, "systemData": constant(None)},
        soft_delete=SoftDelete(space=lambda _: MANAGED_HSM, retention_days=_retention, meets=_meets_vault),
    ),
)
