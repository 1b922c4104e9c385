"""Namespaces that nothing enters and nothing leaves."""

from typing import Any

import pytest

from components.errors import InputError
from components.kubernetes import Placement, SovereignNetwork, SovereignNetworkArgs
from tests.components.kubernetes.region import record
from tests.components.recorder import Recording

SEGMENTS = ("workload", "verifier", "endpoints")


def policies(recording: Recording) -> dict[tuple[str, str], dict[str, Any]]:
    """The specs of the network policies, by namespace and name."""
    found = (one.inputs for one in recording.of_type(":NetworkPolicy"))
    return {(one["metadata"]["namespace"], one["metadata"]["name"]): one["spec"] for one in found}


@pytest.mark.parametrize("segment", SEGMENTS)
def test_each_namespace_denies_everything_first(berlin: Recording, segment: str) -> None:
    assert policies(berlin)[(f"onprem-kubernetes-{segment}", "deny-all")] == {
        "podSelector": {},
        "policyTypes": ["Ingress", "Egress"],
    }


@pytest.mark.parametrize("segment", SEGMENTS)
def test_namespaces_enforce_the_restricted_level(berlin: Recording, segment: str) -> None:
    labels = berlin[f"onprem-kubernetes-network-{segment}"].inputs["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    assert labels["jurisdiction"] == "de"
    assert ("bailiwick.dev/confidential" in labels) is (segment != "endpoints")


def test_nothing_is_open_to_everywhere(berlin: Recording) -> None:
    for (namespace, name), spec in policies(berlin).items():
        for rule in (*spec.get("egress", ()), *spec.get("ingress", ())):
            peers = rule.get("to") or rule.get("from")
            assert peers, f"{namespace}/{name} names no peer"
            assert rule.get("ports"), f"{namespace}/{name} names no port"
            blocks = [peer["ipBlock"]["cidr"] for peer in peers if "ipBlock" in peer]
            assert all(block.startswith("10.60.") for block in blocks)


def test_workloads_reach_the_verifier_on_its_port(berlin: Recording) -> None:
    (out,) = policies(berlin)[("onprem-kubernetes-workload", "attest")]["egress"]
    (into,) = policies(berlin)[("onprem-kubernetes-verifier", "attest")]["ingress"]
    key = "kubernetes.io/metadata.name"
    assert out["to"][0]["namespaceSelector"]["matchLabels"] == {key: "onprem-kubernetes-verifier"}
    assert into["from"][0]["namespaceSelector"]["matchLabels"] == {key: "onprem-kubernetes-workload"}
    assert out["ports"] == into["ports"] == [{"protocol": "TCP", "port": 8443}]


def test_a_public_range_is_refused(placement: Placement) -> None:
    with pytest.raises(InputError, match="is not in a private range"):
        record(lambda: SovereignNetwork("net", SovereignNetworkArgs(placement=placement, address_space="8.8.0.0/16")))
