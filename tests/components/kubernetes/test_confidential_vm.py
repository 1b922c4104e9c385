"""One confidential guest, or several."""

from typing import Any

import pytest

from components.errors import InputError
from components.kubernetes import (
    ConfidentialVm,
    ConfidentialVmArgs,
    ConfidentialVmGroup,
    ConfidentialVmGroupArgs,
    Placement,
)
from components.naming import InvalidName
from tests.components.kubernetes.region import SIZE, record, template
from tests.components.recorder import Recording


def settings(placement: Placement, **changes: Any) -> dict[str, Any]:
    return {
        "placement": placement,
        "role": "inference",
        "size": SIZE,
        "tee": "snp",
        "image_name": "inference-guest",
        "image_version": "1.0.0",
        "guest_images": "/opt/images",
        "container_image": "registry.example.org/guest@sha256:" + "ab" * 32,
        "guest_configuration": {"role": "workload"},
        "runtime_class": "confidential",
        "identity_id": "inference",
        **changes,
    }


def test_a_guest_runs_alone_and_closed(berlin: Recording) -> None:
    spec = template(berlin, "onprem-kubernetes-inference-vm")["spec"]
    (container,) = spec["containers"]
    assert spec["runtimeClassName"] == "onprem-kubernetes-snp"
    assert spec["automountServiceAccountToken"] is False
    assert "@sha256:" in container["image"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
        "runAsNonRoot": True,
    }
    assert spec["nodeSelector"] == {
        "topology.kubernetes.io/region": "onprem-berlin",
        "node.kubernetes.io/instance-type": SIZE,
        "topology.kubernetes.io/zone": "hall-1",
    }


def test_the_guest_image_is_one_version_on_the_node(berlin: Recording) -> None:
    annotations = template(berlin, "onprem-kubernetes-inference-vm")["metadata"]["annotations"]
    path = "/opt/kata/share/bailiwick/inference-guest-1.0.0.img"
    assert annotations["io.katacontainers.config.hypervisor.image"] == path


def test_a_group_keeps_its_number_and_lets_one_go_at_a_time(berlin: Recording) -> None:
    assert berlin["onprem-kubernetes-embedding-vm"].inputs["spec"]["replicas"] == 3
    budget = berlin["onprem-kubernetes-embedding-budget"].inputs["spec"]
    assert budget["maxUnavailable"] == 1
    labels = template(berlin, "onprem-kubernetes-embedding-vm")["metadata"]["labels"]
    assert budget["selector"]["matchLabels"].items() <= labels.items()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tee": "sev"}, "tee: 'sev' is not a TEE that Kata starts guests in; nearest supported: snp or tdx"),
        ({"tee": "tdx"}, f"size: {SIZE} has no Intel TDX"),
        ({"gpu": "h100"}, "gpu: 'h100' is not built on Kubernetes yet; nearest supported: none"),
        ({"size": "rack-genoa-63"}, f"nearest supported: {SIZE}"),
        ({"vcpu": 128}, f"vcpu: 128 vCPU with 8 GiB is more than a {SIZE} has"),
        ({"container_image": "registry.example.org/guest:1.0.0"}, "can become another image"),
    ],
)
def test_what_the_site_does_not_have_is_refused(placement: Placement, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as refusal:
        record(lambda: ConfidentialVm("one", ConfidentialVmArgs(**settings(placement, **changes))))
    assert message in str(refusal.value)
    assert str(refusal.value).startswith("bailiwick:index:KubernetesConfidentialVm: ")


def test_a_name_that_pods_cannot_have_is_refused(placement: Placement) -> None:
    with pytest.raises(InvalidName, match="workload name 'Inference'"):
        record(lambda: ConfidentialVm("one", ConfidentialVmArgs(**settings(placement, role="Inference"))))


def test_one_machine_is_no_group(placement: Placement) -> None:
    with pytest.raises(InputError, match="nearest supported: ConfidentialVm, or 2"):
        record(lambda: ConfidentialVmGroup("one", ConfidentialVmGroupArgs(**settings(placement), count=1)))
