"""The region as a whole: what it registers, what it tells its guests, what it exports, what it refuses."""

from pathlib import Path
from typing import Any

import pytest

from components.errors import InputError
from components.gcp import SovereignRegion, SovereignRegionArgs
from components.spec import RegionSpec
from sandbox.guest.config import parse
from tests.components.gcp import region
from tests.components.recorder import Recording

_UNLABELLED = (
    "InstanceGroup",
    "InstanceGroupManager",
    "RegionInstanceGroupManager",
    "Account",
    "IAMMember",
    "IAMAuditConfig",
    "KeyRing",
    "Network",
    "NodePool",
    "Policy",
    "ProjectBucketConfig",
    "ProjectSink",
    "RecordSet",
    "RegionBackendService",
    "RegionHealthCheck",
    "Firewall",
    "Subnetwork",
    "BucketIAMMember",
    "CryptoKeyIAMMember",
    "EkmConnection",
)
"""Types that Google Cloud gives no labels."""


def test_every_resource_hangs_below_the_region_with_its_labels(netherlands: Recording) -> None:
    region_itself, *rest = netherlands.registrations
    names = {one.name for one in netherlands.registrations}
    assert (region_itself.name, region_itself.parent) == ("gcp-netherlands", "")
    assert all(one.parent in names for one in rest)
    labels = {
        "jurisdiction": "nl",
        "data-class": "confidential",
        "owner": "platform_at_example-org",
        "stack": "gcp-netherlands",
    }
    for one in rest:
        if one.type.startswith("gcp:") and one.type.rpartition(":")[2] not in _UNLABELLED:
            assert (one.inputs.get("labels") or one.inputs.get("resourceLabels")) == labels, one.name


def test_every_resource_names_the_project_itself(netherlands: Recording) -> None:
    """What inherits its project says so through its parent: a key ring, a bucket, a policy's own name."""
    inheriting = ("CryptoKey", "IAMMember", "BucketIAMMember", "CryptoKeyIAMMember", "Policy")
    for one in netherlands.registrations:
        if one.type.startswith("gcp:") and one.type.rpartition(":")[2] not in inheriting:
            assert one.inputs["project"] == region.PROJECT, one.name


def test_nothing_is_public(netherlands: Recording) -> None:
    machines = [*netherlands.of_type(":Instance"), *netherlands.of_type(":RegionInstanceTemplate")]
    assert machines
    for machine in machines:
        assert all("accessConfigs" not in card for card in machine.inputs["networkInterfaces"])
    for bucket in netherlands.of_type(":Bucket"):
        assert bucket.inputs["publicAccessPrevention"] == "enforced"
        assert bucket.inputs["location"] == "EUROPE-WEST4"
    assert all(rule.inputs["loadBalancingScheme"] == "INTERNAL" for rule in netherlands.of_type(":ForwardingRule"))


def test_guests_understand_what_they_are_told(germany: Recording) -> None:
    outputs = germany.outputs["bailiwick-gcp-germany"]
    machine = germany["gcp-germany-embedding-vm"].inputs["metadata"]["user-data"]
    guest = parse(machine.encode())
    assert (guest.resource, guest.verifier) == ("default/model-key/embedder", outputs["verifierUrl"])
    assert guest.artefact.account == outputs["modelStore"]["account"]


def test_the_verifier_knows_each_image_on_each_tee_it_runs_on(germany: Recording) -> None:
    configuration = region.user_data(germany, "gcp-germany-verifier-0-vm")
    policies = {one["path"]: one["policy"] for one in configuration["resources"]}
    assert policies["default/model-key/llm"]["tee"] == ["snp"]
    assert policies["default/model-key/llm"]["minimum_tcb"]["microcode"] == 213
    assert policies["default/model-key/embedder"]["tee"] == ["tdx"]
    assert policies["default/model-key/embedder"]["minimum_tcb"] is None
    assert len(configuration["reference_values"]) == 2


def test_a_guest_waits_for_verifier_and_models(germany: Recording) -> None:
    waits = germany["gcp-germany-inference"].depends_on
    assert {"gcp-germany-verifier-lb", "gcp-germany-models-store", "gcp-germany-network-storage-record"} <= set(waits)


def test_the_graph_says_what_leaves_and_whose_law_reaches(germany: Recording) -> None:
    outputs = germany.outputs["bailiwick-gcp-germany"]
    assert {edge["carries"] for edge in outputs["edgesLeaving"]} == {"metadata"}
    assert outputs["foreignReach"] == ["Google LLC"]
    kinds = {edge["kind"] for edge in outputs["jurisdictionGraph"]}
    assert {"keys", "verifier", "collateral", "models", "audit-log", "identity", "control-plane"} <= kinds


def test_without_a_collateral_cache_evidence_would_leave(reference_values: Path) -> None:
    with pytest.raises(InputError, match="evidence would leave DE: collateral AMD Key Distribution Service is in US"):
        region.deploy(region.GERMANY, reference_values, {"collateralCache": False})


def test_the_guard_is_the_stack_file_s_choice(reference_values: Path) -> None:
    found = region.deploy(region.GERMANY, reference_values, {"residencyGuard": False})
    assert not list(found.of_type("orgpolicy/policy:Policy"))


def _real(reference_values: Path) -> dict[str, Any]:
    verifier = region.GERMANY["verifier"] | {"trustAnchors": ["amd", "intel"]}
    return {"emulated": False, "projectId": "sovereign-region", "verifier": verifier}


def test_a_real_region_names_google_s_agents_and_protects_what_it_cannot_lose(reference_values: Path) -> None:
    real = _real(reference_values)
    with pytest.raises(InputError, match=r"project_number: .*; nearest supported: what `gcloud projects describe"):
        region.deploy(region.GERMANY, reference_values, real)
    found = region.deploy(region.GERMANY, reference_values, real, project_number="1234567")
    grant = found["gcp-germany-keys-os-disk-compute"].inputs
    assert grant["member"] == "serviceAccount:service-1234567@compute-system.iam.gserviceaccount.com"
    kept = [*found.of_type(":CryptoKey"), *found.of_type(":KeyRing"), found["gcp-germany-audit-store"]]
    assert all(one.options["protect"] and one.options["retainOnDelete"] for one in kept)


def test_another_cloud_s_specification_is_refused(reference_values: Path) -> None:
    spec = RegionSpec.from_mapping(region.GERMANY, reference_values=reference_values)
    azure = spec.model_copy(update={"cloud": "azure"})
    with pytest.raises(InputError, match=r"spec\.cloud: 'azure' is another provider's; nearest supported: gcp"):
        region.record(lambda: SovereignRegion("x", SovereignRegionArgs(azure, reference_values)))
