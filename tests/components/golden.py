"""The golden registrations: what a region registers, as text that a person reviews."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
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
            **({"formerly": list(one.former_names)} if one.former_names else {}),
            "inputs": {} if one.type.startswith("bailiwick:") else _readable(one.inputs, decode),
        }
        for one in sorted(recording.registrations, key=lambda one: (one.name, one.type))
    ]
    return "".join(
        "---\n" + yaml.safe_dump(document, sort_keys=False, width=110, allow_unicode=True) for document in documents
    )


def lost(recording: Recording, golden: str) -> list[str]:
    """The resources of a golden file that the recording neither registers nor has an alias for.

    A child's name is its identity: under another one the engine deletes the old and creates the new, a key or a log
    among them.
    """
    registered = {f"{one.type} {name}" for one in recording.registrations for name in (one.name, *one.former_names)}
    return [one["resource"] for one in yaml.safe_load_all(golden) if one["resource"] not in registered]


def write(file: Path, recording: Recording, rendered: str) -> None:
    """Write a golden file anew. Exits with the names that would be lost: a renamed child needs an alias."""
    if file.exists() and (gone := lost(recording, file.read_text(encoding="utf-8"))) and "--drop" not in sys.argv:
        named = "\n  ".join(gone)
        sys.exit(
            f"{file.name}: without an alias, a deployed stack would lose\n  {named}\n"
            "register the new child with aliases=[pulumi.Alias(name=<old>)], or, where it is meant to go, add --drop"
        )
    file.write_text(rendered, encoding="utf-8")


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
