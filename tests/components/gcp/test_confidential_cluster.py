"""A cluster of confidential nodes."""

import dataclasses
from typing import Any

import pytest

from components.errors import InputError
from components.gcp import ConfidentialCluster, ConfidentialClusterArgs
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
