"""The schema that the plugin serves: what Pulumi makes other languages' SDKs from."""

import json
import subprocess
import sys
from importlib import import_module
from typing import Any

import pytest

from components.component import Component
from components.hosted.offered import CLOUDS, NOT_HOSTED, SCHEMA_FILE
from components.hosted.package import package_schema, schema_text
from components.hosted.shapes import shape
from components.spec import json_schema

SCHEMA = package_schema()


def test_the_published_schema_says_what_the_components_say() -> None:
    assert SCHEMA_FILE.read_text(encoding="utf-8") == schema_text(), "run: python -m components.hosted.package"


@pytest.mark.parametrize("word", CLOUDS)
def test_every_component_of_a_cloud_is_hosted_or_says_why_not(word: str) -> None:
    module = import_module(f"components.{CLOUDS[word].folder}")
    offered = {getattr(module, name) for name in module.__all__}
    components = {one.__name__ for one in offered if isinstance(one, type) and issubclass(one, Component)}
    hosted = {token.rpartition(":")[2] for token in SCHEMA["resources"]}
    assert {f"{word}{name}" for name in components} == {
        name for name in hosted | set(NOT_HOSTED) if name.startswith(word)
    }
    assert not hosted & set(NOT_HOSTED)


def test_everything_is_described() -> None:
    nameless = [
        f"{token}.{key}"
        for token, one in {**SCHEMA["resources"], **SCHEMA["types"]}.items()
        for part in ("properties", "inputProperties")
        for key, stated in one.get(part, {}).items()
        if not stated.get("description")
    ]
    assert nameless == []


def test_a_region_asks_for_what_a_stack_file_must_say() -> None:
    file = json_schema()
    asked = SCHEMA["resources"]["bailiwick:index:GcpSovereignRegion"]
    needed = {key.removeprefix("bailiwick:") for key in file["properties"]["config"]["required"]}
    assert set(asked["requiredInputs"]) == needed | {"referenceValues"}
    for name, stated in file["$defs"].items():
        assert set(SCHEMA["types"][f"bailiwick:index:{name}"].get("required", ())) == set(stated.get("required", ()))


def test_a_region_asks_for_the_account_of_its_own_cloud_alone() -> None:
    accounts = {"subscriptionId", "tenantId", "projectId", "accountId", "cluster"}
    for word, own in (("Azure", {"subscriptionId", "tenantId"}), ("Aws", {"accountId"}), ("Kubernetes", {"cluster"})):
        inputs = SCHEMA["resources"][f"bailiwick:index:{word}SovereignRegion"]["inputProperties"]
        assert inputs.keys() & accounts == own


def test_an_input_takes_an_output_where_the_component_does() -> None:
    inputs = SCHEMA["resources"]["bailiwick:index:AzureAuditLog"]["inputProperties"]
    known = {key for key, stated in inputs.items() if stated.get("plain")}
    assert {"location", "retentionDays"} <= known
    assert not {"subnetId", "zoneIds", "resourceGroupName"} & known
    grant = SCHEMA["types"]["bailiwick:index:AzureGrant"]["properties"]
    assert grant["name"]["plain"] is True
    assert "plain" not in grant["scope"]


def test_a_choice_lists_what_may_be_chosen() -> None:
    machine = SCHEMA["types"]["bailiwick:index:MachineSpec"]["properties"]
    named = machine["purchase"]["$ref"].removeprefix("#/types/")
    assert [one["value"] for one in SCHEMA["types"][named]["enum"]] == ["on-demand", "spot", "flex-start"]


def test_a_union_is_refused_when_the_schema_is_made() -> None:
    with pytest.raises(TypeError, match="has 2 types"):
        shape(str | int)


def test_the_plugin_imports_no_cloud_before_it_is_asked_for_one() -> None:
    script = (
        "import sys, components.hosted.provider as p; p.Host(); print([m for m in sys.modules if m.startswith({})])"
    )
    clouds = tuple(f"components.{cloud.folder}" for cloud in CLOUDS.values())
    done = subprocess.run([sys.executable, "-c", script.format(clouds)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_reference_leads_to_a_type() -> None:
    def references(value: Any) -> set[str]:
        if isinstance(value, dict):
            found = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
            return found.union(*map(references, value.values()))
        return set().union(*map(references, value)) if isinstance(value, list) else set()

    named = {one.removeprefix("#/types/") for one in references(json.loads(schema_text())) if one.startswith("#")}
    assert named == set(SCHEMA["types"])
