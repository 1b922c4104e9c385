"""One model carries every cloud: each has its account, its machines, its key service, and refuses the others'."""

import copy
from pathlib import Path
from typing import Any

import pytest

from components.spec import EMULATED_ACCOUNT, RegionSpec, SpecError

_COMMON: dict[str, Any] = {
    "emulated": True,
    "owner": "platform@example.org",
    "dataClass": "confidential",
    "network": {"addressSpace": "10.20.0.0/16"},
}
_PLACES: dict[str, dict[str, Any]] = {
    "azure": {"jurisdiction": "DE", "location": "germanywestcentral", "size": "Standard_DC4as_v5"},
    "gcp": {"jurisdiction": "EU", "location": "europe-west4", "size": "n2d-standard-4"},
    "aws": {"jurisdiction": "IE", "location": "eu-west-1", "size": "m6a.xlarge"},
    "kubernetes": {"jurisdiction": "DE", "location": "onprem-berlin", "size": "rack-genoa-64"},
}


def stack_of(cloud: str) -> dict[str, Any]:
    """A small valid stack file's content for one cloud."""
    place = _PLACES[cloud]
    machine = {"name": "inference", "size": place["size"], "image": {"name": "inference-guest", "version": "1.0.0"}}
    return copy.deepcopy(
        _COMMON
        | {"cloud": cloud, "jurisdiction": place["jurisdiction"], "location": place["location"]}
        | EMULATED_ACCOUNT[cloud]
        | {
            "verifier": {
                "size": place["size"],
                "image": {"name": "verifier", "version": "1.0.0"},
                "trustAnchors": ["amd", "sandbox"],
            },
            "machines": [machine | {"model": "llm"}],
        }
    )


def problems(stack: dict[str, Any], reference_values: Path) -> list[str]:
    with pytest.raises(SpecError) as raised:
        RegionSpec.from_mapping(stack, reference_values=reference_values)
    return str(raised.value).splitlines()


@pytest.mark.parametrize(
    ("cloud", "service", "soft_delete_days"),
    [
        ("azure", "key-vault-premium", 90),
        ("gcp", "cloud-hsm", 90),
        ("aws", "kms", 30),
        ("kubernetes", "site-hsm", 90),
    ],
)
def test_what_is_left_to_the_cloud(cloud: str, service: str, soft_delete_days: int, reference_values: Path) -> None:
    spec = RegionSpec.from_mapping(stack_of(cloud), reference_values=reference_values)
    assert (spec.provider, spec.account) == (cloud, EMULATED_ACCOUNT[cloud])
    assert (spec.keys.service, spec.keys.soft_delete_days) == (service, soft_delete_days)
    assert (spec.machines[0].tee, spec.machines[0].gpu, spec.machines[0].count) == ("snp", "none", 1)


def test_the_partition_follows_from_the_catalogue(reference_values: Path) -> None:
    assert RegionSpec.from_mapping(stack_of("aws"), reference_values=reference_values).partition == "aws"
    assert RegionSpec.from_mapping(stack_of("gcp"), reference_values=reference_values).partition == ""


@pytest.mark.parametrize("cloud", list(EMULATED_ACCOUNT))
def test_the_account_of_the_cloud_is_required_and_no_other(cloud: str, reference_values: Path) -> None:
    stack = stack_of(cloud)
    for key in EMULATED_ACCOUNT[cloud]:
        del stack[key]
    other, (foreign, *_) = next((name, list(keys)) for name, keys in EMULATED_ACCOUNT.items() if name != cloud)
    stack[foreign] = EMULATED_ACCOUNT[other][foreign]
    expected = {
        f"bailiwick:{key}: is missing: a stack on {cloud} names it; nearest valid: {value}"
        for key, value in EMULATED_ACCOUNT[cloud].items()
    }
    expected.add(f"bailiwick:{foreign}: is a key of {other}, and the cloud is {cloud}")
    assert set(problems(stack, reference_values)) == expected


@pytest.mark.parametrize("cloud", list(EMULATED_ACCOUNT))
def test_the_emulated_account_is_the_emulated_region_s(cloud: str, reference_values: Path) -> None:
    stack = stack_of(cloud) | {"emulated": False}
    stack["verifier"]["trustAnchors"] = ["amd", "aws"]
    assert all("is the emulated account" in line for line in problems(stack, reference_values))
    assert len(problems(stack, reference_values)) == len(EMULATED_ACCOUNT[cloud])


