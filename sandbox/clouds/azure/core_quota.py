"""Azure's quotas on cores: how many a request for machines adds to those of its region."""

from collections.abc import Callable, Iterator, Mapping

from sandbox.clouds import quotas
from sandbox.clouds.azure import arm
from sandbox.clouds.azure.places import CLOUD
from sandbox.clouds.azure.references import enclosing_location, location_of
from sandbox.clouds.resource import Check, CloudError, Request, View

_MACHINES = "Microsoft.Compute/virtualMachines"
_SETS = "Microsoft.Compute/virtualMachineScaleSets"
_CLUSTERS = "Microsoft.ContainerService/managedClusters"
_POOLS = f"{_CLUSTERS}/agentPools"


def within(size_path: str, count_path: str | None = None) -> Check:
    """The cores of a machine, or of as many as `count_path` says, are within the quotas of the region.

    A preview leaves it to the deployment: what is there may go first.
    """

    def judge(request: Request) -> None:
        if request.preview:
            return
        size = request.inputs.text(size_path)
        count = int(request.inputs[count_path] or 0) if count_path else 1
        region = arm.normal_location(request.inputs["location"])
        found = quotas.excess(CLOUD, size, count, _others(request, region))
        if found is not None:
            raise CloudError(
                "OperationNotAllowed",
                f"Operation could not be completed as it results in exceeding approved {found.quota.name} Cores quota."
                f" Additional details - Deployment Model: Resource Manager, Location: {region}, Current Limit:"
                f" {found.quota.limit}, Current Usage: {found.used}, Additional Required: {found.needed}, (Minimum) New"
                f" Limit Required: {found.used + found.needed}.",
            )

    return judge


def nodes_within(request: Request) -> None:
    """The nodes of a cluster's pools, or of a pool of its own, are within the quotas of the region.

    AKS asks before it makes them, in words of its own.
    """
    if request.preview:
        return
    region = arm.normal_location(location_of(request))
    others = list(_others(request, region))
    for pool in request.inputs.items("agentPoolProfiles") or [request.inputs]:
        size, count = _nodes(pool)
        found = quotas.excess(CLOUD, size, count, others)
        if found is not None:
            raise CloudError(
                "ErrCode_InsufficientVCPUQuota",
                f"Insufficient vcpu quota requested {found.needed}, remaining {found.quota.limit - found.used} for"
                f" family {found.quota.name} for region {region}.",
            )
        others.append((size, count))


def _others(request: Request, region: str) -> Iterator[tuple[str, int]]:
    """(size, count) of what is in the region besides the requested object."""
    for kind, machines in _MACHINES_OF.items():
        for item in request.store.of_kind(kind):
            place = item.outputs.get("location") or enclosing_location(request, item.parent)
            if item.id.lower() != request.id.lower() and arm.normal_location(place) == region:
                yield from machines(View(item.inputs))


def _nodes(pool: View) -> tuple[str, int]:
    return pool.text("vmSize"), int(pool["count"] or 0)


_MACHINES_OF: Mapping[str, Callable[[View], list[tuple[str, int]]]] = {
    _MACHINES: lambda inputs: [(inputs.text("hardwareProfile.vmSize"), 1)],
    _SETS: lambda inputs: [(inputs.text("sku.name"), int(inputs["sku.capacity"] or 0))],
    _CLUSTERS: lambda inputs: [_nodes(pool) for pool in inputs.items("agentPoolProfiles")],
    _POOLS: lambda inputs: [_nodes(inputs)],
}
"""(size, count) of what has cores, by kind."""
