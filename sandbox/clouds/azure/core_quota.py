"""Azure's quotas on cores: how many a request for machines adds to those of its region."""

from collections.abc import Iterator

from sandbox.clouds import quotas
from sandbox.clouds.azure import arm
from sandbox.clouds.azure.places import CLOUD
from sandbox.clouds.resource import Check, CloudError, Request, View
from sandbox.clouds.store import Object

_MACHINES = "Microsoft.Compute/virtualMachines"
_SETS = "Microsoft.Compute/virtualMachineScaleSets"


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


def _others(request: Request, region: str) -> Iterator[tuple[str, int]]:
    """(size, count) of what is in the region besides the requested object."""
    for item in [*request.store.of_kind(_MACHINES), *request.store.of_kind(_SETS)]:
        if item.id.lower() != request.id.lower() and arm.normal_location(item.outputs.get("location")) == region:
            yield _size_and_count(item)


def _size_and_count(item: Object) -> tuple[str, int]:
    inputs = View(item.inputs)
    if item.kind == _MACHINES:
        return inputs.text("hardwareProfile.vmSize"), 1
    return inputs.text("sku.name"), int(inputs["sku.capacity"] or 0)
