"""The Kubernetes clusters of an Azure region, each with identities that may do what it must and no more."""

from collections.abc import Sequence

import pulumi

from components.azure.cluster_services import ClusterServices
from components.azure.confidential_cluster import ConfidentialCluster, ConfidentialClusterArgs, NodeIdentity
from components.azure.disk_key import DiskKey
from components.azure.placement import Placement
from components.azure.roles import Role
from components.azure.sovereign_network import SovereignNetwork
from components.azure.workload_identity import Grant, WorkloadIdentity, WorkloadIdentityArgs
from components.gpu_pool import gpu_pool_of
from components.spec import ClusterSpec

DISKS, SECRETS = "cluster-disks", "cluster-secrets"
"""Names of the vault's keys for nodes' disks and for the secrets that clusters keep."""


def build_cluster(
    name: str,
    cluster: ClusterSpec,
    *,
    placement: Placement,
    net: SovereignNetwork,
    services: ClusterServices,
    secrets: DiskKey,
    admin_group_ids: Sequence[str],
    opts: pulumi.ResourceOptions,
) -> ConfidentialCluster:
    """One cluster in its own subnet. secrets: the vault's key for what the cluster keeps."""
    subnet_id, nodes = net.cluster_subnet_ids[cluster.name], services.nodes

    def grant(label: str, role: Role, scope: pulumi.Input[str]) -> Grant:
        return Grant(label, role.definition_id(placement), scope)

    control = WorkloadIdentity(
        f"{name}-control",
        WorkloadIdentityArgs(
            placement=placement,
            role=f"{cluster.name}-control",
            grants=[
                grant("subnet", Role.NETWORK_CONTRIBUTOR, subnet_id),
                grant("secrets", Role.KEY_USER, secrets.wrap.scope),
                grant("disks", Role.READER, services.disk_encryption_set_id),
                grant("nodes", Role.IDENTITY_OPERATOR, nodes.id),
            ],
        ),
        opts=opts,
    )
    args = ConfidentialClusterArgs(
        placement=placement,
        role=cluster.name,
        size=cluster.size,
        tee=cluster.tee,
        nodes=cluster.nodes,
        subnet_id=subnet_id,
        identity_id=control.id,
        node_identity=NodeIdentity(id=nodes.id, client_id=nodes.client_id, principal_id=nodes.principal_id),
        registry_id=services.registry_id,
        disk_encryption_set_id=services.disk_encryption_set_id,
        secrets_key_url=secrets.url,
        vault_id=secrets.vault_id or "",
        admin_group_ids=admin_group_ids,
        gpu_pool=gpu_pool_of(cluster),
    )
    waits = pulumi.ResourceOptions(depends_on=[services, *control.assignments, *nodes.assignments])
    return ConfidentialCluster(name, args, opts=pulumi.ResourceOptions.merge(opts, waits))
