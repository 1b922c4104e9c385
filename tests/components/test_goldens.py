"""Every component of every cloud, on every TEE, registers what was reviewed, and no child ever loses its name."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml
from pulumi_aws import kms

import catalog
from components.component import Component, ComponentArgs
from components.spec.parts import PARTS
from tests.components import golden, recorder
from tests.components.aws import golden as aws
from tests.components.azure import golden as azure
from tests.components.gcp import golden as gcp
from tests.components.kubernetes import golden as kubernetes
from tests.components.recorder import Recording

CLOUDS: dict[str, Any] = {"aws": aws, "azure": azure, "gcp": gcp, "kubernetes": kubernetes}
FILES = [(cloud, file.stem) for cloud, module in CLOUDS.items() for file in sorted(module.DIRECTORY.glob("*.yaml"))]
ON_HARDWARE = ("AttestationVerifier", "ConfidentialVm", "ConfidentialVmGroup", "ConfidentialCluster")
"""Components that differ by TEE."""

Recordings = dict[tuple[str, str], Recording]


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], Recording]:
    """The recording of each golden file, made once."""
    programs = {
        (cloud, name): record
        for cloud, module in CLOUDS.items()
        for name, record in module.recordings(tmp_path_factory.mktemp(cloud)).items()
    }
    made: Recordings = {}

    def recording(cloud: str, name: str) -> Recording:
        if (cloud, name) not in made:
            made[cloud, name] = programs[cloud, name]()
        return made[cloud, name]

    return recording


@pytest.mark.parametrize(("cloud", "name"), FILES)
def test_what_is_registered_was_reviewed(cloud: str, name: str, recordings: Callable[[str, str], Recording]) -> None:
    recording, text = recordings(cloud, name), _text(cloud, name)
    assert golden.lost(recording, text) == [], "a renamed child needs an alias, or a deployed stack loses the old one"
    found = {one["resource"]: one for one in yaml.safe_load_all(CLOUDS[cloud].render(recording))}
    reviewed = {one["resource"]: one for one in yaml.safe_load_all(text)}
    assert found == reviewed, f"if it is meant: python -m tests.components.{cloud}.golden, and read the difference"


@pytest.mark.parametrize("cloud", CLOUDS)
def test_every_component_has_a_golden_on_every_tee(cloud: str, recordings: Callable[[str, str], Recording]) -> None:
    offered = set(import_module(f"components.{cloud}").__all__)
    components = {name for name in offered if f"{name}Args" in offered}
    registered = [
        one
        for folder, name in FILES
        if folder == cloud
        for one in recordings(cloud, name).registrations
        if one.type.startswith("bailiwick:")
    ]
    made = {one.type.rpartition(":")[2].lower().removeprefix(cloud) for one in registered}
    assert {name.lower() for name in components} <= made

    hardware = {*PARTS[cloud].tees, *PARTS[cloud].gpus} - {"none"}
    wanted = {(name, part) for name in ON_HARDWARE if name in components for part in hardware}
    # A verifier needs no GPU, and managed clusters do not have every machine of their cloud.
    wanted -= {("AttestationVerifier", part) for part in PARTS[cloud].gpus}
    wanted -= {("ConfidentialCluster", part) for part in hardware - _in_clusters(cloud)}
    shown = {
        (name, part)
        for one in registered
        for name in ON_HARDWARE
        if one.type.lower().endswith(f"{cloud}{name}".lower())
        for part in (one.inputs.get("tee"), one.inputs.get("gpu"), "h100" if one.inputs.get("gpuPool") else None)
    }
    assert wanted <= shown


def _in_clusters(cloud: str) -> set[str]:
    """The TEEs and confidential GPUs that nodes of the cloud's managed clusters can have, for all that the catalogue
    knows."""
    facts = catalog.load()
    found: set[str] = set()
    for feature in facts.cluster_features(cloud).values():
        if feature.supported is False:
            continue
        if feature.kind == "confidential-nodes":
            found.update(feature.tees)
        elif feature.kind == "gpu-confidential-nodes":
            families = [facts.machine_families(cloud)[name] for name in feature.families]
            found.update(family.gpu.name for family in families if family.gpu)
    return found


class _Box(Component):
    def __init__(self, name: str, child: str, aliases: list[pulumi.Alias] | None = None) -> None:
        super().__init__("bailiwick:index:Box", name, ComponentArgs())
        kms.Key(f"{name}-{child}", opts=pulumi.ResourceOptions(parent=self, aliases=aliases))
        self.register_outputs({})


def test_a_renamed_child_needs_an_alias_to_its_old_name(tmp_path: Path) -> None:
    file = tmp_path / "box.yaml"
    reviewed = recorder.record(lambda: _Box("box", "vault"), stack="s")
    golden.write(file, reviewed, golden.render(reviewed, {}))
    renamed = recorder.record(lambda: _Box("box", "safe"), stack="s")
    with pytest.raises(SystemExit, match="box-vault"):
        golden.write(file, renamed, golden.render(renamed, {}))
    aliased = recorder.record(lambda: _Box("box", "safe", [pulumi.Alias(name="box-vault")]), stack="s")
    golden.write(file, aliased, golden.render(aliased, {}))
    assert "formerly:\n- box-vault" in file.read_text(encoding="utf-8")


def _text(cloud: str, name: str) -> str:
    path: Path = CLOUDS[cloud].DIRECTORY / f"{name}.yaml"
    return path.read_text(encoding="utf-8")
