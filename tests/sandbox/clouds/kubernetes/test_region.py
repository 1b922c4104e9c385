"""The stack onprem-kubernetes in the emulated cluster: its guests attest, and its guards hold afterwards."""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sandbox.clouds.kubernetes import KubernetesCloud
from sandbox.engine import LocalEngine, StateFile
from sandbox.provider import Properties, ProviderError
from sandbox.region import Region
from tests.sandbox.clouds.kubernetes.cluster import SECURE, urn

PROJECT = Path(__file__).parents[4]
STACK = "onprem-kubernetes"
WORKLOAD = f"{STACK}-workload"
PINNED = "registry.example.org/bailiwick/guest@sha256:" + "ab" * 32


@dataclass
class Deployed:
    """The stack, up."""

    cloud: KubernetesCloud
    region: Region
    state: Path

    def engine(self) -> LocalEngine:
        return LocalEngine(
            PROJECT,
            STACK,
            providers={self.cloud.package: self.cloud},
            state=StateFile(self.state, "test"),
            policy_pack=None,
            on_event=lambda _: None,
        )


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    root = tmp_path_factory.mktemp("onprem")
    region = Region(root / "region" / STACK, STACK, root / "hardware", warn=lambda _: None)
    cloud = KubernetesCloud(root / "region" / STACK, region)
    region.attach(cloud)
    found = Deployed(cloud, region, root / "state.json")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the SDK's own, while the program is imported
        outcome = found.engine().up()
    assert outcome.ok, outcome.error
    yield found
    cloud.close()
    region.close()


def rogue(**changes: Any) -> Properties:
    """A pod that someone starts among the guests; it obeys every rule but those that `changes` break."""
    spec = {
        "runtimeClassName": f"{STACK}-snp",
        "nodeSelector": {"topology.kubernetes.io/region": "onprem-berlin"},
        "containers": [{"name": "main", "image": PINNED, "securityContext": SECURE}],
        **changes,
    }
    annotations = {"io.katacontainers.config.hypervisor.image": "/opt/inference-guest-1.0.0.img"}
    return {"metadata": {"name": "rogue", "namespace": WORKLOAD, "annotations": annotations}, "spec": spec}


def start(deployed: Deployed, kind: str, manifest: Properties) -> None:
    checked = deployed.cloud.check(urn(kind, "rogue"), {}, manifest)
    assert checked.failures == ()
    deployed.cloud.create(urn(kind, "rogue"), checked.inputs, preview=False)


def test_the_guest_attests_over_the_cluster_s_network_and_opens_its_model(deployed: Deployed) -> None:
    (outcome,) = deployed.region.settle(30.0)
    assert (outcome.status, outcome.reason) == ("attested", None)
    assert outcome.machine.startswith("inference-")
    assert outcome.artefact is not None
    assert outcome.artefact.decrypted


def test_a_second_run_changes_nothing(deployed: Deployed) -> None:
    outcome = deployed.engine().up()
    assert outcome.ok, outcome.error
    assert set(outcome.changes) == {"same"}


@pytest.mark.parametrize(
    ("changes", "policy", "message"),
    [
        ({"runtimeClassName": None}, "confidential", "pods here run in confidential guests: set runtimeClassName"),
        ({"runtimeClassName": "kata-qemu-coco-dev"}, "confidential", "set runtimeClassName"),
        (
            {
                "containers": [
                    {"name": "main", "image": "registry.example.org/bailiwick/guest:1", "securityContext": SECURE}
                ]
            },
            "images",
            "are pinned by digest",
        ),
        (
            {
                "containers": [
                    {"name": "main", "image": PINNED.replace("example.org", "example.com"), "securityContext": SECURE}
                ]
            },
            "images",
            "images come from registry.example.org/bailiwick",
        ),
        (
            {"initContainers": [{"name": "first", "image": "shell:latest", "securityContext": SECURE}]},
            "images",
            "are pinned by digest",
        ),
        ({"nodeSelector": None}, "residency", "set nodeSelector topology.kubernetes.io/region=onprem-berlin"),
        ({"nodeSelector": {"topology.kubernetes.io/region": "elsewhere"}}, "residency", "pods stay at the site"),
    ],
)
def test_what_breaks_the_region_s_rules_is_refused_after_the_deployment(
    deployed: Deployed, changes: dict[str, Any], policy: str, message: str
) -> None:
    with pytest.raises(ProviderError) as refusal:
        start(deployed, "Pod", rogue(**changes))
    assert f"ValidatingAdmissionPolicy '{STACK}-{policy}'" in str(refusal.value)
    assert message in str(refusal.value)


def test_a_workload_is_refused_as_its_pods_would_be(deployed: Deployed) -> None:
    labels = {"app": "rogue"}
    template = {"metadata": {"labels": labels}, "spec": rogue(runtimeClassName=None)["spec"]}
    spec = {"selector": {"matchLabels": labels}, "template": template}
    with pytest.raises(ProviderError, match=r'deployments\.apps "rogue" is forbidden'):
        start(deployed, "Deployment", {"metadata": {"name": "rogue", "namespace": WORKLOAD}, "spec": spec})


def test_a_closed_flow_keeps_the_guest_from_its_verifier(deployed: Deployed) -> None:
    (outcome,) = deployed.region.outcomes()
    host = f"verifier.{STACK}-verifier.svc.cluster.local"
    assert len(deployed.cloud.resolve(host, outcome.machine_id)) == 2
    live = deployed.cloud.read(urn("NetworkPolicy", "attest"), f"{WORKLOAD}/attest", {})
    assert live is not None
    deployed.cloud.delete(urn("NetworkPolicy", "attest"), f"{WORKLOAD}/attest", {})
    assert deployed.cloud.resolve(host, outcome.machine_id) == []
    deployed.cloud.create(urn("NetworkPolicy", "attest"), live.inputs, preview=False)


def test_the_state_holds_no_pin_and_no_key(deployed: Deployed) -> None:
    text = deployed.state.read_text(encoding="utf-8")
    pin = next(deployed.state.parent.rglob("hsm/pin")).read_text(encoding="ascii").strip()
    assert pin not in text
    assert "PRIVATE KEY" not in text


def test_destroy_leaves_nothing(deployed: Deployed) -> None:
    outcome = deployed.engine().destroy()
    assert outcome.ok, outcome.error
    assert deployed.cloud.store.children("") == []
    assert deployed.region.outcomes() == []
