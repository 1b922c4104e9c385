"""A Managed HSM of the tenant's own, with the region's keys; it serves nothing before its officers activate it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi
from pulumi_azure_native import keyvault, monitor, network

import catalog
from components.azure.disk_key import DiskKey
from components.azure.hsm_activation import HsmActivation
from components.azure.hsm_key import HsmKey
from components.azure.hsm_roles import HsmGrant, HsmRole, HsmRoleDefinition
from components.azure.key_vault import RSA_BITS, SOFT_DELETE_DAYS, check_days
from components.azure.placement import Placement
from components.azure.private_endpoint import private_endpoint
from components.component import Component, ComponentArgs
from components.errors import InputError
from components.guest_configuration import model_key_name
from components.naming import azure_name, deterministic_guid, digest
from components.release import ReleasePolicy
from components.release.azure import CONTENT_TYPE, compile_policy, encode

TYPE = "bailiwick:index:AzureManagedHsm"
SERVICE = "managed-hsm"
ROTATION_DAYS = range(28, 731)
"""Days after which a key gets a new version; a Managed HSM rotates no key sooner than 28 days after its creation
(learn.microsoft.com/azure/key-vault/managed-hsm/key-rotation)."""
_DAYS_AFTER_ROTATION = 30
"""How long the version before still wraps, so that no rotation races with a publisher."""
_ALL_KEYS = "/keys"
_ACTION = "Microsoft.KeyVault/managedHsm/keys"
_UNWRAP = [f"{_ACTION}/read/action", f"{_ACTION}/unwrap/action"]
_MANAGE = [
    f"{_ACTION}/read/action",
    f"{_ACTION}/write/action",
    f"{_ACTION}/create",
    f"{_ACTION}/delete",
    f"{_ACTION}/deletedKeys/read/action",
    f"{_ACTION}/deletedKeys/recover/action",
]


@dataclass(frozen=True, slots=True)
class ManagedHsmArgs(ComponentArgs):
    """Inputs of `ManagedHsm`."""

    placement: Placement
    """Where the HSM is."""
    administrators: Sequence[str]
    """Object ids, in the tenant, of who administers the HSM: they activate it, assign its roles, and deploy. At least
    one; an HSM never takes others from a deployment."""
    soft_delete_days: int
    """For how many days a deleted key can be recovered and cannot be purged; 30 to 90."""
    rotation_days: int
    """After how many days a model key gets a new version; 28 to 730."""
    model_keys: Sequence[str]
    """Names of the models; each gets a KEK of its own, which never leaves the HSM."""
    disk_keys: Mapping[str, ReleasePolicy] = field(repr=False)
    """Keys for OS disks by label, and to whom each may be released; another policy needs another label."""
    subnet_id: pulumi.Input[str]
    """Subnet of the private endpoint."""
    zone_ids: Mapping[str, pulumi.Input[str]] = field(repr=False)
    """Private DNS zones by name, from the network."""
    audit_account_id: pulumi.Input[str]
    """Write-once storage account that gets every use of a key."""
    workspace_id: pulumi.Input[str]
    """Log Analytics workspace that gets them too."""
    destroyable_keys: bool = False
    """Weakness: `destroy` deletes the HSM and its keys, and with them everything that was ever encrypted under them.
    For emulated regions. Off, Pulumi refuses to delete HSM and model keys, and forgets disk keys instead."""


class ManagedHsm(Component):
    """`bailiwick:index:AzureManagedHsm`: an HSM of one tenant alone, with the region's keys.

    Creates the HSM and its private endpoint; a diagnostic setting that sends every use of a key to the audit log; once
    the HSM is active, the keys that `KeyVault` has (a KEK for each model, a releasable key for the OS disks of each
    image), a role that unwraps and does nothing else, and a role for the administrators that manages keys and can use
    none. Keys and roles are dynamic resources on Microsoft's SDK, for azure-native has none for them.

    A deployment has two stages. The first creates the HSM and then stops, saying what its officers do: three to ten of
    them download the security domain, encrypted so that a quorum of their private keys opens it. Those keys never come
    near a deployment. The second goes on from there (docs/runbooks/managed-hsm.md).

    Guarantees: keys are generated in the HSM and are in no state file; deleted keys can be recovered for
    `soft_delete_days` and purged by nobody before; nothing but the private endpoint reaches the HSM; who deploys can
    neither wrap, unwrap nor release; Pulumi does not delete a key; contents stay in the one region.

    Does not: activate the HSM, keep its security domain, extend it to a second region, or adopt keys by `import_ids`
    (Pulumi imports no dynamic resource): a key of the same name with this stack's tags is taken over by itself. Whoever
    deploys must reach the private endpoint.
    """

    id: pulumi.Output[str]
    """Resource id of the HSM."""
    uri: str
    """Data-plane URL of the HSM, known before it exists."""
    model_key_ids: Mapping[str, pulumi.Output[str]]
    """URL of each model's KEK, without a version."""
    unwrap_grants: Mapping[str, HsmGrant]
    """The right to unwrap with each model's KEK and do nothing else, by model."""
    disk_keys: Mapping[str, DiskKey]
    """The OS-disk keys, by label."""

    def __init__(self, name: str, args: ManagedHsmArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        _check(args)
        policies = {label: encode(compile_policy(policy)) for label, policy in args.disk_keys.items()}
        self.uri = self.uri_in(args.placement)
        super().__init__(TYPE, name, args, opts)
        self._stem = name
        self._args = args
        self._child = pulumi.ResourceOptions(parent=self)
        self._kept = pulumi.ResourceOptions(
            protect=not args.destroyable_keys, retain_on_delete=not args.destroyable_keys
        )
        hsm = self._hsm()
        self.id = hsm.id
        active = self._activation(hsm, [self._endpoint(), self._log()])
        self._inside = active.hsmUri
        unwrap = self._role("unwrap", "Unwrap a data key with a key of this region.", _UNWRAP)
        self._managed = pulumi.ResourceOptions(parent=self, depends_on=self._managers())
        keys = {model: self._model_key(model) for model in args.model_keys}
        self.model_key_ids = {model: key.keyUri for model, key in keys.items()}
        self.unwrap_grants = {model: self._grant(f"unwrap-{model}", unwrap.id, key) for model, key in keys.items()}
        self.disk_keys = {label: self._granted(self._disk_key(label, data)) for label, data in policies.items()}
        self.register_outputs({"id": self.id, "uri": self.uri, "unwrapRoleId": unwrap.id})

    @staticmethod
    def name_in(placement: Placement) -> str:
        """Name of the region's HSM."""
        return placement.unique_name("managed HSM", f"hsm-{placement.stack}")

    @classmethod
    def uri_in(cls, placement: Placement) -> str:
        """Data-plane URL of the region's HSM, as Azure forms it from the HSM's name."""
        return "https://" + _service().endpoints["hsm"].format(name=cls.name_in(placement)) + "/"

    def _hsm(self) -> "keyvault.ManagedHsm":
        args, placement = self._args, self._args.placement
        return keyvault.ManagedHsm(
            f"{self._stem}-hsm",
            name=self.name_in(placement),
            resource_group_name=placement.resource_group_name,
            location=placement.location,
            sku=keyvault.ManagedHsmSkuArgs(family=keyvault.ManagedHsmSkuFamily.B, name=_service().skus[0]),
            properties=keyvault.ManagedHsmPropertiesArgs(
                tenant_id=placement.tenant_id,
                initial_admin_object_ids=list(args.administrators),
                enable_purge_protection=True,
                enable_soft_delete=True,
                soft_delete_retention_in_days=args.soft_delete_days,
                public_network_access=keyvault.PublicNetworkAccess.DISABLED,
                network_acls=keyvault.MHSMNetworkRuleSetArgs(
                    default_action=keyvault.NetworkRuleAction.DENY, bypass=keyvault.NetworkRuleBypassOptions.NONE
                ),
            ),
            tags=placement.tag_mapping,
            opts=pulumi.ResourceOptions.merge(self._child, self._kept),
        )

    def _endpoint(self) -> "network.PrivateEndpoint":
        args = self._args
        return private_endpoint(
            f"{self._stem}-endpoint",
            placement=args.placement,
            service=_service().private_endpoint or SERVICE,
            target_id=self.id,
            subnet_id=args.subnet_id,
            zone_ids=args.zone_ids,
            opts=self._child,
        )

    def _log(self) -> "monitor.DiagnosticSetting":
        args = self._args
        return monitor.DiagnosticSetting(
            f"{self._stem}-log",
            name=args.placement.name("diagnostic setting", "keys"),
            resource_uri=self.id,
            storage_account_id=args.audit_account_id,
            workspace_id=args.workspace_id,
            logs=[monitor.DiagnosticsLogSettingsArgs(category_group="audit", enabled=True)],
            opts=self._child,
        )

    def _activation(self, hsm: "keyvault.ManagedHsm", needed: Sequence[pulumi.Resource]) -> HsmActivation:
        """Whether the HSM is active is asked anew in each run: state has it as it was when the HSM was made."""
        name = self.name_in(self._args.placement)
        now = keyvault.get_managed_hsm_output(
            name=hsm.properties.apply(lambda _: name),
            resource_group_name=self._args.placement.resource_group_name,
            opts=pulumi.InvokeOutputOptions(parent=self),
        )
        return HsmActivation(
            f"{self._stem}-activation",
            hsm_uri=self.uri,
            hsm_name=name,
            activation_status=now.properties.apply(lambda found: found.security_domain_properties.activation_status),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[hsm, *needed]),
        )

    def _role(self, label: str, description: str, data_actions: list[str]) -> HsmRoleDefinition:
        placement = self._args.placement
        return HsmRoleDefinition(
            f"{self._stem}-{label}-role",
            hsm_uri=self._inside,
            role_definition_name=deterministic_guid(placement.subscription_id, placement.stack, SERVICE, label),
            role_name=f"Bailiwick key {label} ({placement.stack})",
            description=description,
            data_actions=data_actions,
            opts=self._child,
        )

    def _managers(self) -> list[pulumi.Resource]:
        """An administrator of an HSM may not touch its keys; the built-in role for that could use them all as well."""
        role = self._role("management", "Manage the keys of this region, and use none.", _MANAGE)
        grant = HsmGrant("manage", self._inside, role.id, _ALL_KEYS)
        return [
            grant.assign(
                f"{self._stem}-manage-{digest(who)}",
                placement=self._args.placement,
                principal_id=who,
                opts=self._child,
            )
            for who in self._args.administrators
        ]

    def _model_key(self, model: str) -> HsmKey:
        days = self._args.rotation_days
        rotate = {"action": {"type": "rotate"}, "trigger": {"timeAfterCreate": f"P{days}D"}}
        properties = {
            "kty": "RSA-HSM",
            "keySize": RSA_BITS,
            "keyOps": ["wrapKey", "unwrapKey"],
            "attributes": {"enabled": True, "exportable": False},
            "rotationPolicy": {
                "attributes": {"expiryTime": f"P{days + _DAYS_AFTER_ROTATION}D"},
                "lifetimeActions": [rotate],
            },
        }
        return self._key(model_key_name(model), properties, self._kept)

    def _disk_key(self, label: str, release_policy: str) -> HsmKey:
        """An OS-disk key; why it neither rotates nor is protected, `KeyVault` says."""
        properties = {
            "kty": "RSA-HSM",
            "keySize": RSA_BITS,
            "keyOps": ["wrapKey", "unwrapKey"],
            "attributes": {"enabled": True, "exportable": True},
            "releasePolicy": {"contentType": CONTENT_TYPE, "data": release_policy},
        }
        retained = pulumi.ResourceOptions(retain_on_delete=not self._args.destroyable_keys)
        return self._key(f"os-disk-{label}", properties, retained)

    def _key(self, key_name: str, properties: dict[str, Any], opts: pulumi.ResourceOptions) -> HsmKey:
        return HsmKey(
            f"{self._stem}-{key_name}",
            hsm_uri=self._inside,
            key_name=azure_name("key", key_name),
            properties=properties,
            tags=self._args.placement.tag_mapping,
            opts=pulumi.ResourceOptions.merge(self._managed, opts),
        )

    def _grant(self, name: str, role_id: pulumi.Input[str], key: HsmKey) -> HsmGrant:
        return HsmGrant(name, self._inside, role_id, pulumi.Output.concat(_ALL_KEYS, "/", key.keyName))

    def _granted(self, key: HsmKey) -> DiskKey:
        return DiskKey(
            url=key.keyUriWithVersion,
            vault_id=None,
            wrap=self._grant("wrap", HsmRole.ENCRYPTION_USER.definition_id, key),
            release=self._grant("release", HsmRole.RELEASE_USER.definition_id, key),
        )


def _service() -> catalog.Service:
    return catalog.load().service("azure", SERVICE)


def _check(args: ManagedHsmArgs) -> None:
    if not args.administrators:
        raise InputError(
            TYPE, "administrators", "is empty: nobody could activate the HSM", "the object ids of who will"
        )
    check_days(TYPE, "soft_delete_days", args.soft_delete_days, SOFT_DELETE_DAYS)
    check_days(TYPE, "rotation_days", args.rotation_days, ROTATION_DAYS)
