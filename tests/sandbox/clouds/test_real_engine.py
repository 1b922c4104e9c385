"""The real `pulumi` over the emulated Azure: up, preview, refresh, update, replace, destroy."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.clouds.server import serve
from tests.sandbox.clouds.region import GROUP, VNET, Bench, urn

pytestmark = [
    pytest.mark.pulumi,
    pytest.mark.skipif(
        shutil.which("pulumi") is None, reason="needs pulumi on PATH: https://www.pulumi.com/docs/install"
    ),
]

PROGRAM = """
import pulumi
from pulumi_azure_native import authorization, network, resources

config = pulumi.Config()
group = resources.ResourceGroup(
    "group", resource_group_name="rg", location="germanywestcentral", tags={"owner": config.get("owner") or "a"}
)
vnet = network.VirtualNetwork(
    "vnet",
    resource_group_name=group.name,
    virtual_network_name=config.get("network") or "vnet",
    address_space=network.AddressSpaceArgs(address_prefixes=["10.0.0.0/16"]),
)
subnet = network.Subnet(
    "subnet",
    resource_group_name=group.name,
    virtual_network_name=vnet.name,
    address_prefix=config.get("prefix") or "10.0.1.0/24",
)
pulumi.export("subnet", subnet.id)
pulumi.export("tenant", authorization.get_client_config_output().tenant_id)
"""


class Project:
    """A Pulumi project in a directory of its own, with a file backend."""

    def __init__(self, directory: Path, debug_providers: str) -> None:
        self._directory = directory
        runtime = {"name": "python", "options": {"toolchain": "pip", "virtualenv": sys.prefix}}
        (directory / "Pulumi.yaml").write_text(json.dumps({"name": "bench", "runtime": runtime}))
        (directory / "__main__.py").write_text(PROGRAM)
        (directory / "backend").mkdir()
        self._environment = os.environ | {
            "PULUMI_BACKEND_URL": (directory / "backend").as_uri(),
            "PULUMI_HOME": str(directory / "home"),
            "PULUMI_CONFIG_PASSPHRASE": "x",
            "PULUMI_DEBUG_PROVIDERS": debug_providers,
            "PULUMI_SKIP_UPDATE_CHECK": "1",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "1",
        }
        self.run("stack", "init", "dev")

    def run(self, *arguments: str, fails: bool = False) -> str:
        """What the command printed; it must succeed, or fail where `fails`."""
        done = subprocess.run(
            ["pulumi", *arguments, "--non-interactive"],
            cwd=self._directory,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert (done.returncode != 0) is fails, done.stdout + done.stderr
        return done.stdout + done.stderr

    def up(self, *, fails: bool = False, **config: str) -> str:
        settings = [part for key, value in config.items() for part in ("--config", f"{key}={value}")]
        return self.run("up", "--yes", "--skip-preview", *settings, fails=fails)


@pytest.fixture
def project(tmp_path: Path, bench: Bench) -> Iterator[Project]:
    served = serve({"azure-native": bench.cloud})
    directory = tmp_path / "project"
    directory.mkdir()
    yield Project(directory, served.debug_providers)
    served.stop()


def test_the_life_of_a_stack(project: Project, bench: Bench) -> None:
    assert "4 to create" in project.run("preview")
    project.up()
    outputs = json.loads(project.run("stack", "output", "--json"))
    assert outputs["subnet"] == f"{VNET}/subnets/subnet"
    assert "4 unchanged" in project.run("preview", "--expect-no-changes")
    assert "4 unchanged" in project.run("refresh", "--yes", "--skip-preview", "--expect-no-changes")

    assert "1 updated" in project.up(owner="b")
    live = bench.cloud.read(urn("resources:ResourceGroup", "group"), GROUP, {})
    assert live is not None
    assert live.outputs["tags"] == {"owner": "b"}

    assert "2 replaced" in project.up(network="other")
    assert bench.cloud.read(urn("network:VirtualNetwork", "vnet"), VNET, {}) is None

    assert "4 deleted" in project.run("destroy", "--yes", "--skip-preview")
    assert bench.cloud.read(urn("resources:ResourceGroup", "group"), GROUP, {}) is None


def test_a_mistake_is_reported_in_azures_words_before_anything_is_made(project: Project, bench: Bench) -> None:
    project.run("config", "set", "prefix", "192.168.0.0/24")
    printed = project.run("preview", fails=True)
    assert "NetcfgSubnetRangeOutsideVnet: Subnet 'subnet' is not valid" in printed
    assert bench.cloud.read(urn("resources:ResourceGroup", "group"), GROUP, {}) is None


def test_what_was_deleted_behind_its_back_is_found_by_a_refresh(project: Project, bench: Bench) -> None:
    project.up()
    bench.cloud.delete(urn("network:Subnet", "subnet"), f"{VNET}/subnets/subnet", {})
    assert "1 deleted" in project.run("refresh", "--yes", "--skip-preview")
    assert "1 created" in project.up()
