"""The package's schema, from which Pulumi makes the SDKs of other languages.

    python -m components.hosted.package

writes `components/hosted/schema.json` (pulumi.com/docs/iac/guides/building-extending/packages/schema), which the plugin
serves, so that it imports a cloud's components only when a program asks for one.
"""

import inspect
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum
from typing import Any, Final, Literal, get_args, get_origin

import pulumi

from components.hosted.offered import CLOUDS, PACKAGE, SCHEMA_FILE, VERSION, Cloud, Hosted, hosted_on
from components.hosted.shapes import Field, Shape, fields_of, inputs_of, is_object, shape
from components.spec import EMULATED_ACCOUNT

_SIMPLE: Final = {bool: "boolean", int: "integer"}
_LANGUAGES: Final = ("csharp", "go", "java", "nodejs", "python")
_FROM_THE_CLOUD: Final = {("RegionSpec", "keys"), ("KeySpec", "service"), ("KeySpec", "soft_delete_days")}
"""What a stack file may leave to the cloud, although the specification that is read from it always has it."""


def schema_text() -> str:
    """The schema as the repository publishes it."""
    return json.dumps(package_schema(), indent=2, sort_keys=True) + "\n"


def package_schema() -> dict[str, Any]:
    """The schema of the package, made from the components' own Args and outputs."""
    types = _Types()
    resources = {
        token: _resource(cloud, hosted, types)
        for cloud in CLOUDS.values()
        for token, hosted in hosted_on(cloud).items()
    }
    return {
        "name": PACKAGE,
        "displayName": "Bailiwick",
        "version": VERSION,
        "description": "AI factories inside one jurisdiction, on Azure, Google Cloud, AWS and Kubernetes.",
        "language": {language: {"respectSchemaVersion": True} for language in _LANGUAGES},
        "resources": resources,
        "types": types.found,
    }


def _resource(cloud: Cloud, hosted: Hosted, types: "_Types") -> dict[str, Any]:
    foreign = {key for owner, keys in EMULATED_ACCOUNT.items() if owner != cloud.folder for key in keys}
    given = types.object(hosted.args, [field for field in inputs_of(hosted.args) if field.key not in foreign])
    return {
        **types.object(hosted.component, fields_of(hosted.component)),
        "isComponent": True,
        "inputProperties": given["properties"],
        "requiredInputs": given["required"],
    }


class _Types:
    """The schema's named types, each added when it is first met."""

    def __init__(self) -> None:
        self.found: dict[str, dict[str, Any]] = {}

    def object(self, type_: type, fields: Iterable[Field]) -> dict[str, Any]:
        """The schema of a class with these fields."""
        known = list(fields)
        return {
            "type": "object",
            "description": inspect.cleandoc(type_.__doc__ or ""),
            "properties": {field.key: self._property(field) for field in known},
            "required": [field.key for field in known if _is_required(field)],
        }

    def _property(self, field: Field) -> dict[str, Any]:
        return {"description": field.meaning, **self._of(field.shape, field)}

    def _of(self, stated: Shape, field: Field) -> dict[str, Any]:
        found = self._type(stated.type, field)
        return found if stated.late else found | {"plain": True}

    def _type(self, type_: Any, field: Field) -> dict[str, Any]:
        origin, parts = get_origin(type_) or type_, get_args(type_)
        if type_ is Any:
            return {"$ref": "pulumi.json#/Any"}
        if origin is Literal:
            return self._choice(f"{field.owner.__name__}{field.key[0].upper()}{field.key[1:]}", field.meaning, parts)
        if issubclass(origin, Enum):
            return self._choice(origin.__name__, inspect.cleandoc(origin.__doc__ or ""), [one.value for one in origin])
        if is_object(origin):
            return self._named(_type_name(origin), lambda: self.object(origin, fields_of(origin)))
        if issubclass(origin, Mapping):
            return {"type": "object", "additionalProperties": self._of(shape(parts[1]), field)}
        if origin is not str and issubclass(origin, Sequence):
            return {"type": "array", "items": self._of(shape(parts[0]), field)}
        return {"type": _SIMPLE.get(origin, "string")}

    def _choice(self, name: str, meaning: str, values: Iterable[str]) -> dict[str, Any]:
        members = [{"name": value.upper().replace("-", "_"), "value": value} for value in values]
        return self._named(name, lambda: {"type": "string", "description": meaning, "enum": members})

    def _named(self, name: str, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        token = f"{PACKAGE}:index:{name}"
        if token not in self.found:
            self.found[token] = {}  # before its fields, which may be of the same type
            self.found[token] |= make()
        return {"$ref": f"#/types/{token}"}


def _is_required(field: Field) -> bool:
    return field.required and (field.owner.__name__, field.name) not in _FROM_THE_CLOUD


def _type_name(type_: type) -> str:
    """A class's name, after the word of the cloud whose own it is; what a component gives is named for that."""
    folder = type_.__module__.split(".")[1]
    word = next((word for word, cloud in CLOUDS.items() if cloud.folder == folder), "")
    return f"{word}{type_.__name__}{'Outputs' if issubclass(type_, pulumi.Resource) else ''}"


if __name__ == "__main__":
    SCHEMA_FILE.write_text(schema_text(), encoding="utf-8")
