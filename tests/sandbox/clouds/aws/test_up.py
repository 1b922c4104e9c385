"""The stack aws-ireland as it ships, from nothing to an attested guest and back."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.clouds import Cloud, open_cloud
from sandbox.engine import LocalEngine, StateFile
from sandbox.region import Region

ROOT = Path(__file__).parents[4]
STACK = "aws-ireland"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    shutil.copy(ROOT / "Pulumi.yaml", folder)
    shutil.copytree(ROOT / "stacks", folder / "stacks", ignore=shutil.ignore_patterns("__pycache__"))
    return folder


@pytest.fixture
def region(tmp_path: Path) -> Iterator[Region]:
    opened = Region(tmp_path / "region", STACK, tmp_path / "hardware", warn=lambda _: None)
    yield opened
    opened.close()


@pytest.fixture
def cloud(tmp_path: Path, region: Region) -> Iterator[Cloud]:
    opened = open_cloud("aws", tmp_path / "region", region)
    region.attach(opened)
    yield opened
    opened.close()


def test_a_guest_is_attested_and_nothing_is_left_afterwards(
    tmp_path: Path, project: Path, region: Region, cloud: Cloud
) -> None:
    engine = LocalEngine(
        project,
        STACK,
        providers={"aws": cloud},
        state=StateFile(tmp_path / "state.json", "passphrase"),
        policy_pack=None,
        on_event=lambda _: None,
    )
    up = engine.up()
    assert up.ok, up.error
    (guest,) = region.settle(30)
    assert (guest.machine, guest.status) == ("aws-ireland-inference", "attested"), guest.reason
    assert guest.claims is not None
    cpu = guest.claims["submods"]["cpu"]
    assert cpu["ear.veraison.policy-claims"]["csp-id"]["value"] == "CN=cc-eu-west-1.amazonaws.com"
    assert cpu["ear.veraison.annotated-evidence"]["chip_id"] == "00" * 64
    nitro = guest.claims["submods"]["nitro"]["ear.veraison.policy-claims"]
    assert nitro["pcrs"]["reference"] == "inference-guest-1.0.0"
    assert f"instance/{nitro['instance-id']['value']}/" in guest.machine_id
    again = engine.preview()
    assert set(again.changes) == {"same"}
    down = engine.destroy()
    assert down.ok, down.error
    assert region.outcomes() == []