@pytest.mark.parametrize(
    ("cloud", "machine", "line"),
    [
        ("aws", {"tee": "tdx"}, "bailiwick:machines[0].tee: 'tdx' is not built on aws; nearest valid: snp"),
        ("aws", {"gpu": "h100"}, "bailiwick:machines[0].gpu: 'h100' is not built on aws; nearest valid: none"),
        (
            "gcp",
            {"size": "c3-standard-4"},
            "bailiwick:machines[0].size: 'c3-standard-4' has no AMD SEV-SNP; nearest valid: n2d-standard-4",
        ),
        (
            "gcp",
            {"size": "n2d-standard-4", "gpu": "h100"},
            "bailiwick:machines[0].gpu: 'n2d-standard-4' has the GPU none, not h100; nearest valid: none",
        ),
        (
            "gcp",
            {"size": "a3-highgpu-1g", "tee": "tdx", "purchase": "spot"},
            "bailiwick:machines[0].gpu: 'a3-highgpu-1g' has the GPU h100, not none; nearest valid: h100",
        ),
        (
            "gcp",
            {"size": "a3-highgpu-1g", "tee": "tdx", "gpu": "h100"},
            (
                "bailiwick:machines[0].purchase: 'a3-highgpu-1g' with its TEE is sold as spot or flex-start only, "
                "not on-demand; nearest valid: flex-start"
            ),
        ),
        (
            "gcp",
            {"size": "a3-highgpu-1g", "tee": "tdx", "gpu": "h100", "purchase": "spot", "zone": "europe-west4-a"},
            (
                "bailiwick:machines[0].zone: 'a3-highgpu-1g' is offered with its TEE in europe-west4-c only; "
                "nearest valid: europe-west4-c"
            ),
        ),
    ],
)
def test_machines_are_held_against_the_catalogue(
    cloud: str, machine: dict[str, Any], line: str, reference_values: Path
) -> None:
    stack = stack_of(cloud)
    stack["machines"][0] |= machine
    (reference_values / "inference-guest-1.0.0.tdx.json").write_text("{}")
    assert problems(stack, reference_values) == [line]


def test_each_tee_has_reference_values_of_its_own(reference_values: Path) -> None:
    stack = stack_of("gcp")
    stack["machines"][0] |= {"tee": "tdx", "size": "c3-standard-4"}
    (line,) = problems(stack, reference_values)
    assert line.startswith(
        "bailiwick:machines[0].image: 'inference-guest-1.0.0' has no signed reference values on Intel TDX"
    )
    (reference_values / "inference-guest-1.0.0.tdx.json").write_text("{}")
    spec = RegionSpec.from_mapping(stack, reference_values=reference_values)
    assert spec.machines[0].tee == "tdx"


def test_a_real_verifier_knows_the_vendor_of_every_machine(reference_values: Path) -> None:
    stack = stack_of("gcp") | {"emulated": False, "projectId": "sovereign-region"}
    stack["verifier"]["trustAnchors"] = ["amd"]
    stack["machines"][0] |= {"tee": "tdx", "size": "a3-highgpu-1g", "gpu": "h100", "purchase": "flex-start"}
    (reference_values / "inference-guest-1.0.0.tdx.json").write_text("{}")
    assert problems(stack, reference_values) == [
        "bailiwick:verifier.trustAnchors: lacks 'intel', whose root signs for tdx",
        "bailiwick:verifier.trustAnchors: lacks 'nvidia', whose root signs for h100",
    ]


@pytest.mark.parametrize("named", [["amd"], None])
def test_a_real_verifier_on_aws_knows_who_signs_for_nitrotpm(named: list[str] | None, reference_values: Path) -> None:
    stack = stack_of("aws") | {"emulated": False, "accountId": "123456789012"}
    stack["verifier"]["trustAnchors"] = named
    if named is None:
        del stack["verifier"]["trustAnchors"]
    lacks = "bailiwick:verifier.trustAnchors: lacks 'aws', whose root signs for the guests' TPMs"
    assert problems(stack, reference_values) == [lacks]
    stack["verifier"]["trustAnchors"] = ["amd", "aws"]
    spec = RegionSpec.from_mapping(stack, reference_values=reference_values)
    assert spec.verifier is not None
    assert spec.verifier.trust_anchors == ("amd", "aws")


def test_a_sovereign_cloud_without_such_keys_says_so(reference_values: Path) -> None:
    stack = stack_of("gcp") | {"cloud": "gcp-s3ns", "jurisdiction": "FR", "location": "u-france-east1"}
    assert "bailiwick:cloud: Cloud de Confiance by S3NS has no key service whose keys only attested guests get" in (
        problems(stack, reference_values)
    )


def test_a_deleted_key_stays_as_long_as_the_cloud_can_keep_it(reference_values: Path) -> None:
    stack = stack_of("aws") | {"keys": {"softDeleteDays": 90}}
    assert problems(stack, reference_values) == [
        "bailiwick:keys.softDeleteDays: 90 must be 30 on aws; nearest valid: 30"
    ]


def test_clusters_are_refused_where_nothing_builds_them(reference_values: Path) -> None:
    cluster = {"name": "serving", "size": "Standard_DC4as_v5"}
    stack = stack_of("kubernetes") | {"clusters": [cluster]}
    assert "bailiwick:clusters: clusters are not built on kubernetes: leave the key out" in problems(
        stack, reference_values
    )
    stack = stack_of("gcp") | {"clusters": [{"name": "inference", "size": "n2d-standard-4"}]}
    assert len(problems(stack, reference_values)) == 2


