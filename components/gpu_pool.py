"""A pool of nodes with confidential GPUs, as a cluster of any cloud takes it."""

from dataclasses import dataclass

import catalog
from components.errors import InputError
from components.spec import ClusterSpec


@dataclass(frozen=True, slots=True)
class GpuPool:
    """Nodes with a GPU in confidential-computing mode, beside a cluster's own."""

    size: str
    """Machine size with the GPU, such as `Standard_NCC40ads_H100_v5` or `a3-highgpu-1g`; it must have the cluster's
    TEE."""
    purchase: str
    """How the nodes are bought: `on-demand`, `spot` or `flex-start`, of which each cloud sells some. It may take a spot
    or flex-start node away."""
    nodes: int
    """Number of nodes; under flex-start the most that the cluster may ask for at once, and none while idle."""

    def check(self, component: str, cloud: str) -> None:
        """Raise `InputError` in the name of `component` for a pool that the cloud does not sell so, or that is empty.

        The catalogue must know the size.
        """
        sold = catalog.load().machine_type(cloud, self.size).purchase
        if self.purchase not in sold:
            what = f"{self.size} is not sold as {self.purchase!r} with its TEE"
            raise InputError(component, "gpu_pool.purchase", what, " or ".join(sold))
        if self.nodes < 1:
            raise InputError(component, "gpu_pool.nodes", f"{self.nodes} nodes run nothing", "1")


def gpu_pool_of(cluster: ClusterSpec) -> GpuPool | None:
    """The pool that a specification asks for."""
    pool = cluster.gpu_pool
    return GpuPool(pool.size, pool.purchase, pool.nodes) if pool else None
