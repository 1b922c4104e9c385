"""Compute Engine's allocation quotas: how many machines of a family a region of the project may have."""

from sandbox.clouds import quotas
from sandbox.clouds.gcp import ids, references
from sandbox.clouds.gcp.errors import ApiError
from sandbox.clouds.gcp.places import CLOUD
from sandbox.clouds.resource import Request, View
from sandbox.clouds.store import Store


def within(request: Request) -> None:
    """The region's quota has room for the machine, or for those of the group; a preview leaves it to the deployment."""
    if request.preview:
        return
    region = references.location_of(request.id)
    size, count = _asked(request.store, request.type.kind, request.inputs)
    others = [
        _asked(request.store, item.kind, View(item.inputs))
        for item in [*request.store.of_kind(ids.INSTANCE), *request.store.of_kind(ids.GROUP_MANAGER)]
        if item.id != request.id and references.location_of(item.id) == region
    ]
    found = quotas.excess(CLOUD, size, count, others)
    if found is not None:
        raise ApiError(
            403,
            f"Quota '{found.quota.name}' exceeded.  Limit: {found.quota.limit}.0 in region {region}.",
            "quotaExceeded",
        )


def _asked(store: Store, kind: str, inputs: View) -> tuple[str, int]:
    """Machine type and number of what an instance or a managed group asks for."""
    if kind == ids.INSTANCE:
        return ids.short(inputs.text("machineType")), 1
    name = ids.short(inputs.items("versions")[0].text("instanceTemplate"))
    templates = [*store.of_kind(ids.TEMPLATE), *store.of_kind(ids.REGION_TEMPLATE)]
    template = next((item for item in templates if item.name == name), None)
    size = "" if template is None else ids.short(View(template.inputs).text("machineType"))
    return size, int(inputs["targetSize"] or 0)
