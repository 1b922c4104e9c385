"""A program of somebody else's, made of Bailiwick's components, under the local engine in the emulated Azure."""

import shutil
from collections import Counter
from pathlib import Path

import pytest
import yaml

from components.hosted.offered import SCHEMA_FILE
from sandbox.clouds.azure import AzureCloud
from sandbox.clouds.hardware import NullHardware
from sandbox.engine import LocalEngine, StateFile

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def engine(tmp_path: Path) -> LocalEngine:
    folder = shutil.copytree(EXAMPLES / "compose", tmp_path / "compose")
    cloud = AzureCloud(tmp_path, NullHardware())
    state = StateFile(tmp_path / "dev.json", "a passphrase")
    return LocalEngine(folder, "dev", providers={"azure-native": cloud}, state=state)


def test_three_components_and_a_resource_of_ones_own_come_up_and_stay(engine: LocalEngine) -> None:
    first = engine.up()
    assert first.ok, first.error
    assert first.outputs["network"].endswith("/virtualNetworks/platform-dev")
    assert first.outputs["auditStore"].startswith("auditplatformdev")
    again = engine.up()
    assert again.ok, again.error
    assert set(+Counter(again.changes)) == {"same"}
    assert engine.destroy().ok


@pytest.mark.parametrize(("example", "count"), [("hosted-yaml", 2), ("hosted-region", 1)])
def test_a_consumer_in_yaml_uses_inputs_that_the_published_schema_has(example: str, count: int) -> None:
    program = yaml.safe_load((EXAMPLES / example / "Pulumi.yaml").read_text(encoding="utf-8"))
    resources = yaml.safe_load(SCHEMA_FILE.read_text(encoding="utf-8"))["resources"]
    used = {name: one for name, one in program["resources"].items() if one["type"].startswith("bailiwick:")}
    assert len(used) == count
    for resource in used.values():
        schema = resources[resource["type"].replace("bailiwick:", "bailiwick:index:")]
        assert set(schema["requiredInputs"]) <= set(resource["properties"]) <= set(schema["inputProperties"])
