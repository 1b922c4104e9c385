"""The Pulumi package schema of an emulated cloud, for languages that read types from the provider, as YAML does.

It holds the provider's own settings and the types that the cloud knows, from the installed SDK, down to the first
level: a nested object may be anything here, because the cloud judges it anyway.
"""

import importlib
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from sandbox.clouds import schema


def package_schema(package: str, version: str, tokens: Iterable[str]) -> dict[str, Any]:
    """The schema of `package` with the resource types in `tokens`. Kinds of Kubernetes are left out: their SDK is built
    another way, and its own schema is what judges them."""
    resources = {}
    for token in tokens:
        with suppress(schema.UnknownType):
            resources[token] = _resource(schema.resource(token))
    return {"name": package, "version": version, "provider": _provider(package), "resources": resources}


def _provider(package: str) -> dict[str, Any]:
    """What a program may set of an explicit provider; nothing for a package without an SDK."""
    try:
        module = importlib.import_module(f"pulumi_{package.replace('-', '_')}.provider")
    except ModuleNotFoundError:
        return {}
    settings = {name: _type(item.shape) for name, item in schema.ObjectOf(module.ProviderArgs).properties.items()}
    return {"inputProperties": settings}


def _resource(known: schema.ResourceSchema) -> dict[str, Any]:
    inputs, outputs = known.inputs.properties, known.outputs.properties
    return {
        "inputProperties": {name: _type(item.shape) for name, item in inputs.items()},
        "requiredInputs": sorted(name for name, item in inputs.items() if item.required),
        "properties": {name: _type(item.shape) for name, item in outputs.items()},
    }


def _type(shape: schema.Shape) -> dict[str, Any]:
    match shape:
        case schema.Scalar():
            return {"type": shape.name}
        case schema.Choice():
            return {"type": "string"}
        case schema.ListOf():
            return {"type": "array", "items": _type(shape.item)}
        case schema.MapOf():
            return {"type": "object", "additionalProperties": _type(shape.item)}
        case _:
            return {"$ref": "pulumi.json#/Any"}
