"""The component plugin under the real `pulumi`: the engine starts it from its folder and constructs components.

`pulumi package add` is not run: it downloads the plugin of every provider SDK in the environment. What it would make
is the classes below, and a program in another language registers the same.
"""

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.clouds.azure import AzureCloud
from sandbox.clouds.hardware import NullHardware
from sandbox.clouds.server import serve
from tests.components.hosted.test_hosted import PLACED
from tests.sandbox.clouds.pulumi_project import Project

ROOT = Path(__file__).parents[3]

pytestmark = [
    pytest.mark.pulumi,
    pytest.mark.skipif(
        shutil.which("pulumi") is None, reason="needs pulumi on PATH: https://www.pulumi.com/docs/install"
    ),
]

PROGRAM = f"""
import pulumi
from pulumi_azure_native import resources


class Hosted(pulumi.ComponentResource):
    def __init__(self, kind, name, inputs, *outputs):
        props = {{**placed, **inputs, **dict.fromkeys(outputs)}}
        super().__init__(f"bailiwick:index:{{kind}}", name, props, None, True)


group = resources.ResourceGroup("group", resource_group_name="group", location="germanywestcentral")
placed = {PLACED!r} | {{"resourceGroupName": group.name}}
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
def project(tmp_path: Path) -> Iterator[Project]:
    plugin = tmp_path / "bailiwick"
    for package in ("components", "catalog"):
        shutil.copytree(ROOT / package, plugin / package, ignore=shutil.ignore_patterns("__pycache__"))
    runtime = {"name": "python", "options": {"toolchain": "pip", "virtualenv": sys.prefix}}
    (plugin / "components" / "PulumiPlugin.yaml").write_text(json.dumps({"runtime": runtime}))
    cloud = AzureCloud(tmp_path, NullHardware())
    served = serve({"azure-native": cloud})
    directory = tmp_path / "project"
    directory.mkdir()
    project = Project(directory, served.debug_providers, PROGRAM)
    settings = json.loads((directory / "Pulumi.yaml").read_text())
    settings["plugins"] = {"providers": [{"name": "bailiwick", "path": str(plugin / "components")}]}
    (directory / "Pulumi.yaml").write_text(json.dumps(settings))
    yield project
    served.stop()
    cloud.close()


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
