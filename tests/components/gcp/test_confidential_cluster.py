"""A cluster of confidential nodes."""

import dataclasses
import re
from typing import Any

import pytest

from components.errors import InputError
from components.gcp import ConfidentialCluster, ConfidentialClusterArgs, GpuPool
from tests.components.gcp import region


@pytest.fixture
def args() -> ConfidentialClusterArgs:
    return ConfidentialClusterArgs(
        placement=region.placement("europe-west4"),
        role="serving",
        size="n2d-standard-8",
        tee="snp",
        nodes=4,
        network_id="net",
        subnet_id="subnet",
        admin_range="10.40.0.0/16",
        key_id="key",
        identity_id="nodes@example.org",
    )


def test_every_node_is_confidential_and_the_control_plane_private(args: ConfidentialClusterArgs) -> None:
    found = region.record(lambda: ConfidentialCluster("serving", args))
    cluster, pool = found["serving-cluster"].inputs, found["serving-pool"].inputs
    snp = {"enabled": True, "confidentialInstanceType": "SEV_SNP"}
    assert cluster["confidentialNodes"] == snp
    assert pool["nodeConfig"]["confidentialNodes"] == snp
    private = cluster["privateClusterConfig"]
    assert (private["enablePrivateNodes"], private["enablePrivateEndpoint"]) == (True, True)
    assert cluster["databaseEncryption"] == {"state": "ENCRYPTED", "keyName": "key"}
    assert cluster["deletionProtection"] is True


def test_nodes_are_counted_over_the_zones(args: ConfidentialClusterArgs) -> None:
    """GKE counts nodes in each zone: four over three zones are two in each."""
    pool = region.record(lambda: ConfidentialCluster("serving", args))["serving-pool"].inputs
    assert (len(pool["nodeLocations"]), pool["nodeCount"]) == (3, 2)


def _with_gpus(args: ConfidentialClusterArgs, **pool: Any) -> ConfidentialClusterArgs:
    gpus = GpuPool(**({"size": "a3-highgpu-1g", "purchase": "flex-start", "nodes": 2} | pool))
    return dataclasses.replace(args, size="c3-standard-8", tee="tdx", gpu_pool=gpus)


def test_flex_start_nodes_come_when_pods_wait_for_them(args: ConfidentialClusterArgs) -> None:
    found = region.record(lambda: ConfidentialCluster("serving", _with_gpus(args)))
    pool = found["serving-gpus"].inputs
    node = pool["nodeConfig"]
    assert (node["flexStart"], node["maxRunDuration"], pool["nodeLocations"]) == (True, "604800s", ["europe-west4-c"])
    assert pool["autoscaling"] == {"totalMinNodeCount": 0, "totalMaxNodeCount": 2, "locationPolicy": "ANY"}
    assert "nodeCount" not in pool
    assert node["confidentialNodes"] == {"enabled": True, "confidentialInstanceType": "TDX"}
    (gpu,) = node["guestAccelerators"]
    assert (gpu["type"], gpu["count"]) == ("nvidia-h100-80gb", 1)
    assert gpu["gpuDriverInstallationConfig"] == {"gpuDriverVersion": "INSTALLATION_DISABLED"}


def test_spot_nodes_are_kept_at_their_number(args: ConfidentialClusterArgs) -> None:
    found = region.record(lambda: ConfidentialCluster("serving", _with_gpus(args, purchase="spot")))
    pool = found["serving-gpus"].inputs
    assert (pool["nodeConfig"]["spot"], pool["nodeCount"]) == (True, 2)
    assert "autoscaling" not in pool


@pytest.mark.parametrize(
    ("pool", "problem"),
    [
        (
            {"purchase": "on-demand"},
            "gpu_pool.purchase: a3-highgpu-1g is not sold as 'on-demand' with its TEE; nearest",
        ),
        ({"size": "a3-highgpu-8g"}, "gpu_pool.size: GKE has no tdx nodes of 'a3-highgpu-8g' in europe-west4; nearest"),
        ({"nodes": 0}, "gpu_pool.nodes: 0 nodes run nothing"),
    ],
)
def test_a_pool_of_gpus_that_google_does_not_sell(
    args: ConfidentialClusterArgs, pool: dict[str, Any], problem: str
) -> None:
    with pytest.raises(InputError, match=re.escape(problem)):
        region.record(lambda: ConfidentialCluster("serving", _with_gpus(args, **pool)))


def test_gpus_want_a_cluster_on_tdx(args: ConfidentialClusterArgs) -> None:
    snp = dataclasses.replace(args, gpu_pool=GpuPool("a3-highgpu-1g", "spot", 1))
    with pytest.raises(InputError, match=r"tee: 'snp' is not a TEE of confidential nodes with GPUs; nearest .* tdx"):
        region.record(lambda: ConfidentialCluster("serving", snp))


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"tee": "sev"}, "tee: 'sev' is not a TEE of confidential nodes; nearest supported: snp or tdx"),
        ({"size": "e2-standard-4"}, "GKE has no snp nodes of 'e2-standard-4' in europe-west4; nearest"),
        ({"nodes": 0}, "nodes: 0 nodes run nothing; nearest supported: 1"),
        (
            {
                "placement": region.placement(
                    "u-germany-northeast1", cloud="gcp-berlin", project_id="eu0:sovereign-region"
                )
            },
            "gcp-berlin has no confidential nodes",
        ),
    ],
)
def test_what_it_cannot_honour_is_refused(args: ConfidentialClusterArgs, change: dict[str, Any], problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        region.record(lambda: ConfidentialCluster("serving", dataclasses.replace(args, **change)))
