"""A Kubernetes cluster whose nodes are confidential machines and whose control plane is private."""

from dataclasses import dataclass

import pulumi
from pulumi_gcp import container

from components.component import Component, ComponentArgs
from components.errors import InputError
from components.gcp.machine_settings import CONFIDENTIAL_TYPES
from components.gcp.node_pools import Pools, check_gpu_pool, zones_of
from components.gcp.placement import Placement
from components.gcp.sovereign_network import PODS_RANGE, SERVICES_RANGE
from components.gpu_pool import GpuPool

TYPE = "bailiwick:index:GcpConfidentialCluster"
_POOL = "confidential"
_GPU_POOL = "confidential-gpus"


@dataclass(frozen=True, slots=True)
class ConfidentialClusterArgs(ComponentArgs):
    """Inputs of `ConfidentialCluster`."""

    placement: Placement
    """Where the cluster is."""
    role: str
    """What the cluster is, such as `serving`; part of its name."""
    size: str
    """Machine type of the nodes; GKE must offer it with the TEE."""
    tee: str
    """Trusted execution environment of the nodes: `snp` or `tdx`."""
    nodes: int
    """Number of nodes, spread over the zones that have the TEE."""
    network_id: pulumi.Input[str]
    """Network of the cluster."""
    subnet_id: pulumi.Input[str]
    """Subnetwork of its own, with secondary ranges for pods and services."""
    admin_range: str
    """Private range from which the control plane may be reached, in CIDR notation."""
    key_id: pulumi.Input[str]
    """Key under which the nodes' disks and the cluster's secrets are encrypted."""
    identity_id: pulumi.Input[str]
    """Service account of the nodes."""
    gpu_pool: GpuPool | None = None
    """A pool of nodes with GPUs in confidential-computing mode besides; the cluster's TEE must be `tdx`."""
    destroyable: bool = False
    """Weakness: `destroy` deletes the cluster. For emulated regions. Off, GKE refuses to."""


class ConfidentialCluster(Component):
    """`bailiwick:index:GcpConfidentialCluster`: a regional GKE cluster of AMD SEV-SNP or Intel TDX nodes.

    Creates a cluster without its default pool, one node pool of confidential nodes in the zones that have the TEE, and,
    with `gpu_pool`, one of nodes with a confidential H100, which come when pods wait for them (flex-start) or are taken
    back at any time (spot).

    Guarantees: every node of the cluster, also in a pool that somebody adds later, is confidential (the setting is the
    cluster's and cannot be undone for one pool); the control plane has a private endpoint only; nodes have no external
    address; secrets in etcd and node disks are under the region's HSM key; pods get identities of their own and do not
    see the node's; Google's own logging collects system components, no workload's output.

    Does not: isolate pods from the node they run on, or measure containers: the node is the confidential unit, and who
    administers the cluster can read what its pods hold. Autopilot is not used. The GPUs' driver is a DaemonSet of the
    cluster's own, which switches confidential computing on: this component installs nothing in the cluster.
    """

    id: pulumi.Output[str]
    """Resource id of the cluster."""
    cluster_name: str
    """Name of the cluster."""
    endpoint: pulumi.Output[str]
    """Private address of the control plane."""

    def __init__(self, name: str, args: ConfidentialClusterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        placement = args.placement
        if args.nodes < 1:
            raise InputError(TYPE, "nodes", f"{args.nodes} nodes run nothing", "1")
        zones = zones_of(TYPE, placement, args.size, args.tee)
        gpu_zones = check_gpu_pool(TYPE, placement, args.tee, args.gpu_pool) if args.gpu_pool else ()
        self.cluster_name = placement.name_of("cluster", args.role)
        super().__init__(TYPE, name, args, opts)
        cluster = container.Cluster(
            f"{name}-cluster",
            name=self.cluster_name,
            project=placement.project_id,
            location=placement.location,
            node_locations=list(zones),
            network=args.network_id,
            subnetwork=args.subnet_id,
            networking_mode="VPC_NATIVE",
            datapath_provider="ADVANCED_DATAPATH",
            ip_allocation_policy=container.ClusterIpAllocationPolicyArgs(
                cluster_secondary_range_name=PODS_RANGE, services_secondary_range_name=SERVICES_RANGE
            ),
            private_cluster_config=container.ClusterPrivateClusterConfigArgs(
                enable_private_nodes=True, enable_private_endpoint=True, private_endpoint_subnetwork=args.subnet_id
            ),
            master_authorized_networks_config=container.ClusterMasterAuthorizedNetworksConfigArgs(
                cidr_blocks=[
                    container.ClusterMasterAuthorizedNetworksConfigCidrBlockArgs(
                        cidr_block=args.admin_range, display_name="region"
                    )
                ],
                gcp_public_cidrs_access_enabled=False,
            ),
            confidential_nodes=container.ClusterConfidentialNodesArgs(
                enabled=True, confidential_instance_type=CONFIDENTIAL_TYPES[args.tee]
            ),
            database_encryption=container.ClusterDatabaseEncryptionArgs(state="ENCRYPTED", key_name=args.key_id),
            workload_identity_config=container.ClusterWorkloadIdentityConfigArgs(
                workload_pool=f"{placement.project_id}.svc.id.goog"
            ),
            logging_config=container.ClusterLoggingConfigArgs(enable_components=["SYSTEM_COMPONENTS"]),
            monitoring_config=container.ClusterMonitoringConfigArgs(enable_components=["SYSTEM_COMPONENTS"]),
            release_channel=container.ClusterReleaseChannelArgs(channel="REGULAR"),
            enable_shielded_nodes=True,
            enable_legacy_abac=False,
            remove_default_node_pool=True,
            initial_node_count=1,
            # The pool that GKE makes first and deletes again is made of the same machines: another size lacks the TEE.
            node_config=container.ClusterNodeConfigArgs(
                machine_type=args.size, service_account=args.identity_id, boot_disk_kms_key=args.key_id
            ),
            deletion_protection=not args.destroyable,
            resource_labels=placement.labels,
            opts=pulumi.ResourceOptions(parent=self, ignore_changes=["nodeConfig"]),
        )
        pools = Pools(placement, cluster, args.tee, args.key_id, args.identity_id, pulumi.ResourceOptions(parent=self))
        pools.of_machines(f"{name}-pool", _POOL, args.size, args.nodes, zones)
        if args.gpu_pool:
            pools.of_gpus(f"{name}-gpus", _GPU_POOL, args.gpu_pool, gpu_zones)
        self.id = cluster.id
        self.endpoint = cluster.endpoint
        self.register_outputs({"id": self.id, "clusterName": self.cluster_name, "endpoint": self.endpoint})
