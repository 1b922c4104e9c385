"""The network: no way in, no way out, and private ways to what the region needs."""

import ipaddress
from typing import Any

import pytest

from components.errors import InputError
from components.gcp import Placement, SovereignNetwork, SovereignNetworkArgs
from tests.components.gcp import region
from tests.components.recorder import Recording


def network(placement: Placement, **changes: Any) -> Recording:
    args = SovereignNetworkArgs(
        **{"placement": placement, "address_space": "10.30.0.0/16", "domain": "x.internal"} | changes
    )
    return region.record(lambda: SovereignNetwork("net", args))


def test_no_route_leads_out_and_the_last_rule_denies(placement: Placement) -> None:
    found = network(placement)
    vpc = found["net-vpc"].inputs
    assert (vpc["autoCreateSubnetworks"], vpc["deleteDefaultRoutesOnCreate"]) == (False, True)
    for direction, ranges in (("ingress", "sourceRanges"), ("egress", "destinationRanges")):
        rule = found[f"net-deny-{direction}"].inputs
        assert (rule["priority"], rule["denies"], rule[ranges]) == (65534, [{"protocol": "all"}], ["0.0.0.0/0"])


def test_no_rule_lets_in_who_is_not_the_network_s_own_or_a_health_check(placement: Placement) -> None:
    probes = {ipaddress.ip_network("35.191.0.0/16"), ipaddress.ip_network("130.211.0.0/22")}
    space = ipaddress.ip_network("10.30.0.0/16")
    for rule in network(placement).of_type(":Firewall"):
        if "allows" in rule.inputs:
            for source in map(ipaddress.ip_network, rule.inputs["sourceRanges"]):
                assert source in probes or source.subnet_of(space)  # type: ignore[arg-type]
            assert all(ipaddress.ip_network(one).subnet_of(space) for one in rule.inputs["destinationRanges"])  # type: ignore[arg-type]
            assert all(allowed["ports"] for allowed in rule.inputs["allows"])


def test_keys_and_models_are_reached_at_endpoints_of_the_region(placement: Placement) -> None:
    found = network(placement)
    for service, api in (("cloud-kms", "cloudkms"), ("storage", "storage")):
        endpoint, record = found[f"net-{service}"].inputs, found[f"net-{service}-record"].inputs
        assert endpoint["targetGoogleApi"] == f"{api}.europe-west3.p.rep.googleapis.com"
        assert (record["name"], record["rrdatas"]) == (f"{endpoint['targetGoogleApi']}.", [endpoint["address"]])
    assert {zone.inputs["visibility"] for zone in found.of_type(":ManagedZone")} == {"private"}


def test_google_s_apis_have_a_way_in_for_clusters_only(placement: Placement) -> None:
    assert not list(network(placement).of_type(":GlobalForwardingRule"))
    found = network(placement, clusters=["serving"])
    assert found["net-apis"].inputs["target"] == "all-apis"
    assert found["net-serving-apis-egress"].inputs["destinationRanges"] == ["10.30.2.0/24", "10.30.255.254/32"]
    secondary = found["net-cluster-serving"].inputs["secondaryIpRanges"]
    assert [one["rangeName"] for one in secondary] == ["pods", "services"]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"address_space": "8.8.0.0/16"}, "not in a private range"),
        ({"address_space": "10.0.0.0/27"}, "too small"),
        ({"address_space": "10.0.0.0/22", "clusters": ["a", "b"]}, "has room for 4 subnets, not 5"),
        ({"address_space": "10.0.0.0/22", "clusters": ["a"]}, "no address left for Google's APIs; .*10.0.0.0/21"),
    ],
)
def test_what_it_cannot_honour_is_refused(placement: Placement, change: dict[str, Any], problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        network(placement, **change)
