"""Inputs that come from another language, made safe.

The host (pulumi 3.272, provider/experimental) hands a component a dict in place of typed Args, numbers as floats, and
in place of a value an Output where a transform or a secret made one of it; enumerations and nested types are lost then.
So that a facade takes plain text, booleans, numbers and lists of text only, and everything passes through here.
"""

import json
from collections.abc import Mapping
from enum import Enum
from functools import partial
from typing import Any

import pulumi

import catalog
from components.azure import Placement
from components.errors import InputError
from components.tags import Tags


def known(component: str, args: Mapping[str, Any], name: str, default: Any = None) -> Any:
    """The value of an input that must be known while the program runs; raises `InputError` for an Output."""
    value = args.get(name, default)
    if isinstance(value, pulumi.Output):
        raise InputError(component, name, "is an output, known only after deployment", "a plain value")
    return value.value if isinstance(value, Enum) else value


def whole(component: str, args: Mapping[str, Any], name: str) -> int:
    """The whole number in an input: the host delivers 3 as 3.0."""
    value = known(component, args, name)
    if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value):
        raise InputError(component, name, f"{value!r} is not a whole number")
    return int(value)


def json_object(component: str, args: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The JSON object in a text input."""
    text = known(component, args, name)
    try:
        value = json.loads(text)
    except (TypeError, json.JSONDecodeError):
        value = None
    if not isinstance(value, dict):
        raise InputError(component, name, "is not a JSON object", '{"name": "value"}')
    return value


def adopted(component: str, args: Mapping[str, Any]) -> dict[str, str] | None:
    """What the component takes over: ids by name, from a JSON object in a text input."""
    ids = json_object(component, args, "import_ids") if "import_ids" in args else None
    if ids is not None and not all(isinstance(one, str) and one for one in ids.values()):
        raise InputError(component, "import_ids", "has an id that is no text", '{"<child>": "<its id>"}')
    return ids


def zones(service: str, zone_ids: pulumi.Input[Mapping[str, pulumi.Input[str]]]) -> dict[str, pulumi.Output[str]]:
    """The ids of the private zones of `service` (an id of the catalogue), from a mapping that may be an Output."""
    given = pulumi.Output.all(zone_ids=zone_ids).apply(lambda values: values["zone_ids"])
    names = catalog.load().private_endpoint("azure", service).zones
    return {name: given.apply(partial(_zone, name)) for name in names}


def _zone(name: str, zone_ids: Mapping[str, str]) -> str:
    try:
        return zone_ids[name]
    except KeyError:
        advice = "the zoneIds of an AzureSovereignNetwork"
        raise InputError("bailiwick", "zone_ids", f"has no zone {name}", advice) from None


def placement(component: str, args: Mapping[str, Any]) -> Placement:
    """Where a component is, from the inputs that every facade has (`components.hosted.azure.Placed`)."""
    texts = {
        name: known(component, args, name)
        for name in ("stack", "subscription_id", "tenant_id", "location", "jurisdiction", "data_class", "owner")
    }
    return Placement(
        stack=texts["stack"],
        subscription_id=texts["subscription_id"],
        tenant_id=texts["tenant_id"],
        location=texts["location"],
        resource_group_name=args["resource_group_name"],
        tags=Tags(
            jurisdiction=texts["jurisdiction"],
            data_class=texts["data_class"],
            owner=texts["owner"],
            stack=texts["stack"],
        ),
    )
