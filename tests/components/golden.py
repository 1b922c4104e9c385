"""The golden registrations: what a region registers, as text that a person reviews."""

from collections.abc import Callable, Mapping
from typing import Any

import yaml

from tests.components.recorder import Recording

Decode = Callable[[str], Any]


def render(recording: Recording, decode: Mapping[str, Decode]) -> str:
    """Every registration as one YAML document, ordered by name, with encoded JSON decoded (`decode`, by property)."""
    documents = [
        {
            "resource": f"{one.type} {one.name}",
            "parent": one.parent,
            **({"options": dict(one.options)} if one.options else {}),
            "inputs": {} if one.type.startswith("bailiwick:") else _readable(one.inputs, decode),
        }
        for one in sorted(recording.registrations, key=lambda one: (one.name, one.type))
    ]
    return "".join(
        "---\n" + yaml.safe_dump(document, sort_keys=False, width=110, allow_unicode=True) for document in documents
    )


def without_envelopes(configuration: dict[str, Any]) -> dict[str, Any]:
    """A guest's configuration with each signed envelope named instead of spelt out."""
    envelopes = configuration.get("reference_values")
    if envelopes is not None:
        configuration["reference_values"] = [f"envelope of {one['signatures'][0]['sig']}" for one in envelopes]
    return configuration


def _readable(value: Any, decode: Mapping[str, Decode], key: str = "") -> Any:
    if isinstance(value, dict):
        return {name: _readable(item, decode, name) for name, item in sorted(value.items())}
    if isinstance(value, list):
        return [_readable(item, decode) for item in value]
    if key in decode:
        return decode[key](value)
    return int(value) if isinstance(value, float) and value.is_integer() else value
