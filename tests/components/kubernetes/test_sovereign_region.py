"""The whole region: what it registers, tells its guests, exports and refuses."""

from pathlib import Path
from typing import Any

import pytest

from components.errors import InputError
from components.kubernetes import Placement
from components.spec import SpecError
from tests.components.kubernetes import region
from tests.components.recorder import Recording
from verifier.config import VerifierConfig


def test_everything_carries_the_region_s_labels(berlin: Recording) -> None:
    for one in berlin.of_type(""):
        if one.type.startswith("kubernetes:"):
            labels = one.inputs["metadata"]["labels"]
            assert {"jurisdiction", "data-class", "owner", "stack"} <= labels.keys(), one.name


def test_the_verifier_can_read_what_it_is_told(berlin: Recording) -> None:
    told = region.told(berlin, "onprem-kubernetes-verifier-vm")
    config = VerifierConfig.model_validate({**told, "build_keys": [], "reference_values": []})
    assert config.name == "verifier.onprem-kubernetes-verifier.svc.cluster.local"
    assert {found.path for found in config.resources} == {"default/model-key/llm", "default/model-key/embedder"}


def test_guests_are_sent_to_the_region_s_own_verifier(berlin: Recording) -> None:
    told = region.told(berlin, "onprem-kubernetes-inference-vm")
    assert told["verifier"] == "http://verifier.onprem-kubernetes-verifier.svc.cluster.local:8443"
    assert told["resource"] == "default/model-key/llm"
    service = berlin["onprem-kubernetes-verifier-service"].inputs
    assert (service["metadata"]["name"], service["metadata"]["namespace"]) == ("verifier", "onprem-kubernetes-verifier")
    labels = region.template(berlin, "onprem-kubernetes-verifier-vm")["metadata"]["labels"]
    assert service["spec"]["selector"].items() <= labels.items()


def test_nothing_secret_is_registered(berlin: Recording) -> None:
    assert list(berlin.of_type(":Secret")) == []
    pin = region.template(berlin, "onprem-kubernetes-verifier-vm")["spec"]["volumes"][1]
    assert pin["secret"]["secretName"] == "hsm-pin"


def test_guests_start_behind_closed_networks_and_guards(berlin: Recording) -> None:
    waits = set(berlin["onprem-kubernetes-inference"].depends_on)  # and its children wait for their parent
    assert "onprem-kubernetes-network-workload-deny" in waits
    assert "onprem-kubernetes-guard-confidential-binding" in waits
    assert "onprem-kubernetes-verifier-service" in waits


def test_admission_forces_class_digest_place_and_denies_shells(berlin: Recording) -> None:
    policies = {
        one.inputs["metadata"]["name"]: one.inputs["spec"] for one in berlin.of_type(":ValidatingAdmissionPolicy")
    }
    assert set(policies) == {f"onprem-kubernetes-{rule}" for rule in ("closed", "confidential", "images", "residency")}
    assert all(policy["failurePolicy"] == "Fail" for policy in policies.values())
    for one in berlin.of_type(":ValidatingAdmissionPolicyBinding"):
        labels = one.inputs["spec"]["matchResources"]["namespaceSelector"]["matchLabels"]
        assert labels["bailiwick.dev/region"] == "onprem-kubernetes"
        assert "Deny" in one.inputs["spec"]["validationActions"]


def test_the_cluster_takes_images_of_the_registries_that_the_stack_declares(reference_values: Path) -> None:
    recording = region.deploy(
        reference_values, {"registries": [{"name": "mirror.example.org/platform", "jurisdiction": "DE"}]}
    )
    (images,) = (one for one in recording.registrations if one.name == "onprem-kubernetes-guard-images")
    assert "c.image.startsWith('mirror.example.org/platform/')" in str(images.inputs["spec"])


def test_the_graph_says_who_stated_it_and_that_nothing_leaves(berlin: Recording) -> None:
    outputs = berlin.outputs["onprem-kubernetes"]
    assert outputs["edgesLeaving"] == []
    assert {edge["jurisdiction"] for edge in outputs["jurisdictionGraph"]} == {"DE"}
    assert all("site_berlin" in edge["source"] for edge in outputs["jurisdictionGraph"])
    assert outputs["operator"] == "Example GmbH"


def test_a_bucket_abroad_refuses_the_region(reference_values: Path) -> None:
    bucket = {"url": "https://s3.example.com/a", "mode": "compliance", "jurisdiction": "US", "operator": "Else"}
    with pytest.raises(InputError, match="audit-log object-lock bucket is in US"):
        region.deploy(reference_values, audit={"bucket": bucket})


def test_without_a_cache_the_vendors_abroad_refuse_the_region(reference_values: Path) -> None:
    with pytest.raises(InputError, match="content, keys or evidence would leave DE: collateral"):
        region.deploy(reference_values, {"collateralCache": False})


@pytest.mark.parametrize(
    ("changes", "site", "message"),
    [
        ({}, {"collateralServer": None}, "bailiwick-kubernetes:site.collateralServer: is missing"),
        ({}, {"images": {}}, "verifier-1.0.0 has no digest"),
        ({}, {"registry": "https://registry.example.org"}, "registry: String should match pattern"),
        ({}, {"pin": "1234"}, "pin: Extra inputs are not permitted"),
    ],
)
def test_a_site_that_is_not_complete_is_refused(
    reference_values: Path, changes: dict[str, Any], site: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError) as refusal:
        region.deploy(reference_values, changes, **site)
    assert message in str(refusal.value)


def test_a_site_that_nobody_states_is_refused(reference_values: Path) -> None:
    with pytest.raises(SpecError, match="'onprem-paris' is not a region of kubernetes"):
        region.deploy(reference_values, {"location": "onprem-paris"})
    with pytest.raises(InputError, match="state where the cluster is in stacks/facts"):
        region.placement(location="onprem-paris")


def test_labels_end_as_kubernetes_wants_them(placement: Placement) -> None:
    assert placement.labels["owner"] == "platform_at_example-org"
