"""Keys that are born in an HSM and stay there, and the one kind that may leave it for proven hardware."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
from pulumi_azure_native import authorization, keyvault, monitor

import catalog
from components.azure.disk_key import DiskKey
from components.azure.placement import Placement
from components.azure.private_endpoint import private_endpoint
from components.azure.roles import Role
from components.azure.workload_identity import Grant
from components.component import Component, ComponentArgs
from components.errors import InputError
from components.guest_configuration import model_key_name
from components.naming import azure_name, deterministic_guid
from components.release import ReleasePolicy
from components.release.azure import CONTENT_TYPE, compile_policy, encode

TYPE = "bailiwick:index:AzureKeyVault"
SERVICE = "key-vault-premium"
RSA_BITS = 3072
SOFT_DELETE_DAYS = range(30, 91)
"""Days for which a deleted key can be recovered: Azure allows 7 to 90, and less than 30 is too short to notice."""
ROTATION_DAYS = range(7, 731)
"""Days after which a key gets a new version; Azure rotates seven days after creation at the earliest."""
_DAYS_AFTER_ROTATION = 30
"""How long the version before still wraps, so that no rotation races with a publisher."""


@dataclass(frozen=True, slots=True)
class KeyVaultArgs(ComponentArgs):
    """Inputs of `KeyVault`."""

    placement: Placement
    """Where the vault is."""
    service: str
    """Key service, as the catalogue names it; `key-vault-premium`."""
    soft_delete_days: int
    """For how many days a deleted key can be recovered and cannot be purged; 30 to 90."""
    rotation_days: int
    """After how many days a model key gets a new version; 7 to 730."""
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
    role: str = ""
    """What the vault is for where it is not the region's own, such as `clusters`; part of its name."""
    service_keys: Sequence[str] = ()
    """Names of keys with which services of Azure encrypt what they keep; such a key never leaves the HSM either."""
    destroyable_keys: bool = False
    """Weakness: `destroy` deletes vault and keys, and with them everything that was ever encrypted under them. For
    emulated regions. Off, Pulumi refuses to delete vault and model keys, and forgets disk keys instead."""


