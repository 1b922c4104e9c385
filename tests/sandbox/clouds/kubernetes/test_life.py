"""The life of a confidential workload in the emulated cluster: boot, scale, roll out, survive a kill, go."""

import threading
from collections.abc import Callable

import pytest

from sandbox.clouds.kubernetes import KubernetesCloud
from sandbox.provider import ProviderError
from sandbox.values import UNKNOWN
from tests.sandbox.clouds.kubernetes.cluster import (
    SIZE,
    Bench,
    RecordingHardware,
    deployment,
    init_data,
    pod,
    runtime_class,
    service,
    urn,
)

GUEST = {"role": "workload", "version": 1}


def test_a_confidential_deployment_boots_its_guests(bench: Bench) -> None:
    bench.region()
    created = bench.create("Deployment", deployment("inference", "work", replicas=2, told=GUEST))
    assert created.id == "work/inference"
    assert created.outputs["status"]["readyReplicas"] == 2
    first, second = bench.pods("inference")
    assert (first.tee, first.size, first.location) == ("snp", SIZE, "onprem-berlin")
    assert first.gpu is None
    assert first.custom_data == b'{"role": "workload", "version": 1}'
    assert first.image_reference.endswith("/images/inference-guest/versions/1.0.0")
    assert first.private_ip != second.private_ip
    assert {first.zone, second.zone} == {"hall-1", "hall-2"}, "replicas are spread over the zones"


def test_the_site_makes_the_keys_that_its_verifier_names(bench: Bench) -> None:
    bench.region()
    told = {"role": "verifier", "resources": [{"path": "default/model-key/llm", "kek": "model-llm"}]}
    bench.create("Deployment", deployment("broker", "trust", told=told))
    assert bench.hardware.keys == ["model-llm"]


def test_a_pod_without_a_confidential_runtime_class_is_no_guest(bench: Bench) -> None:
    bench.region()
    before = len(bench.hardware.booted)
    bench.create("RuntimeClass", runtime_class("development", "kata-qemu-coco-dev"))
    bench.create("Deployment", deployment("plain", "work", runtimeClassName=None))
    bench.create("Deployment", deployment("dev", "work", runtimeClassName="development"))
    assert len(bench.hardware.booted) == before


def test_a_new_template_boots_new_guests_and_stops_the_old_ones(bench: Bench) -> None:
    bench.region()
    bench.create("Deployment", deployment("inference", "work", told=GUEST))
    (old,) = bench.pods("inference")
    outputs = bench.update("Deployment", deployment("inference", "work", told={**GUEST, "version": 2}))
    (_, new) = bench.pods("inference")
    assert outputs["metadata"]["generation"] == 2
    assert new.custom_data != old.custom_data
    assert bench.hardware.stopped == [old.id]


def test_scaling_boots_what_is_missing_and_stops_what_is_too_much(bench: Bench) -> None:
    bench.region()
    bench.create("Deployment", deployment("inference", "work", told=GUEST))
    bench.update("Deployment", deployment("inference", "work", replicas=3, told=GUEST))
    assert len(bench.pods("inference")) == 3
    bench.update("Deployment", deployment("inference", "work", replicas=1, told=GUEST))
    assert len(bench.hardware.stopped) == 2


def test_deleting_a_workload_or_its_namespace_stops_its_guests(bench: Bench) -> None:
    bench.region()
    bench.create("Deployment", deployment("inference", "work", told=GUEST))
    bench.create("Pod", pod("single", told=GUEST))
    bench.delete("Namespace", "work")
    stopped = {machine_id.split("/")[-1].split("-")[0] for machine_id in bench.hardware.stopped}
    assert stopped == {"inference", "single"}
    assert bench.cloud.read(urn("Deployment", "inference"), "work/inference", {}) is None


def test_a_rollout_that_fails_leaves_nothing(bench: Bench) -> None:
    bench.region()
    with pytest.raises(ProviderError, match="FailedScheduling"):
        bench.create("Deployment", deployment("lost", "work", nodeSelector={"kubernetes.io/os": "plan9"}))
    assert bench.cloud.read(urn("Deployment", "lost"), "work/lost", {}) is None


@pytest.mark.parametrize(
    ("annotation", "message"),
    [
        ("not base64", "is not base64"),
        ("bm90IGd6aXA=", "is not gzip inside base64"),
        (init_data({})[:-8], "is not gzip inside base64"),
    ],
)
def test_init_data_that_no_guest_can_read_is_refused(bench: Bench, annotation: str, message: str) -> None:
    bench.region()
    manifest = pod("a")
    manifest["metadata"]["annotations"]["io.katacontainers.config.hypervisor.cc_init_data"] = annotation
    with pytest.raises(ProviderError, match=message):
        bench.create("Pod", manifest)


