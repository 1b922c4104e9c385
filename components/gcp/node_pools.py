"""The node pools of a confidential cluster: of machines alone, and of machines with GPUs."""

from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_gcp import container

import catalog
from components.errors import InputError
from components.gcp.machine_settings import CONFIDENTIAL_TYPES, LONGEST_RUN_SECONDS
from components.gcp.placement import Placement
from components.gpu_pool import GpuPool

_CONFIDENTIAL = "gke-confidential-nodes"
_GPU = "gke-gpu-confidential-nodes"


def zones_of(component: str, place: Placement, size: str, tee: str, *, gpu: bool = False) -> tuple[str, ...]:
    """Zones of the location in which GKE has nodes of this machine type with the TEE; raises `InputError`."""
    facts = catalog.load()
    field = "gpu_pool.size" if gpu else "size"
    feature = facts.cluster_features(place.cloud).get(_GPU if gpu else _CONFIDENTIAL)
    if feature is None or not feature.supported:
        raise InputError(component, "placement.cloud", f"{place.cloud} has no confidential nodes", "gcp")
    if tee not in CONFIDENTIAL_TYPES or tee not in feature.tees:
        offered = " or ".join(one for one in feature.tees if one in CONFIDENTIAL_TYPES)
        raise InputError(component, "tee", f"{tee!r} is not a TEE of confidential nodes{' with GPUs' * gpu}", offered)
    machines = [
        machine
        for machine in facts.machine_types(place.cloud, region=place.location)
        if machine.tee == tee and machine.family in feature.families
    ]
    found = next((machine for machine in machines if machine.size == size), None)
    if found is None:
        nearest = catalog.nearest(size, [machine.size for machine in machines])
        raise InputError(component, field, f"GKE has no {tee} nodes of {size!r} in {place.location}", nearest)
    return found.zones[place.location]


def check_gpu_pool(component: str, place: Placement, tee: str, pool: GpuPool) -> tuple[str, ...]:
    """The zones of the pool; raises `InputError` in the name of `component` for one that Google does not sell."""
    zones = zones_of(component, place, pool.size, tee, gpu=True)
    pool.check(component, place.cloud)
    return zones


@dataclass(frozen=True, slots=True)
class Pools:
    """What the pools of one cluster have in common."""

    placement: Placement
    cluster: "container.Cluster"
    tee: str
    key_id: pulumi.Input[str]
    """Key under which the nodes' disks are encrypted."""
    identity_id: pulumi.Input[str]
    """Service account of the nodes."""
    opts: pulumi.ResourceOptions

    def of_machines(self, name: str, pool: str, size: str, nodes: int, zones: tuple[str, ...]) -> "container.NodePool":
        """A pool that keeps `nodes` nodes, spread over `zones`."""
        return self._pool(
            name,
            pool,
            zones,
            node_count=-(-nodes // len(zones)),
            node_config=container.NodePoolNodeConfigArgs(machine_type=size, **self._settings()),
            management=container.NodePoolManagementArgs(auto_repair=True, auto_upgrade=True),
        )

    def of_gpus(self, name: str, pool: str, gpus: GpuPool, zones: tuple[str, ...]) -> "container.NodePool":
        """A pool of nodes with the machine's GPUs.

        Flex-start nodes come when pods wait for them and go after at most seven days, so that their number is a limit.
        """
        flex = gpus.purchase == "flex-start"
        bought: dict[str, Any] = {"spot": True}
        kept: dict[str, Any] = {"node_count": -(-gpus.nodes // len(zones))}
        if flex:
            bought = {
                "flex_start": True,
                "max_run_duration": f"{LONGEST_RUN_SECONDS}s",
                "reservation_affinity": container.NodePoolNodeConfigReservationAffinityArgs(
                    consume_reservation_type="NO_RESERVATION"
                ),
            }
            kept = {
                "autoscaling": container.NodePoolAutoscalingArgs(
                    total_min_node_count=0, total_max_node_count=gpus.nodes, location_policy="ANY"
                )
            }
        return self._pool(
            name,
            pool,
            zones,
            **kept,
            node_config=container.NodePoolNodeConfigArgs(
                machine_type=gpus.size, guest_accelerators=self._accelerators(gpus), **bought, **self._settings()
            ),
            management=container.NodePoolManagementArgs(auto_repair=not flex, auto_upgrade=True),
        )

    def _accelerators(self, gpus: GpuPool) -> "list[container.NodePoolNodeConfigGuestAcceleratorArgs]":
        gpu = catalog.load().machine_type(self.placement.cloud, gpus.size).gpu
        if gpu is None or gpu.type is None:
            return []
        # The driver that switches confidential computing on comes from a DaemonSet, not from GKE.
        driver = container.NodePoolNodeConfigGuestAcceleratorGpuDriverInstallationConfigArgs(
            gpu_driver_version="INSTALLATION_DISABLED"
        )
        return [
            container.NodePoolNodeConfigGuestAcceleratorArgs(
                type=gpu.type, count=gpu.count, gpu_driver_installation_config=driver
            )
        ]

    def _settings(self) -> dict[str, Any]:
        """How every node is set up."""
        return {
            "image_type": "COS_CONTAINERD",
            "confidential_nodes": container.NodePoolNodeConfigConfidentialNodesArgs(
                enabled=True, confidential_instance_type=CONFIDENTIAL_TYPES[self.tee]
            ),
            "boot_disk_kms_key": self.key_id,
            "service_account": self.identity_id,
            "oauth_scopes": ["https://www.googleapis.com/auth/cloud-platform"],
            "shielded_instance_config": container.NodePoolNodeConfigShieldedInstanceConfigArgs(
                enable_secure_boot=True, enable_integrity_monitoring=True
            ),
            "workload_metadata_config": container.NodePoolNodeConfigWorkloadMetadataConfigArgs(mode="GKE_METADATA"),
            "resource_labels": self.placement.labels,
        }

    def _pool(self, name: str, pool: str, zones: tuple[str, ...], **settings: Any) -> "container.NodePool":
        return container.NodePool(
            name,
            name=self.placement.name_of("node pool", pool),
            project=self.placement.project_id,
            location=self.placement.location,
            cluster=self.cluster.name,
            node_locations=list(zones),
            network_config=container.NodePoolNetworkConfigArgs(enable_private_nodes=True),
            opts=self.opts,
            **settings,
        )
