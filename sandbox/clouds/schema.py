"""Resource schemas read from an installed Pulumi provider SDK, and a judge of property bags against them.

A generated SDK states, for each resource type, an Args class (inputs) and the resource class (outputs). Their
properties carry `pulumi.getter` names and type annotations; a constructor parameter without default is a required
input. Nothing else is read, so the schema is that of the SDK version that the stack's program itself uses.
"""

import importlib
import inspect
import re
import sys
import typing
from collections.abc import Awaitable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from enum import Enum
from functools import cache, cached_property
from types import NoneType
from typing import Any, Literal

from sandbox.values import UNKNOWN, Value

ScalarName = Literal["string", "integer", "number", "boolean"]
_SCALARS: dict[type, ScalarName] = {str: "string", int: "integer", float: "number", bool: "boolean"}
_API_VERSION = re.compile(r"Uses Azure REST API version (\S+?)\.")


@dataclass(frozen=True)
class Scalar:
    """A plain value. An integer may arrive as a float without fraction (`google.protobuf.Value` has no integers)."""

    name: ScalarName

    def accepts(self, value: Value) -> bool:
        if self.name == "string":
            return isinstance(value, str)
        if self.name == "boolean":
            return isinstance(value, bool)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        return self.name == "number" or float(value).is_integer()


@dataclass(frozen=True)
class Choice:
    """One of an enum's values."""

    name: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class ListOf:
    item: "Shape"


@dataclass(frozen=True)
class MapOf:
    item: "Shape"


@dataclass(frozen=True)
class Anything:
    """A value that the SDK leaves open (`Any`, assets)."""


@dataclass(frozen=True)
class Property:
    """`name` as on the wire (camelCase). `optional`: an output that the cloud leaves out where no input states it."""

    name: str
    shape: "Shape"
    required: bool
    optional: bool


class ObjectOf:
    """A nested object, read from its class when first asked for (types may contain each other)."""

    def __init__(self, cls: type) -> None:
        self._cls = cls

    @property
    def name(self) -> str:
        return self._cls.__name__.removesuffix("Args").removesuffix("Response")

    @cached_property
    def properties(self) -> Mapping[str, Property]:
        return {item.name: item for item in _properties(self._cls)}


Shape = Scalar | Choice | ListOf | MapOf | ObjectOf | Anything


@dataclass(frozen=True)
class ResourceSchema:
    """One resource type: what it takes and what it gives."""

    token: str
    api_version: str | None
    inputs: ObjectOf
    outputs: ObjectOf


@dataclass(frozen=True)
class Mismatch:
    """One place where a property bag differs from its schema.

    `path` is dotted (`securityProfile.securityType`, `zones[0]`); `subject` names the enclosing type or the wanted
    one; `allowed` lists the valid names or values, `nearest` the one that looks most like what was found.
    """

    kind: Literal["unknown", "missing", "type", "enum"]
    path: str
    subject: str
    found: str = ""
    allowed: tuple[str, ...] = ()
    nearest: str | None = None


class UnknownType(LookupError):  # noqa: N818 - named for what it says
    """The installed SDK has no such resource type."""


@cache
def resource(token: str) -> ResourceSchema:
    """The schema of `package:module:Type`, or `package:module/type:Type` as a bridged provider names it.

    Imports that one module of the SDK. Raises `UnknownType`.
    """
    package, module_name, type_name = token.split(":")
    try:
        module = importlib.import_module(f"pulumi_{package.replace('-', '_')}.{module_name.split('/')[0]}")
        resource_class: type = getattr(module, type_name)
    except (ImportError, AttributeError):
        raise UnknownType(token) from None
    defined_in = importlib.import_module(resource_class.__module__)
    args_name = next(name for name in defined_in.__all__ if name.endswith("Args"))
    overloads = typing.get_overloads(vars(resource_class)["__init__"])
    version = _API_VERSION.search(overloads[0].__doc__ or "") if overloads else None
    return ResourceSchema(
        token=token,
        api_version=version[1] if version else None,
        inputs=ObjectOf(getattr(defined_in, args_name)),
        outputs=ObjectOf(resource_class),
    )


def judge(value: Mapping[str, Value], shape: ObjectOf, path: str = "") -> Iterator[Mismatch]:
    """Every mismatch between a property bag and its shape. `UNKNOWN` fits everywhere; None is an absent property."""
    properties = shape.properties
    for name, item in value.items():
        where = f"{path}.{name}" if path else name
        if item is None or name.startswith("__"):
            continue
        if name not in properties:
            close = get_close_matches(name, properties, n=1, cutoff=0.5)
            yield Mismatch("unknown", where, shape.name, name, tuple(properties), close[0] if close else None)
        else:
            yield from _judge(item, properties[name].shape, where)
    for name, prop in properties.items():
        if prop.required and value.get(name) is None:
            yield Mismatch("missing", f"{path}.{name}" if path else name, shape.name)


