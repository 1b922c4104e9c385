"""From a component's Args to the properties that policies and state see."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import PurePath
from typing import Any

from pydantic import BaseModel


def camel_case(name: str) -> str:
    """`soft_delete_days` as Pulumi's property names have it: `softDeleteDays`."""
    first, *rest = name.split("_")
    return first + "".join(word[:1].upper() + word[1:] for word in rest)


def properties(args: Any) -> dict[str, Any]:
    """A component's Args as its registered properties: camelCase names, plain values, Outputs as they are.

    Fields that are None are left out, as Pulumi does.
    """
    return {
        camel_case(field.name): _value(value)
        for field in fields(args)
        if (value := getattr(args, field.name)) is not None
    }


def _value(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", by_alias=True, exclude_none=True)
    if is_dataclass(value) and not isinstance(value, type):
        return properties(value)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, PurePath):
        return value.name
    if isinstance(value, Mapping):
        return {key: _value(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_value(item) for item in value]
    if isinstance(value, set | frozenset):
        return sorted(_value(item) for item in value)
    return value
