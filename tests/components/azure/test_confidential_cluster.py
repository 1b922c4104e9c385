"""A private cluster of confidential nodes."""

import dataclasses
from typing import Any

import pytest

from components.azure import ConfidentialCluster
from components.errors import InputError
from tests.components.azure.recorder import Recording, record
from tests.components.azure.region import cluster_args, placement


@pytest.fixture
def cluster() -> Recording:
    return record(lambda: ConfidentialCluster("serving", cluster_args()))


def test_every_pool_is_of_confidential_nodes_without_a_public_address(cluster: Recording) -> None:
    pools = [*cluster["serving-cluster"].inputs["agentPoolProfiles"], cluster["serving-pool"].inputs]
    assert [(pool["vmSize"], pool["mode"], pool["count"]) for pool in pools] == [
        ("Standard_DC4as_v5", "System", 2),
        ("Standard_DC4as_v5", "User", 3),
    ]
    assert {pool["enableNodePublicIP"] for pool in pools} == {False}
    assert all("securityProfile" not in pool for pool in pools), "secure boot and vTPM there would mean Trusted Launch"


def test_nothing_comes_in_and_nothing_goes_out(cluster: Recording) -> None:
    inputs = cluster["serving-cluster"].inputs
    assert inputs["apiServerAccessProfile"] == {
        "enablePrivateCluster": True,
        "enablePrivateClusterPublicFQDN": False,
        "privateDNSZone": "system",
        "disableRunCommand": True,
    }
    assert inputs["networkProfile"]["outboundType"] == "none"
    assert inputs["bootstrapProfile"] == {"artifactSource": "Cache", "containerRegistryId": "registry"}


def test_secrets_are_under_the_regions_key_and_nobody_has_a_local_account(cluster: Recording) -> None:
    inputs = cluster["serving-cluster"].inputs
    assert inputs["securityProfile"]["azureKeyVaultKms"] == {
        "enabled": True,
        "keyId": "https://vault.vault.azure.net/keys/etcd/1",
        "keyVaultNetworkAccess": "Private",
        "keyVaultResourceId": "vault",
    }
    assert inputs["disableLocalAccounts"] is True
    assert inputs["aadProfile"]["enableAzureRBAC"] is True
    assert inputs["securityProfile"]["workloadIdentity"] == inputs["oidcIssuerProfile"] == {"enabled": True}


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"tee": "tdx"}, "tee: AKS has no 'tdx' nodes; nearest supported: snp"),
        ({"nodes": 0}, "nodes: 0 nodes run nothing"),
        ({"admin_group_ids": []}, "admin_group_ids: is empty"),
        ({"size": "Standard_DC4as_v6"}, "AKS has no confidential nodes of .*_v6; nearest .*: Standard_DC4as_v5"),
        ({"size": "Standard_D4s_v5"}, "size: Standard_D4s_v5 has no TEE, not snp"),
    ],
)
def test_what_it_cannot_honour_is_refused(change: dict[str, Any], problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        record(lambda: ConfidentialCluster("serving", cluster_args(**change)))


def test_h100_nodes_are_refused_where_the_size_is_offered() -> None:
    there = dataclasses.replace(placement(), location="westeurope")
    with pytest.raises(InputError, match="has a confidential H100"):
        record(lambda: ConfidentialCluster("serving", cluster_args(placement=there, size="Standard_NCC40ads_H100_v5")))
