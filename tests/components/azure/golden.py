"""The golden registrations: what the region registers, as text that a person reviews.

    python -m tests.components.azure.golden

writes the file anew; read the difference before committing it.
"""

import base64
import json
import tempfile
from pathlib import Path
from typing import Any

import yaml

from tests.components.azure.recorder import Recording
from tests.components.azure.region import deploy, write_reference_values

FILE = Path(__file__).parent / "golden" / "azure-germany.yaml"


def render(recording: Recording) -> str:
    """Every registration as one YAML document, ordered by name, with encoded JSON decoded."""
    documents = [
        {
            "resource": f"{one.type} {one.name}",
            "parent": one.parent,
            **({"options": dict(one.options)} if one.options else {}),
            "inputs": {} if one.type.startswith("bailiwick:") else _readable(one.inputs),
        }
        for one in sorted(recording.registrations, key=lambda one: (one.name, one.type))
    ]
    return "".join(
        "---\n" + yaml.safe_dump(document, sort_keys=False, width=110, allow_unicode=True) for document in documents
    )


def _readable(value: Any, key: str = "") -> Any:
    if isinstance(value, dict):
        return {name: _readable(item, name) for name, item in sorted(value.items())}
    if isinstance(value, list):
        return [_readable(item) for item in value]
    if key == "userData":
        return _without_envelopes(json.loads(base64.b64decode(value)))
    if key == "data":
        return json.loads(base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)))
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _without_envelopes(configuration: dict[str, Any]) -> dict[str, Any]:
    envelopes = configuration.get("reference_values")
    if envelopes is not None:
        configuration["reference_values"] = [f"envelope of {one['signatures'][0]['sig']}" for one in envelopes]
    return configuration


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        FILE.write_text(render(deploy(write_reference_values(Path(directory)))), encoding="utf-8")


if __name__ == "__main__":
    main()