class KeyVault(Component):
    """`bailiwick:index:AzureKeyVault`: a Premium vault with the region's keys.

    Creates the vault and its private endpoint; a KEK for each model (`model-<name>`: RSA-HSM, wrap and unwrap only,
    not exportable, rotated); a key for the OS disks of each image (`os-disk-<label>`: RSA-HSM, exportable under a
    release policy); a key for each of `service_keys`; where there are models, a role that may unwrap and nothing else,
    and for services one that may let their private endpoints in and nothing else; a diagnostic setting that sends every
    use of a key to the audit log.

    Guarantees: keys are generated in the HSM and are in no state file; deleted keys can be recovered for
    `soft_delete_days` and purged by nobody before; nothing but the private endpoint reaches the vault, Azure's own
    services included; rights are roles, not access policies; Pulumi does not delete a key.

    Does not: have the HSM for itself: its tenant shares it with others. `ManagedHsm` is of one tenant alone.
    """

    id: pulumi.Output[str]
    """Resource id of the vault."""
    uri: str
    """Data-plane URL of the vault, known before it exists."""
    model_key_ids: Mapping[str, pulumi.Output[str]]
    """Resource id of each model's KEK."""
    unwrap_grants: Mapping[str, Grant]
    """The right to unwrap with each model's KEK and do nothing else, by model."""
    disk_keys: Mapping[str, DiskKey]
    """The OS-disk keys, by label."""
    service_keys: Mapping[str, DiskKey]
    """The keys of services, by name."""
    admit_grant: Grant | None
    """The right to make a private way to the vault and do nothing else, for a service that makes its own; None without
    `service_keys`."""

    def __init__(self, name: str, args: KeyVaultArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        _check(args)
        policies = {label: encode(compile_policy(policy)) for label, policy in args.disk_keys.items()}
        placement = args.placement
        self.uri = self.uri_in(placement, args.role)
        super().__init__(TYPE, name, args, opts)
        self._stem = name
        self._args = args
        self._child = pulumi.ResourceOptions(parent=self)
        self._kept = pulumi.ResourceOptions(
            parent=self, protect=not args.destroyable_keys, retain_on_delete=not args.destroyable_keys
        )
        self._vault = self._create_vault()
        self.id = self._vault.id
        private_endpoint(
            f"{name}-endpoint",
            placement=placement,
            service=_service().private_endpoint or SERVICE,
            target_id=self.id,
            subnet_id=args.subnet_id,
            zone_ids=args.zone_ids,
            opts=self._child,
        )
        self._log()
        unwrap_role_id = self._unwrap_role() if args.model_keys else None
        self.model_key_ids = {model: self._model_key(model).id for model in args.model_keys}
        self.unwrap_grants = {
            model: Grant(f"unwrap-{model}", unwrap_role_id, key_id)
            for model, key_id in self.model_key_ids.items()
            if unwrap_role_id is not None
        }
        self.disk_keys = {label: self._granted(self._disk_key(label, data)) for label, data in policies.items()}
        self.service_keys = {label: self._granted(self._service_key(label)) for label in args.service_keys}
        self.admit_grant = Grant("vault", self._admit_role(), self.id) if args.service_keys else None
        self.register_outputs({"id": self.id, "uri": self.uri, "unwrapRoleId": unwrap_role_id})

    @staticmethod
    def name_in(placement: Placement, role: str = "") -> str:
        """Name of the region's vault, or of another of the region."""
        return placement.unique_name("vault", f"kv-{role}-{placement.stack}" if role else f"kv-{placement.stack}")

    @classmethod
    def uri_in(cls, placement: Placement, role: str = "") -> str:
        """Data-plane URL of that vault, as Azure forms it from the vault's name."""
        return "https://" + _service().endpoints["vault"].format(name=cls.name_in(placement, role)) + "/"

    def _create_vault(self) -> "keyvault.Vault":
        placement = self._args.placement
        return keyvault.Vault(
            f"{self._stem}-vault",
            vault_name=self.name_in(placement, self._args.role),
            resource_group_name=placement.resource_group_name,
            location=placement.location,
            properties=keyvault.VaultPropertiesArgs(
                tenant_id=placement.tenant_id,
                sku=keyvault.SkuArgs(family=keyvault.SkuFamily.A, name=keyvault.SkuName.PREMIUM),
                enable_rbac_authorization=True,
                enable_purge_protection=True,
                enable_soft_delete=True,
                soft_delete_retention_in_days=self._args.soft_delete_days,
                enabled_for_deployment=False,
                enabled_for_disk_encryption=False,
                enabled_for_template_deployment=False,
                public_network_access="Disabled",
                network_acls=keyvault.NetworkRuleSetArgs(
                    default_action=keyvault.NetworkRuleAction.DENY, bypass=keyvault.NetworkRuleBypassOptions.NONE
                ),
            ),
            tags=placement.tag_mapping,
            opts=self._kept,
        )

    def _log(self) -> None:
        placement = self._args.placement
        monitor.DiagnosticSetting(
            f"{self._stem}-log",
            name=placement.name("diagnostic setting", "keys"),
            resource_uri=self.id,
            storage_account_id=self._args.audit_account_id,
            workspace_id=self._args.workspace_id,
            logs=[monitor.DiagnosticsLogSettingsArgs(category_group="audit", enabled=True)],
            opts=self._child,
        )

    def _unwrap_role(self) -> pulumi.Output[str]:
        """The narrowest built-in role that unwraps also wraps; the broker has no business wrapping."""
        data_actions = ["Microsoft.KeyVault/vaults/keys/read", "Microsoft.KeyVault/vaults/keys/unwrap/action"]
        return self._role(
            "unwrap",
            "Unwrap a data key with a key of this region.",
            authorization.PermissionArgs(actions=[], data_actions=data_actions),
        )

    def _admit_role(self) -> pulumi.Output[str]:
        """Azure's page for AKS names Key Vault Contributor, which could also take the vault's keys from the roles."""
        actions = [
            "Microsoft.KeyVault/vaults/read",
            "Microsoft.KeyVault/vaults/PrivateEndpointConnectionsApproval/action",
        ]
        return self._role(
            "admit",
            "Let a private endpoint into a vault of this region.",
            authorization.PermissionArgs(actions=actions, data_actions=[]),
        )

    def _role(self, label: str, description: str, permission: "authorization.PermissionArgs") -> pulumi.Output[str]:
        placement = self._args.placement
        scope = placement.resource_group_id
        role = authorization.RoleDefinition(
            f"{self._stem}-{label}-role",
            role_definition_id=deterministic_guid(placement.subscription_id, placement.stack, label),
            role_name=f"Bailiwick key {label} ({placement.stack})",
            description=description,
            scope=scope,
            assignable_scopes=[scope],
            permissions=[permission],
            opts=self._child,
        )
        role_id: pulumi.Output[str] = role.id
        return role_id

    def _rotation(self) -> "keyvault.RotationPolicyArgs":
        return keyvault.RotationPolicyArgs(
            attributes=keyvault.KeyRotationPolicyAttributesArgs(
                expiry_time=f"P{self._args.rotation_days + _DAYS_AFTER_ROTATION}D"
            ),
            lifetime_actions=[
                keyvault.LifetimeActionArgs(
                    action=keyvault.ActionArgs(type=keyvault.KeyRotationPolicyActionType.ROTATE),
                    trigger=keyvault.TriggerArgs(time_after_create=f"P{self._args.rotation_days}D"),
                )
            ],
        )

    def _model_key(self, model: str) -> "keyvault.Key":
        operations = [keyvault.JsonWebKeyOperation.WRAP_KEY, keyvault.JsonWebKeyOperation.UNWRAP_KEY]
        return self._key(model_key_name(model), operations, opts=self._kept)

    def _disk_key(self, label: str, release_policy: str) -> "keyvault.Key":
        """An OS-disk key. It leaves the program with the last machine of its image: retained, but not protected."""
        return self._key(
            f"os-disk-{label}",
            [
                keyvault.JsonWebKeyOperation.WRAP_KEY,
                keyvault.JsonWebKeyOperation.UNWRAP_KEY,
                keyvault.JsonWebKeyOperation.RELEASE,
            ],
            release_policy=keyvault.KeyReleasePolicyArgs(content_type=CONTENT_TYPE, data=release_policy),
            opts=pulumi.ResourceOptions(parent=self, retain_on_delete=not self._args.destroyable_keys),
        )

    def _service_key(self, label: str) -> "keyvault.Key":
        """A key at rest. A deployment tells services of the version after each rotation; the one before still opens."""
        return self._key(
            label,
            [
                keyvault.JsonWebKeyOperation.ENCRYPT,
                keyvault.JsonWebKeyOperation.DECRYPT,
                keyvault.JsonWebKeyOperation.WRAP_KEY,
                keyvault.JsonWebKeyOperation.UNWRAP_KEY,
            ],
            opts=pulumi.ResourceOptions.merge(self._child, self._kept),
        )

    def _granted(self, key: "keyvault.Key") -> DiskKey:
        placement = self._args.placement
        return DiskKey(
            url=key.key_uri_with_version,
            vault_id=self.id,
            wrap=Grant("wrap", Role.KEY_ENCRYPTION_USER.definition_id(placement), key.id),
            release=Grant("release", Role.KEY_RELEASE_USER.definition_id(placement), key.id),
        )

    def _key(
        self,
        key_name: str,
        operations: "Sequence[keyvault.JsonWebKeyOperation]",
        *,
        release_policy: "keyvault.KeyReleasePolicyArgs | None" = None,
        opts: pulumi.ResourceOptions,
    ) -> "keyvault.Key":
        """A key in the HSM: rotated, or released, for keys of confidential disks rotate with the machines stopped."""
        return keyvault.Key(
            f"{self._stem}-{key_name}",
            key_name=azure_name("key", key_name),
            vault_name=self._vault.name,
            resource_group_name=self._args.placement.resource_group_name,
            properties=keyvault.KeyPropertiesArgs(
                kty=keyvault.JsonWebKeyType.RS_A_HSM,
                key_size=RSA_BITS,
                key_ops=list(operations),
                attributes=keyvault.KeyAttributesArgs(enabled=True, exportable=release_policy is not None),
                release_policy=release_policy,
                rotation_policy=None if release_policy else self._rotation(),
            ),
            tags=self._args.placement.tag_mapping,
            opts=opts,
        )


def _service() -> catalog.Service:
    return catalog.load().service("azure", SERVICE)


def _check(args: KeyVaultArgs) -> None:
    if args.service != SERVICE:
        raise InputError(TYPE, "service", f"{args.service!r} is no vault", SERVICE)
    check_days(TYPE, "soft_delete_days", args.soft_delete_days, SOFT_DELETE_DAYS)
    check_days(TYPE, "rotation_days", args.rotation_days, ROTATION_DAYS)


def check_days(component: str, name: str, days: int, allowed: range) -> None:
    """Raise `InputError` in the name of `component` for a period that the service does not take."""
    if days not in allowed:
        nearest = str(min(max(days, allowed[0]), allowed[-1]))
        raise InputError(component, name, f"{days} is not between {allowed[0]} and {allowed[-1]} days", nearest)
