"""The JSON schema of a whole stack file, so that editors complete and check it."""

import json
from typing import Any

from pydantic.json_schema import GenerateJsonSchema

import catalog
from components.spec.model import RegionSpec
from components.spec.problems import NAMESPACE


def json_schema() -> dict[str, Any]:
    """The schema (JSON Schema 2020-12) of `Pulumi.<stack>.yaml`, with the catalogue's values as enums.

    What depends on two keys at once (a size that the location does not offer) is left to `RegionSpec`.
    """
    spec = RegionSpec.model_json_schema(by_alias=True, schema_generator=_Untitled)
    definitions = spec["$defs"]
    _complete(spec["properties"], definitions)
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
                "propertyNames": {"pattern": "^[^:]+:.+$"},
                "patternProperties": {f"^(?!{NAMESPACE}:)": True},
                "additionalProperties": False,
            },
            "encryptionsalt": {"type": "string", "description": "Written by Pulumi."},
            "secretsprovider": {"type": "string", "description": "Written by Pulumi."},
            "encryptedkey": {"type": "string", "description": "Written by Pulumi."},
        },
        "$defs": definitions,
    }


def schema_text() -> str:
    """The schema as the repository publishes it."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


class _Untitled(GenerateJsonSchema):
    """Leaves out the titles that pydantic makes from field names: the keys say the same."""

    def field_title_should_be_set(self, _schema: Any) -> bool:
        return False


def _complete(properties: dict[str, Any], definitions: dict[str, Any]) -> None:
    """Write the catalogue's values into the schema."""
    facts = catalog.load()
    clouds = [properties["cloud"]["const"]] if "const" in properties["cloud"] else properties["cloud"]["enum"]
    properties["jurisdiction"]["enum"] = sorted(facts.jurisdictions)
    properties["location"]["enum"] = sorted(region.id for cloud in clouds for region in facts.regions(cloud=cloud))
    sizes = sorted(machine.size for cloud in clouds for machine in facts.machine_types(cloud, tee="snp"))
    services = sorted(
        service.id
        for cloud in clouds
        for service in facts.services(cloud).values()
        if service.kind == "key" and service.key_release
    )
    definitions["KeySpec"]["properties"]["service"]["enum"] = services
    for model in ("VerifierSpec", "MachineSpec"):
        definitions[model]["properties"]["size"]["enum"] = sizes
