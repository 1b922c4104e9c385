"""The real `pulumi` over the emulated clouds: up, preview, refresh, update, replace, destroy."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.clouds.server import serve
from tests.sandbox.clouds import project as google_project
from tests.sandbox.clouds.pulumi_project import Project
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

TWO_CLOUDS = (
    PROGRAM
    + """
import pulumi_gcp as gcp

google = gcp.Provider("google", project="bailiwick-emulated", region="europe-west3")
options = pulumi.ResourceOptions(provider=google)
net = gcp.compute.Network("net", name="net", auto_create_subnetworks=False, opts=options)
guests = gcp.compute.Subnetwork(
    "guests", name="guests", network=net.id, ip_cidr_range=config.get("guests") or "10.20.1.0/24", opts=options
)
ring = gcp.kms.KeyRing("ring", name="keys", location="europe-west3", opts=options)
key = gcp.kms.CryptoKey(
    "key", name="key", key_ring=ring.id, version_template={"algorithm": "GOOGLE_SYMMETRIC_ENCRYPTION",
    "protection_level": "HSM"}, labels={"subscription": subnet.name}, opts=options,
)
pulumi.export("gateway", guests.gateway_address)
pulumi.export("key", key.id)
"""
)


@pytest.fixture
def project(tmp_path: Path, bench: Bench) -> Iterator[Project]:
    served = serve({"azure-native": bench.cloud})
    directory = tmp_path / "project"
    directory.mkdir()
    yield Project(directory, served.debug_providers, PROGRAM)
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


def test_one_stack_in_two_clouds(tmp_path: Path, bench: Bench, google: google_project.Bench) -> None:
    directory = tmp_path / "project"
    directory.mkdir()
    served = serve({"azure-native": bench.cloud, "gcp": google.cloud})
    try:
        project = Project(directory, served.debug_providers, TWO_CLOUDS)
        project.up()
        outputs = json.loads(project.run("stack", "output", "--json"))
        assert outputs["subnet"] == f"{VNET}/subnets/subnet"
        assert outputs["gateway"] == "10.20.1.1"
        assert outputs["key"].endswith("/keyRings/keys/cryptoKeys/key")
        assert "9 unchanged" in project.run("preview", "--expect-no-changes")
        assert "9 unchanged" in project.run("refresh", "--yes", "--skip-preview", "--expect-no-changes")
        assert "1 replaced" in project.up(guests="10.20.2.0/24")
        assert "9 deleted" in project.run("destroy", "--yes", "--skip-preview")
    finally:
        served.stop()
    assert google.hardware.keys == [("projects/bailiwick-emulated/locations/europe-west3/keyRings/keys", "key")]