def test_a_guest_needs_an_image(bench: Bench) -> None:
    bench.region()
    manifest = pod("a")
    manifest["metadata"]["annotations"] = {}
    with pytest.raises(ProviderError, match=r"it names the guest image on the node, <name>-<version>\.img"):
        bench.create("Pod", manifest)


def test_peer_pods_boot_the_machine_that_they_name(bench: Bench) -> None:
    bench.region()
    bench.create("RuntimeClass", {"metadata": {"name": "peer"}, "handler": "kata-remote"})
    manifest = pod("peer", runtimeClassName="peer")
    manifest["metadata"]["annotations"]["io.katacontainers.config.hypervisor.machine_type"] = SIZE
    bench.create("Pod", manifest)
    assert bench.pods("peer") == []
    assert (bench.hardware.booted[-1].name, bench.hardware.booted[-1].tee) == ("peer", "snp")


def test_a_machine_with_a_gpu_is_handed_to_the_hardware_as_one(bench: Bench) -> None:
    bench.region()
    bench.create("RuntimeClass", runtime_class("gpu", "kata-qemu-nvidia-gpu-snp"))
    bench.create("Deployment", deployment("training", "work", told=GUEST, runtimeClassName="gpu"))
    assert {machine.gpu for machine in bench.pods("training")} == {"nvidia gpu"}
    bench.create("RuntimeClass", {"metadata": {"name": "peer"}, "handler": "kata-remote"})
    manifest = pod("peer", runtimeClassName="peer")
    manifest["metadata"]["annotations"]["io.katacontainers.config.hypervisor.machine_type"] = SIZE
    bench.create("Pod", manifest)
    assert bench.hardware.booted[-1].gpu is None


def test_names_are_made_for_what_has_none_and_kept(bench: Bench) -> None:
    bench.region()
    manifest = {"metadata": {"namespace": "work"}, "data": {"a": "1"}}
    first = bench.checked("ConfigMap", manifest)
    assert first["metadata"]["name"].startswith("any-")
    assert first["metadata"]["annotations"] == {"pulumi.com/autonamed": "true"}
    again = bench.cloud.check(urn("ConfigMap", "any"), first, {**manifest, "data": {"a": "2"}}).inputs
    assert again["metadata"]["name"] == first["metadata"]["name"]
    assert not bench.cloud.diff(urn("ConfigMap", "any"), "x", first, {}, again).delete_before_replace


def test_a_preview_foretells_names_and_leaves_the_rest_open(bench: Bench) -> None:
    bench.create("Namespace", {"metadata": {"name": "trust"}}, preview=True)
    foretold = bench.create("Service", service("verifier", "trust"), preview=True)
    assert foretold.id == "trust/verifier"
    assert foretold.outputs["metadata"]["name"] == "verifier"
    assert foretold.outputs["metadata"]["uid"] is UNKNOWN
    assert foretold.outputs["spec"]["clusterIP"] is UNKNOWN
    assert bench.cloud.read(urn("Service", "verifier"), "trust/verifier", {}) is None


def test_unknown_values_fit_every_schema(bench: Bench) -> None:
    manifest = {"metadata": {"name": "a", "namespace": UNKNOWN}, "spec": {"replicas": UNKNOWN, "selector": UNKNOWN}}
    manifest["spec"]["template"] = {"spec": {"containers": [{"name": "main", "image": UNKNOWN}]}}
    assert bench.failures("Deployment", manifest) == []


def test_the_cluster_survives_the_process(
    bench: Bench, open_cluster: Callable[[], KubernetesCloud], hardware: RecordingHardware
) -> None:
    bench.region()
    created = bench.create("Service", service("inference", "work"))
    found = open_cluster().read(urn("Service", "inference"), "work/inference", {})
    assert found is not None
    assert found.outputs == created.outputs
    assert found.outputs["spec"]["clusterIP"].startswith("10.96.")


def test_pods_wait_a_little_for_what_a_program_creates_beside_them(
    open_cluster: Callable[[], KubernetesCloud], hardware: RecordingHardware
) -> None:
    patient = Bench(open_cluster(), hardware)
    patient.region()
    patient.cloud._controllers._patience = 5.0
    manifest = deployment("a", "work", told=GUEST, volumes=[{"name": "config", "configMap": {"name": "late"}}])
    late = threading.Timer(
        0.2, patient.create, ("ConfigMap", {"metadata": {"name": "late", "namespace": "work"}, "data": {}})
    )
    late.start()
    patient.create("Deployment", manifest)
    late.join()
    assert len(patient.pods("a")) == 1
