"""A private cluster of confidential nodes."""

import dataclasses
import re
from typing import Any

import pytest

from components.azure import ConfidentialCluster, ConfidentialClusterArgs, GpuPool
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
        "enableVnetIntegration": True,
        "subnetId": "control-planes",
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
        ({"tee": "tdx", "size": "Standard_DC4es_v6"}, "tee: AKS has no 'tdx' nodes; nearest supported: snp"),
        ({"nodes": 0}, "nodes: 0 nodes run nothing"),
        ({"admin_group_ids": []}, "admin_group_ids: is empty"),
        ({"size": "Standard_DC4as_v6"}, "AKS has no confidential nodes of .*_v6; nearest .*: Standard_DC4as_v5"),
        ({"size": "Standard_D4s_v5"}, "size: Standard_D4s_v5 has no TEE, not snp"),
    ],
)
def test_what_it_cannot_honour_is_refused(change: dict[str, Any], problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        record(lambda: ConfidentialCluster("serving", cluster_args(**change)))


def _with_gpus(**pool: Any) -> ConfidentialClusterArgs:
    fields = {"size": "Standard_NCC40ads_H100_v5", "purchase": "on-demand", "nodes": 2} | pool
    return cluster_args(placement=placement("westeurope"), gpu_pool=GpuPool(**fields))


def test_gpus_are_kept_for_what_asks_for_them_and_wait_for_a_signed_driver() -> None:
    found = record(lambda: ConfidentialCluster("serving", _with_gpus()))
    gpus = found["serving-gpus"].inputs
    assert (gpus["vmSize"], gpus["count"], gpus["mode"]) == ("Standard_NCC40ads_H100_v5", 2, "User")
    assert (gpus["gpuProfile"], gpus["nodeTaints"]) == ({"driver": "None"}, ["sku=gpu:NoSchedule"])
    pools = [*found["serving-cluster"].inputs["agentPoolProfiles"], found["serving-pool"].inputs, gpus]
    assert [pool["osSKU"] for pool in pools] == ["Ubuntu"] * 3, "NVIDIA's operator wants one system on all nodes"
    assert {"gpuProfile", "nodeTaints"}.isdisjoint(found["serving-pool"].inputs)


@pytest.mark.parametrize(
    ("pool", "problem"),
    [
        ({"size": "Standard_DC4as_v5"}, "gpu_pool.size: Standard_DC4as_v5 has the GPU none, not h100; nearest"),
        ({"size": "Standard_NC40ads_H100_v5"}, "gpu_pool.size: Standard_NC40ads_H100_v5 has the GPU none, not h100"),
        ({"purchase": "spot"}, "gpu_pool.purchase: Standard_NCC40ads_H100_v5 is not sold as 'spot' with its TEE; near"),
        ({"nodes": 0}, "gpu_pool.nodes: 0 nodes run nothing; nearest supported: 1"),
    ],
)
def test_a_pool_of_gpus_that_azure_does_not_have(pool: dict[str, Any], problem: str) -> None:
    with pytest.raises(InputError, match=re.escape(problem)):
        record(lambda: ConfidentialCluster("serving", _with_gpus(**pool)))


def test_a_place_without_the_gpu_is_refused_with_one_that_has_it() -> None:
    here = dataclasses.replace(_with_gpus(), placement=placement())
    nearest = "gpu_pool.gpu: germanywestcentral has no confidential H100; nearest supported: .* in westeurope"
    with pytest.raises(InputError, match=nearest):
        record(lambda: ConfidentialCluster("serving", here))


def test_h100_nodes_are_a_pool_of_their_own() -> None:
    there = cluster_args(placement=placement("westeurope"), size="Standard_NCC40ads_H100_v5")
    with pytest.raises(InputError, match="has a confidential H100"):
        record(lambda: ConfidentialCluster("serving", there))
