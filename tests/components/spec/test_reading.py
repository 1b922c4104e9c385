"""The specification is read alike from a stack file and from a running Pulumi program."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pulumi.runtime.config as pulumi_config
import pytest
import yaml

from components.spec import RegionSpec, SpecError, json_schema


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("config: [", ":1:10: is not YAML: "),
        ("config:\n\tbailiwick:cloud: azure\n", ":2:1: is not YAML: "),
        ("config: {bailiwick:owner: 2027-02-30}\n", ": is not YAML: day is out of range"),
        ("config: " + "[" * 5000, ": is not YAML: "),
        ("", ": must be a mapping with the key config"),
        ("- a\n- b\n", ": must be a mapping with the key config"),
        ("config: azure\n", ": config: must be a mapping of keys like bailiwick:location to values"),
        ("encryptionsalt: v1\n", ": config: must be a mapping of keys like bailiwick:location to values"),
    ],
)
def test_a_malformed_stack_file_is_one_line(tmp_path: Path, content: str, message: str) -> None:
    file = tmp_path / "Pulumi.broken.yaml"
    file.write_text(content)
    with pytest.raises(SpecError) as raised:
        RegionSpec.from_stack_file(file)
    assert str(raised.value).startswith(f"{file}{message}")
    assert "\n" not in str(raised.value)


def test_bytes_that_are_not_text(tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.binary.yaml"
    file.write_bytes(b"\x80\x81config")
    with pytest.raises(SpecError, match="is not YAML: "):
        RegionSpec.from_stack_file(file)


def test_a_missing_stack_file(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"Pulumi\.absent\.yaml: there is no such stack file$"):
        RegionSpec.from_stack_file(tmp_path / "Pulumi.absent.yaml")


def write_stack(file: Path, stack: dict[str, Any], extra: dict[str, Any], **root: Any) -> Path:
    document: dict[str, Any] = {"config": {f"bailiwick:{key}": value for key, value in stack.items()}}
    document["config"] |= extra
    file.write_text(yaml.safe_dump(document | root))
    return file


def test_keys_of_others_are_left_alone(tmp_path: Path, stack: dict[str, Any], reference_values: Path) -> None:
    file = write_stack(
        tmp_path / "Pulumi.other.yaml",
        stack,
        {"azure-native:location": "germanywestcentral", "azure-native:clientSecret": {"secure": "v1:x"}},
        encryptionsalt="v1:abc=",
        secretsprovider="passphrase",
    )
    spec = RegionSpec.from_stack_file(file, reference_values=reference_values)
    assert spec == RegionSpec.from_mapping(stack, reference_values=reference_values)
    jsonschema.validate(yaml.safe_load(file.read_text()), json_schema())


def test_encrypted_values_are_refused_by_path_and_not_shown(
    tmp_path: Path, stack: dict[str, Any], reference_values: Path
) -> None:
    file = write_stack(
        tmp_path / "Pulumi.secret.yaml",
        stack,
        {"bailiwick:owner": {"secure": "v1:c2VjcmV0"}, "bailiwick:audit": {"retentionDays": {"secure": "v1:c2Vj"}}},
    )
    with pytest.raises(SpecError) as raised:
        RegionSpec.from_stack_file(file, reference_values=reference_values)
    assert [problem.path for problem in raised.value.problems] == [
        "bailiwick:audit.retentionDays",
        "bailiwick:owner",
    ]
    assert "is encrypted" in str(raised.value)
    assert "c2Vj" not in str(raised.value)


def test_a_key_without_namespace_names_the_right_one(tmp_path: Path, stack: dict[str, Any]) -> None:
    file = write_stack(tmp_path / "Pulumi.bare.yaml", stack, {"location": "germanywestcentral"})
    with pytest.raises(SpecError, match="config: location: has no namespace; nearest valid: bailiwick:location"):
        RegionSpec.from_stack_file(file)


@pytest.fixture
def pulumi_bag(stack: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """The stack as the engine hands it to a program: text for scalars, JSON for structures."""
    monkeypatch.delenv("PULUMI_CONFIG", raising=False)
    bag = {f"bailiwick:{key}": value if isinstance(value, str) else json.dumps(value) for key, value in stack.items()}
    before = pulumi_config.CONFIG.get()
    pulumi_config.set_all_config({**bag, "azure-native:location": "germanywestcentral"}, [])
    yield bag
    pulumi_config.set_all_config(before, [])


@pytest.mark.usefixtures("pulumi_bag")
def test_the_program_reads_the_same_specification(stack: dict[str, Any], reference_values: Path) -> None:
    spec = RegionSpec.from_pulumi_config(reference_values=reference_values)
    assert spec == RegionSpec.from_mapping(stack, reference_values=reference_values)
    assert spec.emulated is True


def test_the_program_finds_a_misspelt_key(pulumi_bag: dict[str, str], reference_values: Path) -> None:
    pulumi_config.set_all_config({**pulumi_bag, "bailiwick:locatoin": "x"}, [])
    with pytest.raises(SpecError, match=r"bailiwick:locatoin: is not a key .* nearest valid: location"):
        RegionSpec.from_pulumi_config(reference_values=reference_values)


def test_the_program_refuses_secrets_and_broken_structures(pulumi_bag: dict[str, str], reference_values: Path) -> None:
    pulumi_config.set_all_config({**pulumi_bag, "bailiwick:audit": "{"}, ["bailiwick:owner"])
    with pytest.raises(SpecError) as raised:
        RegionSpec.from_pulumi_config(reference_values=reference_values)
    assert [problem.path for problem in raised.value.problems] == ["bailiwick:audit", "bailiwick:owner"]
