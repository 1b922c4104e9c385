"""The component plugin under the real `pulumi`: the engine starts it from its folder and constructs components."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from sandbox.clouds.azure import AzureCloud
from sandbox.clouds.gcp import GcpCloud
from sandbox.clouds.hardware import NullHardware
from sandbox.clouds.server import serve
from tests.components.hosted.test_inputs import AZURE
from tests.sandbox.clouds.pulumi_project import Project

ROOT = Path(__file__).parents[3]
NO_NETWORK = {
    "HTTPS_PROXY": "http://127.0.0.1:9",
    "HTTP_PROXY": "http://127.0.0.1:9",
    "NO_PROXY": "127.0.0.1,localhost",
}
"""A proxy that nothing listens at: what asks for anything beyond this machine fails."""

pytestmark = [
    pytest.mark.pulumi,
    pytest.mark.skipif(
        shutil.which("pulumi") is None, reason="needs pulumi on PATH: https://www.pulumi.com/docs/install"
    ),
]

WITH_YAML = pytest.mark.skipif(
    shutil.which("pulumi-language-yaml") is None, reason="needs pulumi-language-yaml beside pulumi"
)

PROGRAM = f"""
import pulumi
from pulumi_azure_native import resources


class Hosted(pulumi.ComponentResource):
    def __init__(self, kind, name, inputs, *outputs):
        props = {{**placed, **inputs, **dict.fromkeys(outputs)}}
        super().__init__(f"bailiwick:index:{{kind}}", name, props, None, True)


group = resources.ResourceGroup("group", resource_group_name="group", location="germanywestcentral")
placed = {AZURE!r} | {{"resourceGroupName": group.name}}
network = Hosted(
    "AzureSovereignNetwork",
    "network",
    {{"addressSpace": "10.61.0.0/16", "domain": "archive.example.internal"}},
    "subnetIds",
    "zoneIds",
)
audit = Hosted(
    "AzureAuditLog",
    "audit",
    {{"retentionDays": 365, "subnetId": network.subnetIds["endpoints"], "zoneIds": network.zoneIds}},
    "accountName",
)
pulumi.export("store", audit.accountName)
"""


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the plugin needs of this repository, where Pulumi may leave the plugin's environment behind; uv on PATH."""
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    folder = tmp_path / "checkout"
    for part in ("components", "catalog", "examples", "stacks", "policies"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__", ".venv"))
    (folder / ".venv").symlink_to(sys.prefix)
    return folder


@pytest.fixture
def debug_providers(tmp_path: Path) -> Iterator[str]:
    azure, google = AzureCloud(tmp_path / "azure", NullHardware()), GcpCloud(tmp_path / "gcp", NullHardware())
    served = serve({"azure-native": azure, "gcp": google})
    yield served.debug_providers
    served.stop()
    azure.close()
    google.close()


@pytest.fixture
def project(tmp_path: Path, checkout: Path, debug_providers: str) -> Project:
    directory = tmp_path / "project"
    directory.mkdir()
    project = Project(directory, debug_providers, PROGRAM)
    settings = json.loads((directory / "Pulumi.yaml").read_text())
    settings["plugins"] = {"providers": [{"name": "bailiwick", "path": str(checkout / "components")}]}
    (directory / "Pulumi.yaml").write_text(json.dumps(settings))
    return project


def test_the_engine_constructs_components_of_another_programs(project: Project) -> None:
    project.up()
    outputs = json.loads(project.run("stack", "output", "--json"))
    assert outputs["store"].startswith("auditazuregerman")
    exported = json.loads(project.run("stack", "export"))["deployment"]["resources"]
    parents = {one["urn"]: one["type"] for one in exported}
    account = next(one for one in exported if one["type"] == "azure-native:storage:StorageAccount")
    assert parents[account["parent"]] == "bailiwick:index:AzureAuditLog"
    project.run("preview", "--expect-no-changes")
    project.run("destroy", "--yes", "--skip-preview")


@WITH_YAML
def test_the_consumer_in_yaml_adds_the_package_without_a_network_and_comes_up(
    checkout: Path, debug_providers: str
) -> None:
    consumer = Consumer(checkout / "examples" / "hosted-yaml", debug_providers, NO_NETWORK)
    assert "Added package Bailiwick" in consumer("package", "add", "../../components")
    assert consumer.comes_up_and_stays()["auditStore"].startswith("auditarchive")


@WITH_YAML
def test_a_whole_region_in_yaml_says_all_that_is_wrong_passes_the_pack_and_comes_up(
    checkout: Path, debug_providers: str
) -> None:
    folder = checkout / "examples" / "hosted-region"
    consumer = Consumer(folder, debug_providers, NO_NETWORK)
    consumer("package", "add", "../../components")
    program = (folder / "Pulumi.yaml").read_text()
    wrong = program.replace("jurisdiction: DE", "jurisdiction: FR").replace("c3-standard-4", "c3-standard-5")
    (folder / "Pulumi.yaml").write_text(wrong)
    refused = consumer("preview", fails=True)
    assert "property location with value '{europe-west3}' has a problem: " in refused
    assert "property machines[1].size with value '{c3-standard-5}' has a problem: " in refused
    assert "Traceback" not in refused
    (folder / "Pulumi.yaml").write_text(program)
    assert "✅ bailiwick@" in consumer("preview", "--policy-pack", "../../policies")
    outputs = consumer.comes_up_and_stays()
    assert set(outputs["keys"]) == {"llm", "embedder"}


@pytest.mark.skipif(
    not all(map(shutil.which, ("pulumi-language-nodejs", "npm"))),
    reason="needs pulumi-language-nodejs beside pulumi, and Node with npm",
)
def test_the_consumer_in_typescript_adds_the_package_and_comes_up(checkout: Path, debug_providers: str) -> None:
    folder = checkout / "examples" / "hosted-typescript"
    installed = subprocess.run(["npm", "install"], cwd=folder, capture_output=True, text=True, timeout=300)
    if installed.returncode:
        pytest.skip(
            f"npm install failed, without the registry of npm packages perhaps: {installed.stderr.strip()[-200:]}"
        )
    consumer = Consumer(folder, debug_providers)
    assert "Added package Bailiwick" in consumer("package", "add", "../../components")
    assert consumer.comes_up_and_stays()["auditStore"].startswith("auditarchive")


class Consumer:
    """An example in a folder of its own under `pulumi`."""

    def __init__(self, folder: Path, debug_providers: str, environment: Mapping[str, str] | None = None) -> None:
        self._folder = folder
        (folder / "backend").mkdir()
        self._environment = os.environ | {
            "PULUMI_BACKEND_URL": (folder / "backend").as_uri(),
            "PULUMI_HOME": str(folder / "home"),
            "PULUMI_CONFIG_PASSPHRASE": "x",
            "PULUMI_DEBUG_PROVIDERS": debug_providers,
            "PULUMI_SKIP_UPDATE_CHECK": "1",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "1",
            **(environment or {}),
        }
        self("stack", "init", "dev")

    def __call__(self, *arguments: str, fails: bool = False) -> str:
        done = subprocess.run(
            ["pulumi", *arguments, "--non-interactive"],
            cwd=self._folder,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert (done.returncode != 0) is fails, done.stdout + done.stderr
        return done.stdout + done.stderr

    def comes_up_and_stays(self) -> dict[str, Any]:
        """What the stack gives while it is up; a second deployment would change nothing."""
        self("up", "--yes", "--skip-preview")
        outputs: dict[str, Any] = json.loads(self("stack", "output", "--json"))
        self("preview", "--expect-no-changes")
        self("destroy", "--yes", "--skip-preview")
        return outputs
