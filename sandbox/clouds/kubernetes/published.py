"""Manifests against the OpenAPI schemas that Kubernetes publishes, for one named version.

The schemas come with `kubernetes-validate`, in their strict form: an unknown field is refused, as the API server does
for `fieldValidation: Strict`, which is what Pulumi's provider asks for. Its own `validate` reads 1.5 MB for each call
and reports one error; the validators are kept here, and every error is reported.
"""

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from functools import cache
from typing import Any, Final

import jsonschema
from kubernetes_validate.utils import schema_contents  # type: ignore[import-untyped]
from referencing import Registry, Resource

from sandbox.clouds.kubernetes.api import api_version_of, kind_name
from sandbox.clouds.resource import ResourceType
from sandbox.provider import CheckFailure
from sandbox.values import UNKNOWN, Value

VERSION: Final = "1.34"
"""The Kubernetes version that the emulated cluster runs."""

_DIRECTORY: Final = f"kubernetes-json-schema/v{VERSION}.0-local-strict"
_GO_TYPES: Final = {"string": "string", "integer": "int32", "boolean": "bool", "number": "float64"}
_JSON_TYPES: Final = {
    bool: "bool", str: "string", int: "number", float: "number", list: "array", dict: "object",
}  # fmt: skip


def failures(kind: ResourceType, manifest: Mapping[str, Value]) -> Iterator[CheckFailure]:
    """What the schema refuses, in the API server's words; a value that is unknown yet fits everywhere."""
    name = kind_name(kind)
    version = api_version_of(kind)
    prefix = f'{name} in version "{version.rsplit("/", 1)[-1]}" cannot be handled as a {name}'
    metadata = manifest.get("metadata")
    called = metadata.get("name", "") if isinstance(metadata, Mapping) else ""
    group = version.split("/")[0] if "/" in version else ""
    subject = f'{name}{f".{group}" if group else ""} "{called}" is invalid'
    visible = {key: value for key, value in manifest.items() if not key.startswith("__")}
    error: Any
    for error in _validator(version, name).iter_errors(visible):
        if error.instance is UNKNOWN:
            continue
        path = dotted(error.absolute_path)
        if error.validator == "additionalProperties":
            yield from _unknown_fields(prefix, path, error)
        elif error.validator == "required":
            for field in _missing(error):
                where = f"{path}.{field}" if path else field
                yield CheckFailure(where, f"Invalid: {subject}: {where}: Required value")
        else:
            yield CheckFailure(path, f"BadRequest: {prefix}: json: {_mismatch(error, path)}")


def dotted(path: Any) -> str:
    """`spec.containers[0].image`."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return text.removeprefix(".")


@cache
def _validator(api_version: str, kind: str) -> jsonschema.Draft202012Validator:
    group_version = re.sub(r"^([^./]*)(?:\.[^/]*)?/", r"\1-", api_version)
    schema = schema_contents(f"{_DIRECTORY}/{kind.lower()}-{group_version}.json", VERSION)
    return jsonschema.Draft202012Validator(schema, registry=Resource.from_contents(schema) @ _definitions())


@cache
def _definitions() -> Registry[Any]:
    registry: Registry[Any] = Registry()
    return Resource.from_contents(schema_contents(f"{_DIRECTORY}/_definitions.json", VERSION)) @ registry


def _unknown_fields(prefix: str, path: str, error: Any) -> Iterator[CheckFailure]:
    known = error.schema.get("properties", {}) if isinstance(error.schema, Mapping) else {}
    for field in error.instance:
        if field in known:
            continue
        where = f"{path}.{field}" if path else field
        close = get_close_matches(field, known, n=1, cutoff=0.5)
        hint = f"; did you mean '{close[0]}'?" if close else ""
        yield CheckFailure(where, f'BadRequest: {prefix}: strict decoding error: unknown field "{where}"{hint}')


def _missing(error: Any) -> list[str]:
    """jsonschema reports each missing field by itself; the message names it."""
    return [field for field in error.validator_value if error.message.startswith(f"'{field}'")]


def _mismatch(error: Any, path: str) -> str:
    found = _JSON_TYPES.get(type(error.instance), "null")
    if error.validator == "enum":
        return f"{path} must be {' or '.join(map(str, error.validator_value))}, is {error.instance}"
    wanted = error.validator_value if error.validator == "type" else ["string"]
    first = next((each for each in ([wanted] if isinstance(wanted, str) else wanted) if each != "null"), "object")
    if error.validator == "oneOf":
        return f"cannot unmarshal {found} into Go struct field {path} of type string or number"
    return f"cannot unmarshal {found} into Go struct field {path} of type {_GO_TYPES.get(first, first)}"