def _with_gpu_pool(cloud: str, tee: str = "tdx", **pool: Any) -> dict[str, Any]:
    size = {"gcp": "c3-standard-8", "aws": "m6a.large", "azure": "Standard_DC4as_v5"}[cloud]
    gpus = {"size": "a3-highgpu-1g", "purchase": "flex-start"} | pool
    return stack_of(cloud) | {"clusters": [{"name": "serving", "size": size, "tee": tee, "gpuPool": gpus}]}


def test_a_cluster_of_google_has_a_pool_with_gpus(reference_values: Path) -> None:
    spec = RegionSpec.from_mapping(_with_gpu_pool("gcp", nodes=2), reference_values=reference_values)
    pool = spec.clusters[0].gpu_pool
    assert pool is not None
    assert (pool.gpu, pool.purchase, pool.nodes) == ("h100", "flex-start", 2)


def test_a_cluster_of_azure_has_a_pool_with_gpus(reference_values: Path) -> None:
    gpus = {"size": "Standard_NCC40ads_H100_v5", "purchase": "on-demand"}
    there = {"location": "westeurope", "jurisdiction": "EU"}
    spec = RegionSpec.from_mapping(_with_gpu_pool("azure", "snp", **gpus) | there, reference_values=reference_values)
    pool = spec.clusters[0].gpu_pool
    assert pool is not None
    assert (pool.gpu, pool.purchase, pool.nodes) == ("h100", "on-demand", 1)


@pytest.mark.parametrize("size", ["Standard_DC4es_v6", "Standard_DC4as_v5"])
def test_aks_has_no_trust_domains_where_azure_has_them(reference_values: Path, size: str) -> None:
    cluster = {"name": "serving", "size": size, "tee": "tdx"}
    stack = stack_of("azure") | {"location": "westeurope", "jurisdiction": "EU", "clusters": [cluster]}
    assert problems(stack, reference_values) == [
        "bailiwick:clusters[0].tee: AKS has no nodes with Intel TDX; nearest valid: snp"
    ]


@pytest.mark.parametrize(
    ("pool", "line"),
    [
        (
            {"purchase": "on-demand"},
            "bailiwick:clusters[0].gpuPool.purchase: 'a3-highgpu-1g' with its TEE is sold as spot or flex-start only, ",
        ),
        ({"size": "c3-standard-4"}, "bailiwick:clusters[0].gpuPool.gpu: 'c3-standard-4' has the GPU none, not h100"),
        ({"nodes": 0}, "bailiwick:clusters[0].gpuPool.nodes: 0 must be at least 1"),
        ({"gpu": "a100"}, "bailiwick:clusters[0].gpuPool.gpu: 'a100' is not one of h100"),
    ],
)
def test_a_pool_that_google_does_not_sell(pool: dict[str, Any], line: str, reference_values: Path) -> None:
    found, *_ = problems(_with_gpu_pool("gcp", **pool), reference_values)
    assert found.startswith(line)


def test_a_pool_on_another_tee_and_on_another_cloud(reference_values: Path) -> None:
    assert "bailiwick:clusters[0].gpuPool.size: 'a3-highgpu-1g' has no AMD SEV-SNP" in str(
        problems(_with_gpu_pool("gcp", tee="snp"), reference_values)
    )
    assert "bailiwick:clusters[0].gpuPool: node pools with GPUs are not built on aws: leave the key out" in (
        problems(_with_gpu_pool("aws", tee="snp"), reference_values)
    )


@pytest.mark.parametrize(
    ("cloud", "cluster", "says"),
    [
        ("aws", {"size": "m6a.xlarge"}, "clusters[0].release: is missing: the nodes' image would be another one tomo"),
        ("aws", {"size": "m6a.xlarge", "release": "latest"}, "clusters[0].release: 'latest' "),
        (
            "gcp",
            {"size": "n2d-standard-4", "release": "1.35.7-20260903"},
            "clusters[0].release: is the cloud's choice on gcp: leave the key out",
        ),
    ],
)
def test_the_release_of_nodes_is_said_where_the_cloud_s_choice_would_move(
    cloud: str, cluster: dict[str, Any], says: str, reference_values: Path
) -> None:
    found = problems(stack_of(cloud) | {"clusters": [{"name": "serving", **cluster}]}, reference_values)
    assert any(line.startswith(f"bailiwick:{says}") for line in found), found


def test_a_cluster_of_aws_that_names_its_release_is_taken(reference_values: Path) -> None:
    cluster = {"name": "serving", "size": "m6a.xlarge", "release": "1.35.7-20260903"}
    spec = RegionSpec.from_mapping(stack_of("aws") | {"clusters": [cluster]}, reference_values=reference_values)
    assert spec.clusters[0].release == "1.35.7-20260903"


def test_on_aws_no_list_of_processors_could_be_met(reference_values: Path) -> None:
    stack = stack_of("aws")
    stack["verifier"] = {**stack["verifier"], "hardware": ["5c" * 64]}
    (problem,) = problems(stack, reference_values)
    assert problem.startswith("bailiwick:verifier.hardware: evidence on aws does not name its processor")
