"""The Kubernetes clusters of an Azure region, each with identities that may do what it must and no more."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from components.addresses import Segment
from components.azure.audit_log import AuditLog
from components.azure.cluster_services import ClusterServices, ClusterServicesArgs
from components.azure.confidential_cluster import ConfidentialCluster, ConfidentialClusterArgs, NodeIdentity
from components.azure.key_vault import SERVICE, KeyVault, KeyVaultArgs
from components.azure.placement import Placement
from components.azure.roles import Role
from components.azure.sovereign_network import SovereignNetwork
from components.azure.workload_identity import Grant, WorkloadIdentity, WorkloadIdentityArgs
from components.gpu_pool import gpu_pool_of
from components.spec import ClusterSpec, RegionSpec

VAULT_ROLE = "clusters"
_DISKS, _SECRETS = "cluster-disks", "cluster-secrets"


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionClusters:
    """What the clusters of one region are made from.

    Their keys have a vault of their own, whatever keeps the region's: AKS takes none of a Managed HSM, and the right
    over a vault that it wants must not be one over the models' keys.
    """

    stack: str
    spec: RegionSpec
    placement: Placement
    network: SovereignNetwork
    audit: AuditLog
    admin_group_ids: Sequence[str]
    opts: pulumi.ResourceOptions

    def build(self) -> dict[str, ConfidentialCluster]:
        """The clusters by name, and what they share; nothing where the specification has none."""
        if self.network.control_plane_subnet_id is None:
            return {}
        vault = self._vault()
        services = ClusterServices(
            f"{self.stack}-clusters",
            ClusterServicesArgs(
                placement=self.placement,
                disk_key=vault.service_keys[_DISKS],
                subnet_id=self.network.subnet_ids[Segment.ENDPOINTS],
                zone_ids=self.network.zone_ids,
            ),
            opts=self._after(self.network, vault),
        )
        return {
            cluster.name: self._cluster(cluster, vault, services, self.network.control_plane_subnet_id)
            for cluster in self.spec.clusters
        }

    def _vault(self) -> KeyVault:
        keys = self.spec.keys
        args = KeyVaultArgs(
            placement=self.placement,
            service=SERVICE,
            role=VAULT_ROLE,
            soft_delete_days=keys.soft_delete_days,
            rotation_days=keys.rotation_days,
            model_keys=(),
            disk_keys={},
            service_keys=(_DISKS, _SECRETS),
            subnet_id=self.network.subnet_ids[Segment.ENDPOINTS],
            zone_ids=self.network.zone_ids,
            audit_account_id=self.audit.account_id,
            workspace_id=self.audit.workspace_id,
            destroyable_keys=self.spec.emulated,
        )
        return KeyVault(f"{self.stack}-cluster-keys", args, opts=self.opts)

    def _cluster(
        self,
        cluster: ClusterSpec,
        vault: KeyVault,
        services: ClusterServices,
        control_plane_subnet_id: pulumi.Input[str],
    ) -> ConfidentialCluster:
        """One cluster in its own subnet."""
        name, nodes = f"{self.stack}-{cluster.name}", services.nodes
        subnet_id, secrets = self.network.cluster_subnet_ids[cluster.name], vault.service_keys[_SECRETS]
        grants = [
            self._grant("subnet", Role.NETWORK_CONTRIBUTOR, subnet_id),
            self._grant("control-plane", Role.NETWORK_CONTRIBUTOR, control_plane_subnet_id),
            self._grant("secrets", Role.KEY_USER, secrets.wrap.scope),
            *([vault.admit_grant] if vault.admit_grant else []),
            self._grant("disks", Role.READER, services.disk_encryption_set_id),
            self._grant("nodes", Role.IDENTITY_OPERATOR, nodes.id),
        ]
        control = WorkloadIdentity(
            f"{name}-control",
            WorkloadIdentityArgs(placement=self.placement, role=f"{cluster.name}-control", grants=grants),
            opts=self._after(self.network, vault),
        )
        args = ConfidentialClusterArgs(
            placement=self.placement,
            role=cluster.name,
            size=cluster.size,
            tee=cluster.tee,
            nodes=cluster.nodes,
            subnet_id=subnet_id,
            control_plane_subnet_id=control_plane_subnet_id,
            identity_id=control.id,
            node_identity=NodeIdentity(id=nodes.id, client_id=nodes.client_id, principal_id=nodes.principal_id),
            registry_id=services.registry_id,
            disk_encryption_set_id=services.disk_encryption_set_id,
            secrets_key_url=secrets.url,
            vault_id=vault.id,
            admin_group_ids=self.admin_group_ids,
            gpu_pool=gpu_pool_of(cluster),
        )
        after = self._after(self.network, vault, services, *control.assignments, *nodes.assignments)
        return ConfidentialCluster(name, args, opts=after)

    def _grant(self, label: str, role: Role, scope: pulumi.Input[str]) -> Grant:
        return Grant(label, role.definition_id(self.placement), scope)

    def _after(self, *needed: pulumi.Resource) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions.merge(self.opts, pulumi.ResourceOptions(depends_on=list(needed)))
