"""The node pools of a confidential cluster: of machines alone, and of machines with GPUs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_azure_native import containerservice

import catalog
from components.azure.machine_types import CLOUD, check_machine_type
from components.azure.placement import Placement
from components.errors import InputError
from components.gpu_pool import GpuPool

_CONFIDENTIAL = "aks-confidential-nodes"
_GPU = "aks-gpu-confidential-nodes"
_FOR_GPU_WORK = "sku=gpu:NoSchedule"


def check_nodes(component: str, *, size: str, location: str, tee: str, gpu: str = "none") -> catalog.MachineType:
    """The facts of a node; raises `InputError` in the name of `component` for one that AKS does not have here."""
    facts = catalog.load()
    feature = facts.cluster_features(CLOUD)[_CONFIDENTIAL if gpu == "none" else _GPU]
    if tee not in feature.tees:
        raise InputError(component, "tee", f"AKS has no {tee!r} nodes", " or ".join(feature.tees))
    machine = check_machine_type(component, size=size, location=location, tee=tee, gpu=gpu)
    if machine.family not in feature.families:
        offered = [one.size for one in facts.machine_types(CLOUD, region=location) if one.family in feature.families]
        nearest = catalog.nearest(size, offered)
        raise InputError(component, "size", f"AKS has no confidential nodes of {size}", nearest)
    return machine


def check_gpu_pool(component: str, pool: GpuPool, *, location: str, tee: str) -> catalog.MachineType:
    """The facts of the nodes of a pool with GPUs; raises `InputError` as `check_nodes` does."""
    try:
        machine = check_nodes(component, size=pool.size, location=location, tee=tee, gpu="h100")
    except InputError as error:
        raise InputError(component, f"gpu_pool.{error.field}", error.problem, error.nearest) from error
    pool.check(component, CLOUD)
    return machine


@dataclass(frozen=True, slots=True)
class Nodes:
    """What the nodes of one cluster have in common.

    They have one operating system: Azure Linux; with GPUs Ubuntu, for which NVIDIA signs drivers, on all of them, as
    its GPU Operator wants it.
    """

    placement: Placement
    subnet_id: pulumi.Input[str]
    gpus: bool
    """Whether some have a GPU."""

    def settings(self, size: str, zones: Sequence[str]) -> dict[str, Any]:
        """How a pool of nodes is set up, as a part of the cluster or beside it; no `zones` let Azure choose."""
        os_sku = containerservice.OSSKU
        return {
            "type": containerservice.AgentPoolType.VIRTUAL_MACHINE_SCALE_SETS,
            "vm_size": size,
            "os_sku": os_sku.UBUNTU if self.gpus else os_sku.AZURE_LINUX3,
            "availability_zones": list(zones) or None,
            "vnet_subnet_id": self.subnet_id,
            "enable_node_public_ip": False,
        }


@dataclass(frozen=True, slots=True)
class Pools:
    """The pools that are resources of their own."""

    nodes: Nodes
    cluster: "containerservice.ManagedCluster"
    opts: pulumi.ResourceOptions

    def of_machines(self, name: str, pool: str, size: str, nodes: int, zones: Sequence[str]) -> None:
        """A pool of `nodes` nodes, spread over `zones`."""
        self._pool(name, pool, nodes, **self.nodes.settings(size, zones))

    def of_gpus(self, name: str, pool: str, gpus: GpuPool, zones: Sequence[str]) -> None:
        """A pool of nodes with the machine's GPUs, kept for pods that tolerate `sku=gpu:NoSchedule`.

        AKS installs no driver: a GPU in confidential-computing mode wants one that NVIDIA signed.
        """
        self._pool(
            name,
            pool,
            gpus.nodes,
            **self.nodes.settings(gpus.size, zones),
            gpu_profile=containerservice.GPUProfileArgs(driver=containerservice.GPUDriver.NONE),
            node_taints=[_FOR_GPU_WORK],
        )

    def _pool(self, name: str, pool: str, nodes: int, **settings: Any) -> None:
        placement = self.nodes.placement
        containerservice.AgentPool(
            name,
            agent_pool_name=pool,
            resource_name_=self.cluster.name,
            resource_group_name=placement.resource_group_name,
            mode=containerservice.AgentPoolMode.USER,
            count=nodes,
            tags=placement.tag_mapping,
            opts=pulumi.ResourceOptions.merge(self.opts, pulumi.ResourceOptions(replace_on_changes=["vmSize"])),
            **settings,
        )
