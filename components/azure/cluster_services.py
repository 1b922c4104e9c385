"""What the clusters of a region need besides their nodes: a registry, and encryption of nodes' disks and of secrets."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi
from pulumi_azure_native import compute, containerregistry

import catalog
from components.azure.disk_key import DiskKey
from components.azure.hsm_roles import HsmGrant
from components.azure.machine_types import CLOUD
from components.azure.placement import Placement
from components.azure.private_endpoint import private_endpoint
from components.azure.roles import Role
from components.azure.workload_identity import Grant, WorkloadIdentity, WorkloadIdentityArgs
from components.component import Component, ComponentArgs

TYPE = "bailiwick:index:AzureClusterServices"
SERVICE = "container-registry"


@dataclass(frozen=True, slots=True)
class ClusterServicesArgs(ComponentArgs):
    """Inputs of `ClusterServices`."""

    placement: Placement
    """Where they are."""
    disk_key: DiskKey
    """Key of the nodes' disks."""
    subnet_id: pulumi.Input[str]
    """Subnet of the private endpoint."""
    zone_ids: Mapping[str, pulumi.Input[str]] = field(repr=False)
    """Private DNS zones by name, from the network."""


class ClusterServices(Component):
    """`bailiwick:index:AzureClusterServices`: what all clusters of a region share.

    Creates a private container registry with its private endpoint, an identity for nodes that may pull from it, and a
    disk encryption set of the ordinary kind for their disks.

    Guarantees: nothing but the private endpoint reaches the registry; nobody pulls from it anonymously or with a
    password; images stay in the one region; disks are under the region's HSM key.

    Does not: fill the registry. AKS starts no node before the registry has AKS's own images under
    `aks-managed-repository/` (`az acr import`): a rule that caches them would reach out of the jurisdiction.
    """

    registry_id: pulumi.Output[str]
    """Resource id of the registry."""
    disk_encryption_set_id: pulumi.Output[str]
    """Resource id of the disk encryption set."""
    nodes: WorkloadIdentity
    """The identity of the nodes."""

    def __init__(self, name: str, args: ClusterServicesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(TYPE, name, args, opts)
        self._stem = name
        self._args = args
        self._child = pulumi.ResourceOptions(parent=self)
        self.registry_id = self._registry()
        self.disk_encryption_set_id = self._disks()
        pull = Grant("pull", Role.REGISTRY_PULL.definition_id(args.placement), self.registry_id)
        self.nodes = self._identity("nodes", pull)
        self.register_outputs({"registryId": self.registry_id, "diskEncryptionSetId": self.disk_encryption_set_id})

    def _registry(self) -> pulumi.Output[str]:
        placement, redundancy = self._args.placement, containerregistry.ZoneRedundancy
        has_zones = catalog.load().region(CLOUD, placement.location).zone_names
        registry = containerregistry.Registry(
            f"{self._stem}-registry",
            registry_name=placement.unique_name("container registry", f"acr{placement.stack}"),
            resource_group_name=placement.resource_group_name,
            location=placement.location,
            sku=containerregistry.SkuArgs(name=containerregistry.SkuName.PREMIUM),
            admin_user_enabled=False,
            anonymous_pull_enabled=False,
            data_endpoint_enabled=True,
            public_network_access=containerregistry.PublicNetworkAccess.DISABLED,
            network_rule_bypass_options=containerregistry.NetworkRuleBypassOptions.NONE,
            zone_redundancy=redundancy.ENABLED if has_zones else redundancy.DISABLED,
            tags=placement.tag_mapping,
            opts=self._child,
        )
        private_endpoint(
            f"{self._stem}-registry-endpoint",
            placement=placement,
            service=SERVICE,
            target_id=registry.id,
            subnet_id=self._args.subnet_id,
            zone_ids=self._args.zone_ids,
            opts=self._child,
        )
        registry_id: pulumi.Output[str] = registry.id
        return registry_id

    def _disks(self) -> pulumi.Output[str]:
        placement, key = self._args.placement, self._args.disk_key
        identity = self._identity("node-disks", key.wrap)
        encryption = compute.DiskEncryptionSet(
            f"{self._stem}-disks",
            disk_encryption_set_name=placement.name("disk encryption set", "nodes"),
            resource_group_name=placement.resource_group_name,
            location=placement.location,
            encryption_type=compute.DiskEncryptionSetType.ENCRYPTION_AT_REST_WITH_CUSTOMER_KEY,
            identity=compute.EncryptionSetIdentityArgs(
                type=compute.DiskEncryptionSetIdentityType.USER_ASSIGNED, user_assigned_identities=[identity.id]
            ),
            active_key=compute.KeyForDiskEncryptionSetArgs(
                key_url=key.url, source_vault=key.vault_id and compute.SourceVaultArgs(id=key.vault_id)
            ),
            rotation_to_latest_key_version_enabled=True,
            tags=placement.tag_mapping,
            opts=pulumi.ResourceOptions(parent=self, depends_on=identity.assignments),
        )
        set_id: pulumi.Output[str] = encryption.id
        return set_id

    def _identity(self, role: str, grant: Grant | HsmGrant) -> WorkloadIdentity:
        args = WorkloadIdentityArgs(placement=self._args.placement, role=role, grants=[grant])
        return WorkloadIdentity(f"{self._stem}-{role}", args, opts=self._child)
