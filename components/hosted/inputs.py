"""From what a program in another language gives to a component's Args.

The engine delivers numbers as floats, objects as mappings with camelCase names, and an Output for what depends on a
resource or is secret. Each value is read by the shape of its field; what does not fit it is refused in one line.
"""

from collections.abc import Collection, Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import Any, Final, Literal, get_args, get_origin

import pulumi
from pulumi.output import Unknown
from pydantic import BaseModel, ValidationError

from catalog import nearest
from components.component import ComponentArgs
from components.errors import InputError
from components.hosted.offered import Hosted
from components.hosted.shapes import SPELLED_OUT, Field, Shape, fields_of, inputs_of, is_object, shape
from components.spec import RegionSpec

_LATE: Final = (pulumi.Output, Unknown)
"""What the engine delivers in place of a value that depends on a resource, is secret, or is not known yet."""


def read_args(hosted: Hosted, inputs: Mapping[str, Any]) -> ComponentArgs:
    """The Args of a component from its inputs.

    Raises `InputError`, and `SpecError` for the keys of a stack file.
    """
    reader = _Reader(hosted.token)
    reader.refuse_unknown("", inputs, [field.key for field in inputs_of(hosted.args)])
    args: ComponentArgs = reader.spelled_out(hosted.args, inputs)
    return args


class _Reader:
    """Reads values in the name of one component."""

    def __init__(self, component: str) -> None:
        self._component = component

    def spelled_out(self, type_: type, inputs: Mapping[str, Any]) -> Any:
        """An object whose fields are inputs of the component, and so are those of its `SPELLED_OUT` fields."""
        found: dict[str, Any] = {}
        for field in sorted(fields_of(type_), key=lambda field: field.name in SPELLED_OUT):
            if field.shape.type is RegionSpec:
                found[field.name] = self._region(inputs, found["reference_values"])
            elif field.name in SPELLED_OUT:
                found[field.name] = self.spelled_out(field.shape.type, inputs)
            else:
                found |= self._field(field, "", inputs)
        return type_(**found)

    def refuse_unknown(self, where: str, given: Mapping[str, Any], known: Collection[str]) -> None:
        """Raise `InputError` for a key that means nothing, which is a misspelt one perhaps."""
        for key in given.keys() - set(known):
            raise self._refusal(f"{where}.{key}".removeprefix("."), "is no input", nearest(key, known))

    def _region(self, inputs: Mapping[str, Any], reference_values: Path) -> RegionSpec:
        keys = {field.key for field in fields_of(RegionSpec)}
        stated = {key: self._plain(key, value) for key, value in inputs.items() if key in keys}
        return RegionSpec.from_mapping(stated, reference_values=reference_values)

    def _field(self, field: Field, where: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """The field's value by its name in Python; nothing where its default stands."""
        where = f"{where}.{field.key}".removeprefix(".")
        value = given.get(field.key)
        if value is None:
            if field.required:
                raise self._refusal(where, "is missing")
            return {} if field.has_default else {field.name: None}
        return {field.name: self._read(field.shape, where, value)}

    def _read(self, stated: Shape, where: str, value: Any) -> Any:
        if not stated.late:
            return self._value(stated.type, where, self._known(where, value))
        return pulumi.Output.from_input(value if isinstance(value, _LATE) else self._value(stated.type, where, value))

    def _value(self, type_: Any, where: str, value: Any) -> Any:
        origin, parts = get_origin(type_) or type_, get_args(type_)
        if type_ is Any:
            return self._plain(where, value)
        if origin is Literal:
            return self._one_of(parts, where, value)
        if issubclass(origin, Enum):
            return origin(self._one_of([member.value for member in origin], where, value))
        if is_object(origin):
            return self._object(origin, where, self._of_kind(dict, "an object", where, value))
        if issubclass(origin, Mapping):
            keys, values = parts[0], shape(parts[1])
            entries = _in_order(self._of_kind(dict, "an object", where, value))
            return {self._key(keys, where, key): self._read(values, f"{where}.{key}", one) for key, one in entries}
        if origin is not str and issubclass(origin, Sequence):
            items = enumerate(self._of_kind(list, "a list", where, value))
            return [self._read(shape(parts[0]), f"{where}[{at}]", one) for at, one in items]
        return self._simple(origin, where, value)

    def _object(self, type_: type, where: str, value: Mapping[str, Any]) -> Any:
        if issubclass(type_, BaseModel):
            try:
                return type_.model_validate(self._plain(where, value))
            except ValidationError as error:
                first = error.errors(include_input=False, include_url=False)[0]
                at = ".".join((where, *map(str, first["loc"])))
                raise self._refusal(at, first["msg"].removeprefix("Value error, ")) from None
        known = list(fields_of(type_))
        self.refuse_unknown(where, value, [field.key for field in known])
        return type_(**{name: one for field in known for name, one in self._field(field, where, value).items()})

    def _simple(self, type_: type, where: str, value: Any) -> Any:
        if type_ is int:
            number = _whole(value)
            if isinstance(number, bool) or not isinstance(number, int):
                raise self._refusal(where, "must be a whole number")
            return number
        if type_ is bool:
            return self._of_kind(bool, "true or false", where, value)
        return type_(self._of_kind(str, "a text", where, value))

    def _key(self, type_: type, where: str, key: str) -> Any:
        try:
            return type_(key)
        except ValueError:
            raise self._refusal(f"{where}.{key}", f"must be a whole number, which names an entry of {where}") from None

    def _known(self, where: str, value: Any) -> Any:
        if isinstance(value, _LATE):
            raise self._refusal(where, "is an output or a secret", "a plain value")
        return value

    def _one_of(self, known: Collection[str], where: str, value: Any) -> Any:
        if value not in known:
            raise self._refusal(where, f"must be one of {', '.join(known)}", nearest(str(value), known))
        return value

    def _of_kind(self, type_: type, kind: str, where: str, value: Any) -> Any:
        if not isinstance(value, type_):
            raise self._refusal(where, f"must be {kind}")
        return value

    def _plain(self, where: str, value: Any) -> Any:
        """A value without a shape of its own, all of it known, and with whole numbers where they were."""
        if isinstance(self._known(where, value), dict):
            return {key: self._plain(f"{where}.{key}", one) for key, one in _in_order(value)}
        if isinstance(value, list):
            return [self._plain(f"{where}[{at}]", one) for at, one in enumerate(value)]
        return _whole(value)

    def _refusal(self, where: str, problem: str, better: str | None = None) -> InputError:
        return InputError(self._component, where, problem, better)


def _in_order(entries: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """The entries of a mapping by key: the protocol keeps no order, and what is made of them must not change."""
    return sorted(entries.items())


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value
