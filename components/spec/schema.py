"""The JSON schema of a whole stack file, so that editors complete and check it."""

import json
from typing import Any

from pydantic.json_schema import GenerateJsonSchema

import catalog
from components.spec.accounts import EMULATED_ACCOUNT
from components.spec.keys import key_services
from components.spec.model import RegionSpec
from components.spec.parts import PARTS
from components.spec.problems import NAMESPACE


def json_schema() -> dict[str, Any]:
    """The schema (JSON Schema 2020-12) of `Pulumi.<stack>.yaml`, with the catalogue's values as enums.

    What depends on two keys at once (a size that the location does not offer) is left to `RegionSpec`.
    """
    spec = RegionSpec.model_json_schema(by_alias=True, schema_generator=_Untitled)
    _complete(spec)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Bailiwick stack file",
        "description": "One sovereign region. Keys of other namespaces are left to their providers.",
        "type": "object",
        "required": ["config"],
        "properties": {
            "config": {
                "type": "object",
                "required": [f"{NAMESPACE}:{key}" for key in spec["required"]],
                "properties": {f"{NAMESPACE}:{key}": value for key, value in spec["properties"].items()},
                "dependentRequired": {
                    f"{NAMESPACE}:{key}": [f"{NAMESPACE}:{needed}"]
                    for key, needed in (("verifier", "machines"), ("machines", "verifier"), ("clusters", "verifier"))
                },
                "propertyNames": {"pattern": "^[^:]+:.+$"},
                "patternProperties": {f"^(?!{NAMESPACE}:)": True},
                "additionalProperties": False,
                "allOf": [_of_cloud(cloud) for cloud in _clouds()],
            },
            "encryptionsalt": {"type": "string", "description": "Written by Pulumi."},
            "secretsprovider": {"type": "string", "description": "Written by Pulumi."},
            "encryptedkey": {"type": "string", "description": "Written by Pulumi."},
        },
        "$defs": spec["$defs"],
    }


def schema_text() -> str:
    """The schema as the repository publishes it."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


class _Untitled(GenerateJsonSchema):
    """Leaves out the titles that pydantic makes from field names: the keys say the same."""

    def field_title_should_be_set(self, _schema: Any) -> bool:
        return False


def _complete(spec: dict[str, Any]) -> None:
    """Write into the schema the catalogue's values, and what `RegionSpec` takes from the cloud where it is left out."""
    facts = catalog.load()
    properties, definitions = spec["properties"], spec["$defs"]
    properties["cloud"]["enum"] = _clouds()
    properties["jurisdiction"]["enum"] = sorted(facts.jurisdictions)
    spec["required"].remove("keys")
    properties["keys"]["default"] = {}
    del definitions["KeySpec"]["required"]
    # The engine asks for a key of the project that has no default, and null is none: nothing is an empty mapping.
    verifier = properties["verifier"]
    verifier |= {"type": "object", "anyOf": [verifier["anyOf"][0], {"maxProperties": 0}], "default": {}}


def _clouds() -> list[str]:
    """The clouds in which a region can be: those that have keys for attested guests only."""
    facts = catalog.load()
    return sorted(cloud for cloud in facts.clouds if key_services(facts, cloud))


def _of_cloud(cloud: str) -> dict[str, Any]:
    """What a stack file must be when it names `cloud`: its account, its regions, its sizes, its key services."""
    facts = catalog.load()
    account = EMULATED_ACCOUNT[facts.cloud(cloud).provider]
    sizes = sorted(_sizes(cloud))
    size: Any = {"properties": {"size": {"enum": sizes}}} if sizes else False
    entries = {"items": size} if sizes else False
    then = {
        **{key: {"minLength": 1} for key in account},
        "location": {"enum": sorted(region.id for region in facts.regions(cloud=cloud))},
        "keys": {"properties": {"service": {"enum": key_services(facts, cloud)}}},
        "verifier": size,
        "machines": entries,
        "clusters": entries,
    }
    return {
        "if": {"properties": {f"{NAMESPACE}:cloud": {"const": cloud}}},
        "then": {
            "required": [f"{NAMESPACE}:{key}" for key in account],
            "properties": {f"{NAMESPACE}:{key}": value for key, value in then.items()},
        },
    }


def _sizes(cloud: str) -> set[str]:
    facts = catalog.load()
    tees = PARTS[facts.cloud(cloud).provider].tees
    return {machine.size for machine in facts.machine_types(cloud) if machine.tee in tees}
