"""References between Azure objects: every id that an input names must be one, and must lead somewhere."""

from collections.abc import Iterator

from sandbox.clouds.azure import arm
from sandbox.clouds.azure.places import regions
from sandbox.clouds.resource import CloudError, Reference, Request, referenced
from sandbox.clouds.store import Object

# What Azure has without anyone creating it, so that a reference to it always leads somewhere.
_BUILT_IN = frozenset(
    {
        "microsoft.authorization/roledefinitions",
        "microsoft.authorization/policydefinitions",
        "microsoft.authorization/policysetdefinitions",
    }
)


def links(request: Request) -> Iterator[tuple[str, str]]:
    """The (path, id) of every reference of a request, each one judged."""
    for reference in request.type.references:
        for place, value in referenced(request.inputs.properties, reference.path):
            if isinstance(value, str):
                _judge(request, reference, place, value)
                yield place, value


def _judge(request: Request, reference: Reference, place: str, value: str) -> None:
    target = arm.parse(value)
    if target is None:
        raise CloudError(
            "LinkedInvalidPropertyId",
            f"Property id '{value}' at path 'properties.{place}' is invalid. Expect fully qualified resource Id that"
            " start with '/subscriptions/{subscriptionId}' or '/providers/{resourceProviderNamespace}/'.",
        )
    kind = target.kind.lower()
    if kind in _BUILT_IN:
        return
    if reference.kinds and kind not in {each.lower() for each in reference.kinds}:
        wanted = " or ".join(f"'{each}'" for each in reference.kinds)
        raise CloudError(
            "InvalidResourceReference",
            f"Resource {value} at path '{place}' of {request.id} is a '{target.kind or 'subscription'}';"
            f" expected {wanted}.",
        )
    if target.subscription != request.session.account.id:
        raise CloudError("SubscriptionNotFound", f"The subscription '{target.subscription}' could not be found.")
    if not kind or (_is_inside(value, request.id) and _has_member(request, value)):
        return
    found = request.session.lookup(value, preview=request.preview)
    if found is None and request.preview:
        return
    if found is None or (reference.same_location and _elsewhere(request, found)):
        raise CloudError(
            "InvalidResourceReference",
            f"Resource {value} referenced by resource {request.id} was not found. Please make sure that the referenced"
            " resource exists, and that both resources are in the same region.",
        )


def _is_inside(value: str, object_id: str) -> bool:
    return value.lower().startswith(f"{object_id.lower()}/")


def _has_member(request: Request, value: str) -> bool:
    """Whether an id inside the requested object names a member of its own inline lists."""
    segment, _, name = value[len(request.id) + 1 :].partition("/")
    for listed, known in request.type.embedded.items():
        if known.lower() == segment.lower():
            return any(item.text("name").lower() == name.lower() for item in request.inputs.items(listed))
    return False


def _elsewhere(request: Request, found: Object) -> bool:
    """Whether the locations of the two objects are known and differ."""
    here = arm.normal_location(location_of(request))
    there = arm.normal_location(found.outputs.get("location") or enclosing_location(request, found.parent))
    return here in regions() and there in regions() and here != there


def location_of(request: Request) -> str:
    """Where the requested object is: its own location, else that of what encloses it."""
    return request.inputs.text("location") or enclosing_location(request, request.parent)


def enclosing_location(request: Request, parent: str) -> str:
    """The location of an object that encloses others, '' where it has none (a resource group counts)."""
    enclosing = request.session.lookup(parent, preview=request.preview)
    return "" if enclosing is None else str(enclosing.outputs.get("location") or "")