def _judge(value: Value, shape: Shape, path: str) -> Iterator[Mismatch]:
    if value is UNKNOWN:
        return
    match shape:
        case Scalar():
            if not shape.accepts(value):
                yield Mismatch("type", path, shape.name, _kind(value))
        case Choice():
            if not isinstance(value, str):
                yield Mismatch("type", path, "string", _kind(value))
            elif value not in shape.values:
                close = get_close_matches(value, shape.values, n=1, cutoff=0.5)
                yield Mismatch("enum", path, shape.name, value, shape.values, close[0] if close else None)
        case ListOf():
            if not isinstance(value, list):
                yield Mismatch("type", path, "array", _kind(value))
                return
            for index, item in enumerate(value):
                yield from _judge(item, shape.item, f"{path}[{index}]")
        case MapOf():
            if not isinstance(value, dict):
                yield Mismatch("type", path, "object", _kind(value))
                return
            for key, item in value.items():
                yield from _judge(item, shape.item, f"{path}.{key}")
        case ObjectOf():
            if not isinstance(value, dict):
                yield Mismatch("type", path, "object", _kind(value))
            else:
                yield from judge(value, shape, path)
        case Anything():
            return


def _kind(value: Value) -> str:
    """The JSON type of a value; never the value, which may be confidential."""
    if isinstance(value, bool):
        return "boolean"
    kinds: dict[type, str] = {str: "string", int: "integer", float: "number", list: "array", dict: "object"}
    return kinds.get(type(value), type(value).__name__)


def _properties(cls: type) -> Iterator[Property]:
    required = {
        name
        for name, parameter in inspect.signature(vars(cls)["__init__"]).parameters.items()
        if parameter.kind is parameter.KEYWORD_ONLY and parameter.default is parameter.empty
    }
    namespace = vars(sys.modules[cls.__module__])  # not the getter's own: a deprecated one is wrapped elsewhere
    for python_name, member in inspect.getmembers_static(cls, lambda item: isinstance(item, property)):
        wire_name = getattr(member.fget, "_pulumi_name", None)
        if wire_name is not None:
            annotation = member.fget.__annotations__["return"]
            optional = NoneType in _members(annotation)
            yield Property(wire_name, _shape(annotation, namespace), python_name in required, optional)


def _members(annotation: Any) -> tuple[Any, ...]:
    """What the union in `Output[Union[…]]` is made of."""
    return tuple(member for inner in typing.get_args(annotation) for member in typing.get_args(inner))


def _shape(annotation: Any, namespace: dict[str, Any]) -> Shape:
    """The shape behind an annotation: `Input[Optional[Union[str, 'SkuName']]]` is the enum SkuName."""
    candidates = list(_alternatives(annotation, namespace))
    for candidate in candidates:
        origin = typing.get_origin(candidate)
        if origin in (list, Sequence):
            return ListOf(_shape(typing.get_args(candidate)[0], namespace))
        if origin in (dict, Mapping):
            return MapOf(_shape(typing.get_args(candidate)[1], namespace))
        if isinstance(candidate, type) and issubclass(candidate, Enum):
            values = tuple(member.value for member in candidate)
            if isinstance(values[0], str):
                return Choice(candidate.__name__, values)
            return Scalar("number")
    scalars = [candidate for candidate in candidates if candidate in _SCALARS]
    if scalars:
        return Scalar(_SCALARS[scalars[0]])
    classes = [candidate for candidate in candidates if isinstance(candidate, type)]
    if classes and classes[0].__module__.startswith("pulumi_"):
        return ObjectOf(classes[0])
    return Anything()


def _alternatives(annotation: Any, namespace: dict[str, Any]) -> Iterator[Any]:
    """What an annotation allows, without None and without the Output and Awaitable that `Input[T]` adds."""
    if isinstance(annotation, typing.ForwardRef):
        annotation = annotation.__forward_arg__
    if isinstance(annotation, str):
        if annotation.startswith("Output["):
            return
        scope, _, name = annotation.rpartition(".")
        annotation = getattr(namespace[scope], name) if scope else namespace[name]
    origin = typing.get_origin(annotation)
    if origin is typing.Union:
        for item in typing.get_args(annotation):
            yield from _alternatives(item, namespace)
    elif origin is not None and origin.__name__ == "Output":
        yield from _alternatives(typing.get_args(annotation)[0], namespace)
    elif origin is not Awaitable and annotation is not NoneType:
        yield annotation
