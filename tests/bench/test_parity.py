"""Every cloud's stack under both engines: the same acts, the same state, and a state that changes hands unchanged."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from bench.parity import Deployed, deploy_locally, deploy_with_pulumi, differences
from bench.pulumi_command import PulumiCommand
from components.spec import RegionSpec
from sandbox.clouds import open_cloud, providers_of
from sandbox.clouds.hardware import NullHardware
from sandbox.clouds.server import serve
from tests.cli.conftest import ROOT

pytestmark = [
    pytest.mark.pulumi,
    pytest.mark.skipif(shutil.which("pulumi") is None, reason="install the pulumi command: pulumi.com/docs/install"),
]


@dataclass(frozen=True)
class Local:
    """A stack that the local engine has brought up, and the folder with its cloud."""

    stack: str
    folder: Path
    deployed: Deployed


@pytest.fixture(scope="module", params=["azure-germany", "gcp-germany", "aws-ireland", "onprem-kubernetes"])
def local(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Local:
    folder = tmp_path_factory.mktemp("parity") / "local"
    return Local(request.param, folder, deploy_locally(request.param, folder))


def test_both_engines_do_the_same_with_a_stack(local: Local, tmp_path: Path) -> None:
    assert len(local.deployed.acts) > 30
    assert differences(local.deployed, deploy_with_pulumi(local.stack, tmp_path / "real")) == []


def test_a_state_of_the_local_engine_previews_as_unchanged_under_pulumi(local: Local, tmp_path: Path) -> None:
    checkpoint = tmp_path / "checkpoint.json"
    checkpoint.write_text(json.dumps(local.deployed.checkpoint))
    spec = RegionSpec.from_stack_file(ROOT / "stacks" / f"Pulumi.{local.stack}.yaml")
    cloud = open_cloud(spec.provider, local.folder, NullHardware())
    served = serve(providers_of(cloud))
    try:
        pulumi = PulumiCommand(tmp_path, local.stack, served.debug_providers)
        pulumi("stack", "import", "--stack", local.stack, "--file", str(checkpoint))
        printed = pulumi("preview", "--stack", local.stack, "--expect-no-changes")
    finally:
        served.stop()
        cloud.close()
    assert f"{len(local.deployed.checkpoint['deployment']['resources'])} unchanged" in printed
