"""Editors and the engine are told the same as the model says: stacks/stack.schema.json and Pulumi.yaml."""

from pathlib import Path

import jsonschema
import pytest
import yaml

from components.spec import json_schema
from components.spec.schema import schema_text

ROOT = Path(__file__).parents[3]


def test_the_published_schema_is_the_model_s() -> None:
    published = (ROOT / "stacks" / "stack.schema.json").read_text()
    assert published == schema_text(), "run: python -m components.spec"


def test_the_schema_is_valid_and_accepts_every_stack_file(stack_file: Path) -> None:
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    files = sorted((ROOT / "stacks").glob("Pulumi.*.yaml"))
    assert stack_file in files
    for file in files:
        jsonschema.validate(yaml.safe_load(file.read_text()), schema)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("bailiwick:location", "germanywest"),
        ("bailiwick:locatoin", "germanywestcentral"),
        ("bailiwick:emulated", 3),
        ("bailiwick:audit", {"retentionDays": 30}),
        ("bailiwick:owner", "nobody"),
        ("location", "germanywestcentral"),
    ],
)
def test_the_schema_refuses_what_the_model_refuses(stack_file: Path, path: str, value: object) -> None:
    document = yaml.safe_load(stack_file.read_text())
    document["config"][path] = value
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, json_schema())


def test_every_key_of_the_schema_is_described() -> None:
    schema = json_schema()
    objects = {"config": schema["properties"]["config"], **schema["$defs"]}
    for name, definition in objects.items():
        for key, value in definition["properties"].items():
            assert value.get("description"), f"{name}.{key}"


def test_project_file_declares_the_keys_of_the_model() -> None:
    """The engine checks these types at `pulumi config set` and before each deployment."""
    project = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())
    schema = json_schema()
    config = schema["properties"]["config"]
    declared = project["config"]
    assert list(declared) == list(config["properties"])
    for key, entry in declared.items():
        expected = config["properties"][key]
        expected = {**schema["$defs"].get(expected.get("$ref", "").rpartition("/")[2], {}), **expected}
        assert entry["type"] == expected["type"], key
        assert entry["description"] == expected["description"], key
        assert entry.get("default") == expected.get("default"), key
        assert ("default" in entry) != (key in config["required"]), key
        assert ("items" in entry) == (entry["type"] == "array"), key
