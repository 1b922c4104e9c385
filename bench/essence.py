"""What a deployment must leave whichever engine made it: the facts in a checkpoint that nobody makes up."""

import json
import re
from typing import Any

_MADE_UP = {"created", "modified", "sourcePosition", "stackTrace", "aliases"}
_INVENTED = re.compile(
    r"(?<![0-9A-Za-z])"
    r"([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|([a-z]+-)?[0-9a-f]{16,17}|p-[0-9a-z]{8}|[0-9A-Z]{21,22})"
    r"(?![0-9A-Za-z])"
)
"""An id that a cloud invents: a GUID, or as on AWS `ami-4054a8cbd2e1be860`, `p-4duc2rwk`, `DSCCANVAQU0LDZIDSDTAUA`."""


def essence(checkpoint: dict[str, Any], *, two_clouds: bool = False) -> set[str]:
    """A line for each fact of each resource: all but times, source positions, ciphertexts, ids that the engine makes
    up, and the order of what a resource depends on, which pulumi draws by lot.

    Where the engines had a cloud each (`two_clouds`), the ids that clouds invent are no facts either, and outputs count
    by their names and kinds.
    """
    resources = checkpoint["deployment"]["resources"]
    made_up = {record["id"]: record["urn"] for record in resources if record["type"].startswith("pulumi:providers:")}

    def normal(value: Any) -> Any:
        match value:
            case dict():
                return {name: normal(item) for name, item in value.items() if name != "ciphertext"}
            case list():
                return [normal(item) for item in value]
            case str():
                for identity, urn in made_up.items():
                    value = value.replace(identity, urn)
                return _INVENTED.sub("invented", value) if two_clouds else value
            case _:
                return value

    def fact(key: str, value: Any) -> Any:
        match key:
            case "dependencies":
                return sorted(value)
            case "propertyDependencies":
                return {name: sorted(urns) for name, urns in value.items()}
            case "outputs" if two_clouds:
                return _shape(value)
            case _:
                return normal(value)

    return {
        f"{record['urn']} {key}: {json.dumps(fact(key, value), sort_keys=True)}"
        for record in resources
        for key, value in record.items()
        if key not in _MADE_UP
    }


def _shape(value: Any) -> Any:
    match value:
        case dict():
            return {name: _shape(item) for name, item in value.items()}
        case list():
            return [_shape(item) for item in value]
        case _:
            return type(value).__name__
