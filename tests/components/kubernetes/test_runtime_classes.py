"""Runtime classes: a TEE or nothing."""

import pytest

from components.errors import InputError
from components.kubernetes import PeerPods, Placement, RuntimeClasses, RuntimeClassesArgs
from tests.components.kubernetes.region import record
from tests.components.recorder import Recording


def classes(placement: Placement, peer_pods: PeerPods | None = None, *tees: str) -> Recording:
    args = RuntimeClassesArgs(placement=placement, tees=tees or ("snp", "tdx"), peer_pods=peer_pods)
    return record(lambda: RuntimeClasses("runtimes", args))


def test_guests_on_the_nodes_select_nodes_whose_tee_is_on(placement: Placement) -> None:
    made = classes(placement)
    for tee, handler, label in (
        ("snp", "kata-qemu-snp", "amd.feature.node.kubernetes.io/snp"),
        ("tdx", "kata-qemu-tdx", "intel.feature.node.kubernetes.io/tdx"),
    ):
        inputs = made[f"runtimes-{tee}"].inputs
        assert inputs["handler"] == handler
        assert inputs["metadata"]["name"] == f"onprem-kubernetes-{tee}"
        assert inputs["scheduling"]["nodeSelector"] == {
            "topology.kubernetes.io/region": "onprem-berlin",
            label: "true",
        }


def test_peer_pods_need_no_tee_on_the_node(placement: Placement) -> None:
    inputs = classes(placement, PeerPods("azure", "germanywestcentral"), "snp")["runtimes-snp"].inputs
    assert inputs["handler"] == "kata-remote"
    assert inputs["scheduling"]["nodeSelector"] == {"topology.kubernetes.io/region": "onprem-berlin"}


@pytest.mark.parametrize(
    ("peer_pods", "tee", "message"),
    [
        (PeerPods("azure", "westeurope"), "snp", "peer_pods: westeurope is in NL, outside DE"),
        (PeerPods("azure", "germanywestcentra"), "snp", "nearest supported: germanywestcentral"),
        (None, "none", "tees: 'none' is not a TEE that Kata starts guests in"),
    ],
)
def test_what_would_leave_or_has_no_tee_is_refused(
    placement: Placement, peer_pods: PeerPods | None, tee: str, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        classes(placement, peer_pods, tee)
