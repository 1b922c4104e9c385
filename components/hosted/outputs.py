"""From a component's attributes to what a program in another language gets."""

from collections.abc import Mapping
from dataclasses import is_dataclass
from enum import Enum
from ipaddress import IPv4Network
from typing import Any

import pulumi

from components.hosted.shapes import fields_of


def outputs_of(component: pulumi.ComponentResource) -> dict[str, Any]:
    """A component's outputs by their names in other languages."""
    return _object(component)


def _object(value: Any) -> dict[str, Any]:
    found = {field.key: getattr(value, field.name) for field in fields_of(type(value))}
    return {key: _value(one) for key, one in found.items() if one is not None}


def _value(value: Any) -> Any:
    if isinstance(value, pulumi.ComponentResource) or (is_dataclass(value) and not isinstance(value, type)):
        return _object(value)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, IPv4Network):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): _value(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_value(one) for one in value]
    return value
