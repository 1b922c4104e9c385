"""A Kubernetes cluster whose nodes are confidential machines and whose control plane is private."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_azure_native import containerservice

import catalog
from components.azure.flows import POD_RANGE
from components.azure.machine_types import CLOUD
from components.azure.node_pools import Nodes, Pools, check_gpu_pool, check_nodes
from components.azure.placement import Placement
from components.component import Component, ComponentArgs
from components.errors import InputError
from components.gpu_pool import GpuPool

TYPE = "bailiwick:index:AzureConfidentialCluster"
_SYSTEM_NODES = 2
_POOL, _GPU_POOL = "confidential", "gpus"
_SERVICE_RANGE, _DNS_ADDRESS = "100.65.0.0/16", "100.65.0.10"
"""Inside the cluster only, as its pods' range."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeIdentity:
    """A user-assigned identity as the nodes have it."""

    id: pulumi.Input[str]
    """Resource id of the identity."""
    client_id: pulumi.Input[str]
    """Its application (client) id."""
    principal_id: pulumi.Input[str]
    """Object id of its service principal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfidentialClusterArgs(ComponentArgs):
    """Inputs of `ConfidentialCluster`."""

    placement: Placement
    """Where the cluster is."""
    role: str
    """What the cluster is, such as `serving`; part of its name."""
    size: str
    """Azure size of the nodes; AKS must offer it with the TEE."""
    tee: str
    """Trusted execution environment of the nodes: `snp`."""
    nodes: int
    """Number of nodes for workloads, spread over the zones; two more run the cluster's own parts."""
    subnet_id: pulumi.Input[str]
    """Subnet of the nodes."""
    control_plane_subnet_id: pulumi.Input[str]
    """Subnet of the control plane, delegated to AKS; clusters can share it."""
    identity_id: pulumi.Input[str]
    """User-assigned identity of the control plane: network contributor on both subnets; let a private endpoint into the
    vault, and encrypt and decrypt with the key of the secrets."""
    node_identity: NodeIdentity
    """Identity of the nodes: pull from the registry."""
    registry_id: pulumi.Input[str]
    """Private container registry with the cache of the images that AKS itself needs; nodes pull from nowhere else."""
    disk_encryption_set_id: pulumi.Input[str]
    """Disk encryption set of the ordinary kind for the nodes' disks: the confidential kind is for single machines."""
    secrets_key_url: pulumi.Input[str]
    """URL, with version, of the key under which secrets in etcd are encrypted."""
    vault_id: pulumi.Input[str]
    """Vault that holds that key. AKS takes none of a Managed HSM (MicrosoftDocs/azure-aks-docs,
    use-kms-etcd-encryption)."""
    admin_group_ids: Sequence[str]
    """Entra groups (object ids) whose members administer the cluster; one or more."""
    gpu_pool: GpuPool | None = None
    """A pool of nodes with GPUs in confidential-computing mode besides."""


