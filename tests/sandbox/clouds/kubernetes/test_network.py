"""Cluster DNS and network policies decide whom a guest reaches."""

from typing import Any

import pytest

from tests.sandbox.clouds.kubernetes.cluster import Bench, deployment, network_policy, service

FULL_NAME = "verifier.trust.svc.cluster.local"
DNS = {
    "to": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}}],
    "ports": [{"protocol": "UDP", "port": 53}],
}
TO_VERIFIER = {
    "to": [
        {
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "trust"}},
            "podSelector": {"matchLabels": {"app": "verifier"}},
        }
    ],
    "ports": [{"protocol": "TCP", "port": 8443}],
}
FROM_WORKLOADS = {"from": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "work"}}}]}


@pytest.fixture
def guest(bench: Bench) -> str:
    """The id of a guest in `work`."""
    bench.region()
    bench.create("Deployment", deployment("inference", "work", told={"role": "workload"}))
    (machine,) = bench.pods("inference")
    return machine.network_id


def reached(bench: Bench, guest: str, host: str = FULL_NAME) -> int:
    return len(bench.cloud.resolve(host, guest))


def policy(bench: Bench, name: str, namespace: str, **spec: Any) -> None:
    bench.create("NetworkPolicy", network_policy(name, namespace, **spec))


@pytest.mark.parametrize("host", [FULL_NAME, "verifier.trust.svc", "verifier.trust"])
def test_every_form_of_a_services_name_leads_to_its_pods(bench: Bench, guest: str, host: str) -> None:
    assert bench.cloud.resolve(host, guest) == sorted(machine.id for machine in bench.pods("verifier"))


@pytest.mark.parametrize("host", ["verifier", "verifier.work", "absent.trust", "verifier.example.org", "a.b.c.d"])
def test_other_names_lead_nowhere(bench: Bench, guest: str, host: str) -> None:
    assert reached(bench, guest, host) == 0


def test_a_service_whose_selector_matches_nothing_leads_nowhere(bench: Bench, guest: str) -> None:
    bench.create("Service", service("empty", "trust", selector={"app": "other"}))
    assert reached(bench, guest, "empty.trust") == 0


def test_default_deny_closes_and_explicit_egress_opens(bench: Bench, guest: str) -> None:
    policy(bench, "deny", "work", policyTypes=["Ingress", "Egress"])
    assert reached(bench, guest) == 0
    policy(bench, "attest", "work", policyTypes=["Egress"], egress=[TO_VERIFIER])
    assert reached(bench, guest) == 0, "a guest that may not ask the cluster's DNS finds nobody"
    policy(bench, "dns", "work", policyTypes=["Egress"], egress=[DNS])
    assert reached(bench, guest) == 2


def test_both_ends_must_agree(bench: Bench, guest: str) -> None:
    policy(bench, "deny", "trust", policyTypes=["Ingress"])
    assert reached(bench, guest) == 0
    policy(bench, "attest", "trust", policyTypes=["Ingress"], ingress=[FROM_WORKLOADS])
    assert reached(bench, guest) == 2


@pytest.mark.parametrize(
    ("ports", "found"),
    [
        ([{"protocol": "TCP", "port": 8443}], 2),
        ([{"protocol": "TCP", "port": "attest"}], 2),
        ([{"protocol": "TCP", "port": 8000, "endPort": 9000}], 2),
        ([{"protocol": "TCP"}], 2),
        ([{"protocol": "UDP", "port": 8443}], 0),
        ([{"protocol": "TCP", "port": 443}], 0),
    ],
)
def test_ports_are_those_of_the_pods(bench: Bench, guest: str, ports: list[dict[str, Any]], found: int) -> None:
    policy(bench, "deny", "trust", policyTypes=["Ingress"])
    policy(bench, "attest", "trust", policyTypes=["Ingress"], ingress=[{**FROM_WORKLOADS, "ports": ports}])
    assert reached(bench, guest) == found


@pytest.mark.parametrize(
    ("block", "found"),
    [
        ({"cidr": "10.244.0.0/16"}, 2),
        ({"cidr": "10.0.0.0/8", "except": ["10.244.0.0/16"]}, 0),
        ({"cidr": "192.168.0.0/16"}, 0),
    ],
)
def test_ranges_open_what_lies_in_them(bench: Bench, guest: str, block: dict[str, Any], found: int) -> None:
    policy(bench, "some", "work", policyTypes=["Egress"], egress=[{"to": [{"ipBlock": block}]}, DNS])
    assert reached(bench, guest) == found


def test_a_policy_for_other_pods_changes_nothing(bench: Bench, guest: str) -> None:
    policy(bench, "deny", "work", policyTypes=["Egress"], podSelector={"matchLabels": {"app": "other"}})
    assert reached(bench, guest) == 2


def test_a_guest_that_is_gone_reaches_nobody(bench: Bench, guest: str) -> None:
    bench.delete("Deployment", "work/inference")
    assert reached(bench, guest) == 0


STORE = "models.onprem-berlin.internal"
TO_STORE = {"to": [{"ipBlock": {"cidr": "10.60.251.0/24"}}], "ports": [{"protocol": "TCP", "port": 443}]}


def test_the_sites_store_is_behind_a_policy_that_lets_out_of_the_cluster(bench: Bench, guest: str) -> None:
    url = bench.cloud.object_url("onprem-berlin").format(account="models", container="models", blob="llm.enc")
    assert url == f"https://{STORE}/models/llm.enc"
    assert bench.cloud.object_obstacle(STORE, guest) is None
    policy(bench, "deny", "work", policyTypes=["Ingress", "Egress"])
    assert "lets the pod ask the cluster's DNS" in (bench.cloud.object_obstacle(STORE, guest) or "")
    policy(bench, "dns", "work", egress=[DNS])
    assert "to the ipBlock of the site's store" in (bench.cloud.object_obstacle(STORE, guest) or "")
    policy(bench, "store", "work", egress=[TO_STORE])
    assert bench.cloud.object_obstacle(STORE, guest) is None
