"""References between Google Cloud objects: what an input names exists, is of the right type and in the right place."""

from collections.abc import Iterator

from sandbox.clouds.gcp import ids, places
from sandbox.clouds.gcp.errors import ApiError, FieldError, NotFoundError
from sandbox.clouds.resource import Reference, Request, referenced
from sandbox.clouds.store import Object
from sandbox.values import Value

CRYPTO_KEY = "cloudkms.googleapis.com/CryptoKey"
KEY_RING = "cloudkms.googleapis.com/KeyRing"
SERVICE_ACCOUNT = "iam.googleapis.com/ServiceAccount"
BUCKET = "storage.googleapis.com/Bucket"


def links(request: Request) -> Iterator[tuple[str, str]]:
    """The (path, id) of every reference of a request, each one judged."""
    for reference in request.type.references:
        for place, value in referenced(request.inputs.properties, reference.path):
            if isinstance(value, str) and value:
                target = _judged(request, reference, place, value)
                if target is not None:
                    yield place, target


def find(request: Request, kind: str, value: str) -> Object:
    """The object of one type that an input names. Raises `Undetermined` where a preview does not have it yet."""
    return request.find(_target(request, kind, value))


def in_use(request: Request, users: list[Object]) -> None:
    """Compute Engine deletes nothing that something else names."""
    if users:
        raise ApiError(
            400,
            f"The {ids.COLLECTIONS[request.type.kind].segment[:-1]} resource '{request.id}' is already being used by"
            f" '{users[0].id}'",
            "resourceInUseByAnotherResource",
        )


def _judged(request: Request, reference: Reference, place: str, value: str) -> str | None:
    """The id that a reference names; None where it names something that the cloud has of its own."""
    own = [target for kind in reference.kinds if (target := _target(request, kind, value)) is not None]
    for target in own:
        found = request.session.lookup(target, preview=request.preview)
        if found is not None and found.kind in reference.kinds:
            _require_region(request, reference, place, value, found)
            return target
    other = next((item for each in own if (item := request.session.lookup(each, preview=request.preview))), None)
    if other is not None:
        raise FieldError(place, value, f"The URL is malformed. Unexpected resource '{other.kind.rsplit('/')[-1]}'.")
    project = f"projects/{request.session.account.id}/"
    foreign = own[0].startswith("projects/") and not own[0].startswith(project)
    if request.preview and not foreign:
        return own[0]
    kind = reference.kinds[0]
    if kind in ids.COLLECTIONS and request.type.kind in ids.COLLECTIONS:
        raise FieldError(place, value, f"The referenced {kind.rsplit('/')[-1].lower()} resource cannot be found.")
    raise NotFoundError(own[0])


def _target(request: Request, kind: str, value: str) -> str:
    account = request.session.account
    if kind in ids.COLLECTIONS:
        target = ids.target(kind, value, account, request.inputs)
        if kind == ids.GROUP_MANAGER:  # a managed group is named by the instance group that the manager keeps
            target = target.replace("/instanceGroups/", "/instanceGroupManagers/")
        return target
    if kind == SERVICE_ACCOUNT and "/" not in value:
        return f"projects/{account.id}/serviceAccounts/{value}"
    return ids.plain(value, account)


def _require_region(request: Request, reference: Reference, place: str, value: Value, found: Object) -> None:
    here, there = location_of(request.id), location_of(found.id)
    if reference.same_location and here and there and here != there:
        raise FieldError(
            place,
            value,
            f"Cross region referencing is not allowed for this resource: '{request.id}' is in '{here}' and the"
            f" referenced resource in '{there}'.",
        )


def location_of(object_id: str) -> str:
    """The region of an object by its id, '' for a global one."""
    parts = object_id.split("/")
    for segment, region in (("regions", str), ("zones", places.region_of)):
        if segment in parts[2:3]:
            return region(parts[3])
    return ""