class ConfidentialCluster(Component):
    """`bailiwick:index:AzureConfidentialCluster`: a private AKS cluster of AMD SEV-SNP nodes.

    Creates a managed cluster whose system pool is of confidential nodes; a node pool of `nodes` of them for workloads;
    and, with `gpu_pool`, one of nodes with a confidential H100, tainted `sku=gpu:NoSchedule`.

    Guarantees: every node that it creates is a confidential VM; the control plane has an address in the region's own
    network only, with a name in Azure's own private zone, and reaches the vault from there; `run-command` is off; nodes
    have no public address and no way out, and get AKS's own images from the given registry; secrets in etcd are under
    the region's HSM key; there are no local accounts, Entra decides who comes in and its roles what they may; pods have
    identities of their own; the group of the nodes' resources is closed to everybody but AKS.

    Does not: isolate pods from the node they run on, or measure containers: the node is the confidential unit, and who
    administers the cluster can read what its pods hold. AKS has no Intel TDX nodes (MicrosoftDocs/azure-aks-docs,
    use-cvm, 2026-09-17; Azure/AKS issue 5618): they are refused. The GPUs' driver is not AKS's: NVIDIA's GPU Operator
    brings one that NVIDIA signed, out of the given registry, and this component installs nothing in the cluster. The
    operator wants one operating system on all nodes: with a `gpu_pool` it is Ubuntu, without one Azure Linux, so that
    one is added later to another cluster only. Nodes' OS disks are encrypted at rest under the customer's key, not
    inside the TEE. Nobody is kept from adding a pool of ordinary nodes: the policies of the region see one, Azure
    refuses none.
    """

    id: pulumi.Output[str]
    """Resource id of the cluster."""
    cluster_name: str
    """Name of the cluster."""
    endpoint: pulumi.Output[str]
    """Private host name of the control plane."""
    issuer_url: pulumi.Output[str]
    """OpenID Connect issuer of the pods' tokens, for federated credentials."""

    def __init__(self, name: str, args: ConfidentialClusterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        _check(args)
        placement = args.placement
        gpu_zones = _gpu_zones(args)
        self.cluster_name = placement.name("cluster", args.role)
        super().__init__(TYPE, name, args, opts)
        self._args = args
        self._zones = catalog.load().region(CLOUD, placement.location).zone_names or ()
        self._nodes = Nodes(placement, args.subnet_id, gpus=args.gpu_pool is not None)
        cluster = self._cluster(f"{name}-cluster")
        pools = Pools(self._nodes, cluster, pulumi.ResourceOptions(parent=self))
        pools.of_machines(f"{name}-pool", _POOL, args.size, args.nodes, self._zones)
        if args.gpu_pool:
            pools.of_gpus(f"{name}-gpus", _GPU_POOL, args.gpu_pool, gpu_zones)
        self.id = cluster.id
        self.endpoint = cluster.private_fqdn
        self.issuer_url = cluster.oidc_issuer_profile.apply(lambda issuer: issuer.issuer_url if issuer else "")
        self.register_outputs(
            {
                "id": self.id,
                "clusterName": self.cluster_name,
                "endpoint": self.endpoint,
                "issuerUrl": self.issuer_url,
            }
        )

    def _cluster(self, name: str) -> "containerservice.ManagedCluster":
        args, placement = self._args, self._args.placement
        return containerservice.ManagedCluster(
            name,
            resource_name_=self.cluster_name,
            resource_group_name=placement.resource_group_name,
            location=placement.location,
            dns_prefix=self.cluster_name,
            node_resource_group=placement.name("resource group", args.role, "nodes"),
            node_resource_group_profile=containerservice.ManagedClusterNodeResourceGroupProfileArgs(
                restriction_level=containerservice.RestrictionLevel.READ_ONLY
            ),
            sku=containerservice.ManagedClusterSKUArgs(name="Base", tier="Standard"),
            identity=containerservice.ManagedClusterIdentityArgs(
                type=containerservice.ResourceIdentityType.USER_ASSIGNED, user_assigned_identities=[args.identity_id]
            ),
            identity_profile={
                "kubeletidentity": containerservice.UserAssignedIdentityArgs(
                    resource_id=args.node_identity.id,
                    client_id=args.node_identity.client_id,
                    object_id=args.node_identity.principal_id,
                )
            },
            agent_pool_profiles=[
                containerservice.ManagedClusterAgentPoolProfileArgs(
                    name="system",
                    mode=containerservice.AgentPoolMode.SYSTEM,
                    count=_SYSTEM_NODES,
                    **self._nodes.settings(args.size, self._zones),
                )
            ],
            api_server_access_profile=containerservice.ManagedClusterAPIServerAccessProfileArgs(
                enable_private_cluster=True,
                enable_private_cluster_public_fqdn=False,
                enable_vnet_integration=True,
                subnet_id=args.control_plane_subnet_id,
                private_dns_zone="system",
                disable_run_command=True,
            ),
            bootstrap_profile=containerservice.ManagedClusterBootstrapProfileArgs(
                artifact_source=containerservice.ArtifactSource.CACHE, container_registry_id=args.registry_id
            ),
            network_profile=containerservice.ContainerServiceNetworkProfileArgs(
                network_plugin=containerservice.NetworkPlugin.AZURE,
                network_plugin_mode=containerservice.NetworkPluginMode.OVERLAY,
                network_dataplane=containerservice.NetworkDataplane.CILIUM,
                network_policy=containerservice.NetworkPolicy.CILIUM,
                outbound_type=containerservice.OutboundType.NONE,
                pod_cidr=POD_RANGE,
                service_cidr=_SERVICE_RANGE,
                dns_service_ip=_DNS_ADDRESS,
            ),
            aad_profile=containerservice.ManagedClusterAADProfileArgs(
                managed=True,
                enable_azure_rbac=True,
                tenant_id=placement.tenant_id,
                admin_group_object_ids=list(args.admin_group_ids),
            ),
            disable_local_accounts=True,
            enable_rbac=True,
            disk_encryption_set_id=args.disk_encryption_set_id,
            oidc_issuer_profile=containerservice.ManagedClusterOIDCIssuerProfileArgs(enabled=True),
            security_profile=containerservice.ManagedClusterSecurityProfileArgs(
                workload_identity=containerservice.ManagedClusterSecurityProfileWorkloadIdentityArgs(enabled=True),
                azure_key_vault_kms=containerservice.AzureKeyVaultKmsArgs(
                    enabled=True,
                    key_id=args.secrets_key_url,
                    key_vault_network_access=containerservice.KeyVaultNetworkAccessTypes.PRIVATE,
                    key_vault_resource_id=args.vault_id,
                ),
            ),
            public_network_access=containerservice.PublicNetworkAccess.DISABLED,
            tags=placement.tag_mapping,
            # The system pool is stated here once; AKS and its upgrades own it from then on.
            opts=pulumi.ResourceOptions(parent=self, ignore_changes=["agentPoolProfiles"]),
        )


def _check(args: ConfidentialClusterArgs) -> None:
    check_nodes(TYPE, size=args.size, location=args.placement.location, tee=args.tee)
    if args.nodes < 1:
        raise InputError(TYPE, "nodes", f"{args.nodes} nodes run nothing", "1")
    if not args.admin_group_ids:
        raise InputError(
            TYPE, "admin_group_ids", "is empty: without local accounts nobody could administer the cluster"
        )


def _gpu_zones(args: ConfidentialClusterArgs) -> tuple[str, ...]:
    """The zones that are known to have the nodes with GPUs; raises `InputError` for a pool that AKS does not have."""
    if args.gpu_pool is None:
        return ()
    location = args.placement.location
    return check_gpu_pool(TYPE, args.gpu_pool, location=location, tee=args.tee).zones.get(location, ())
