"""Rules that many types share: names, labels, choices, places."""

import re
import secrets
from collections.abc import Mapping

from sandbox.clouds.gcp import ids
from sandbox.clouds.gcp.errors import ApiError, FieldError, RefusedError, not_one_of
from sandbox.clouds.gcp.places import MULTI_REGIONS, is_zone, regions
from sandbox.clouds.resource import Check, Compute, Request
from sandbox.values import UNKNOWN, Value

RFC1035 = r"(?:[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?)"
MAX_LABELS = 64
_LABEL_KEY = re.compile(r"[a-zà-öø-ÿ][\wà-öø-ÿ-]{0,62}")
_LABEL_VALUE = re.compile(r"[\wà-öø-ÿ-]{0,63}")
_LABEL_WHY = (
    "{part} can only contain lowercase letters, numeric characters, underscores and dashes, with at most 63 characters."
)


def rfc1035_name(request: Request) -> None:
    """The name of a Compute Engine object (RFC 1035, lower case)."""
    name = request.inputs.text("name")
    if not re.fullmatch(RFC1035, name):
        raise FieldError("name", name, f"Must be a match of regex '{RFC1035}'")


def matches(path: str, pattern: str) -> Check:
    """The provider's own check of a string."""
    compiled = re.compile(pattern)

    def judge(request: Request) -> None:
        value = request.inputs[path]
        if value is not None and not compiled.fullmatch(str(value)):
            raise RefusedError(f'"{path}" ("{value}") doesn\'t match regexp "^{pattern}$"')

    return judge


def one_of(path: str, *allowed: str) -> Check:
    """The provider's own check of an enumeration."""

    def judge(request: Request) -> None:
        value = request.inputs[path]
        if value is not None and value not in allowed:
            raise not_one_of(path, value, allowed)

    return judge


def between(path: str, low: int, high: int) -> Check:
    """The provider's own check of a number."""

    def judge(request: Request) -> None:
        value = request.inputs[path]
        if value is not None and not low <= value <= high:
            raise RefusedError(f"expected {path} to be in the range ({low} - {high}), got {value:g}")

    return judge


def require_project(request: Request) -> None:
    """The one project that there is; any other belongs to somebody else."""
    require_own(request.inputs.text("project"), request.session.account.id)


def require_own(project: str, own: str) -> None:
    if project and project.removeprefix("projects/") not in (own, ids.EMULATED_NUMBER):
        raise ApiError(
            403,
            f"Permission denied on resource project {project} (or it may not exist): the emulated Google Cloud has only"
            f" '{own}'",
            "forbidden",
        )


def require_place(request: Request) -> None:
    """Zone, region and location are ones that there are."""
    names = request.inputs.properties
    if isinstance(zone := names.get("zone"), str) and not is_zone(ids.short(zone)):
        raise ApiError(400, f"Invalid value for field 'zone': '{zone}'. Unknown zone.", "invalid")
    if isinstance(region := names.get("region"), str) and ids.short(region) not in regions():
        raise ApiError(400, f"Invalid value for field 'region': '{region}'. Unknown region.", "invalid")
    location = names.get("location")
    if isinstance(location, str) and not _is_location(location.lower()):
        raise ApiError(400, f"Location '{location}' is not found or access is unauthorized.", "badRequest")


def _is_location(location: str) -> bool:
    return location in regions() or location in MULTI_REGIONS or is_zone(location)


def require_labels(request: Request) -> None:
    """Google's alphabet for labels: lower case, at most 63 characters, at most 64 labels."""
    path = "resourceLabels" if "resourceLabels" in request.inputs.properties else "labels"
    labels = request.inputs[path]
    if not isinstance(labels, Mapping):
        return
    if len(labels) > MAX_LABELS:
        raise FieldError(path, "", f"The resource has {len(labels)} labels; at most {MAX_LABELS} are allowed.")
    for key, value in labels.items():
        if key != key.lower() or not _LABEL_KEY.fullmatch(key):
            raise FieldError(
                path, "", f"Label key '{key}' violates format constraints. {_LABEL_WHY.format(part='The key')}"
            )
        if value is not UNKNOWN and (value != value.lower() or not _LABEL_VALUE.fullmatch(value)):
            raise FieldError(
                path, "", f"Label value '{value}' violates format constraints. {_LABEL_WHY.format(part='The value')}"
            )


def number(name: str, *, text: bool) -> Compute:
    """An output that is a number Google gives an object once; of 15 digits, so that a double carries it exactly."""

    def make() -> Value:
        found = 10**14 + secrets.randbelow(9 * 10**14)
        return str(found) if text else found

    return lambda request: request.keep(name, make)


def fingerprint(name: str) -> Compute:
    return lambda request: request.keep(name, lambda: secrets.token_urlsafe(8))
