"""The network: what gets in, what gets out, and how the ranges are cut."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.azure import Placement, SovereignNetwork, SovereignNetworkArgs
from components.azure.sovereign_network import Segment, subnet_prefixes
from components.errors import InputError
from tests.components.azure.recorder import Recording, Registration, record


@pytest.fixture
def network(placement: Placement) -> Recording:
    args = SovereignNetworkArgs(placement=placement, address_space="10.20.0.0/16", domain="test.bailiwick.internal")
    return record(lambda: SovereignNetwork("net", args))


def _allowed(group: Registration) -> set[tuple[str, str, str, str]]:
    return {
        (rule["direction"], rule["sourceAddressPrefix"], rule["destinationAddressPrefix"], rule["destinationPortRange"])
        for rule in group.inputs["securityRules"]
        if rule["access"] == "Allow"
    }


def test_only_the_named_flows_are_open(network: Recording) -> None:
    workload, verifier, endpoints = "10.20.0.0/24", "10.20.1.0/24", "10.20.2.0/24"
    assert _allowed(network["net-workload-nsg"]) == {
        ("Outbound", workload, verifier, "8443"),
        ("Outbound", workload, endpoints, "443"),
    }
    assert _allowed(network["net-verifier-nsg"]) == {
        ("Inbound", workload, verifier, "8443"),
        ("Inbound", "AzureLoadBalancer", verifier, "8443"),
        ("Outbound", verifier, endpoints, "443"),
    }
    assert _allowed(network["net-endpoints-nsg"]) == {
        ("Inbound", workload, endpoints, "443"),
        ("Inbound", verifier, endpoints, "443"),
    }


@pytest.fixture
def clustered(placement: Placement) -> Recording:
    args = SovereignNetworkArgs(
        placement=placement,
        address_space="10.20.0.0/16",
        domain="test.bailiwick.internal",
        clusters=["serving", "batch"],
    )
    return record(lambda: SovereignNetwork("net", args))


VERIFIER, ENDPOINTS, CONTROL, NODES = "10.20.1.0/24", "10.20.2.0/24", "10.20.3.0/24", "10.20.4.0/24"
PODS = "100.64.0.0/16"


def test_a_cluster_s_nodes_and_pods_reach_each_other_their_control_plane_verifier_and_endpoints(
    clustered: Recording,
) -> None:
    assert clustered["net-cluster-serving"].inputs["addressPrefix"] == NODES
    assert _allowed(clustered["net-cluster-serving-nsg"]) == {
        ("Inbound", NODES, NODES, "*"),
        ("Outbound", NODES, NODES, "*"),
        ("Inbound", NODES, PODS, "*"),
        ("Outbound", NODES, PODS, "*"),
        ("Inbound", PODS, PODS, "*"),
        ("Outbound", PODS, PODS, "*"),
        ("Outbound", NODES, CONTROL, "443"),
        ("Outbound", NODES, CONTROL, "4443"),
        ("Inbound", CONTROL, NODES, "*"),
        ("Inbound", CONTROL, PODS, "*"),
        ("Inbound", "AzureLoadBalancer", NODES, "*"),
        ("Outbound", NODES, ENDPOINTS, "443"),
        ("Outbound", NODES, VERIFIER, "8443"),
    }
    assert ("Inbound", NODES, ENDPOINTS, "443") in _allowed(clustered["net-endpoints-nsg"])
    assert ("Inbound", NODES, VERIFIER, "8443") in _allowed(clustered["net-verifier-nsg"])


def test_control_planes_share_a_subnet_that_is_aks_s_and_reach_the_vault(clustered: Recording) -> None:
    subnet = clustered["net-control-planes"].inputs
    assert subnet["addressPrefix"] == CONTROL
    assert [one["serviceName"] for one in subnet["delegations"]] == ["Microsoft.ContainerService/managedClusters"]
    assert "delegations" not in clustered["net-cluster-serving"].inputs
    allowed = _allowed(clustered["net-control-planes-nsg"])
    assert ("Outbound", CONTROL, ENDPOINTS, "443") in allowed
    assert ("Inbound", CONTROL, ENDPOINTS, "443") in _allowed(clustered["net-endpoints-nsg"])
    assert {rule for rule in allowed if rule[1] == NODES} == {
        ("Inbound", NODES, CONTROL, "443"),
        ("Inbound", NODES, CONTROL, "4443"),
    }


def test_a_region_without_clusters_has_nothing_of_theirs(network: Recording) -> None:
    assert not [one.name for one in network.registrations if "control" in one.name]


def test_every_group_denies_the_rest_before_azures_own_rules_allow_it(network: Recording) -> None:
    for group in network.of_type("network:NetworkSecurityGroup"):
        rules = group.inputs["securityRules"]
        for direction in ("Inbound", "Outbound"):
            last = max((rule for rule in rules if rule["direction"] == direction), key=lambda rule: rule["priority"])
            assert (last["access"], last["protocol"], last["destinationAddressPrefix"]) == ("Deny", "*", "*")
            assert last["priority"] < 65000
        priorities = [(rule["direction"], rule["priority"]) for rule in rules]
        assert len(priorities) == len(set(priorities))


def test_every_subnet_is_closed_and_routes_nowhere(network: Recording) -> None:
    (routes,) = network.of_type("network:RouteTable")
    assert [(one["addressPrefix"], one["nextHopType"]) for one in routes.inputs["routes"]] == [("0.0.0.0/0", "None")]
    subnets = list(network.of_type("network:Subnet"))
    assert len(subnets) == len(Segment)
    for subnet in subnets:
        assert subnet.inputs["defaultOutboundAccess"] is False
        assert subnet.inputs["routeTable"]["id"] == "<net-routes.id>"
        assert subnet.inputs["networkSecurityGroup"]["id"] == f"<{subnet.name}-nsg.id>"
        assert subnet.inputs["privateEndpointNetworkPolicies"] == "Enabled"


def test_subnets_are_made_one_after_the_other(network: Recording) -> None:
    assert "net-workload" in network["net-verifier"].depends_on
    assert "net-verifier" in network["net-endpoints"].depends_on


def test_every_private_zone_is_linked(network: Recording) -> None:
    zones = {zone.inputs["privateZoneName"] for zone in network.of_type("privatedns:PrivateZone")}
    assert zones == {
        "privatelink.vaultcore.azure.net",
        "privatelink.blob.core.windows.net",
        "privatelink.attest.azure.net",
        "test.bailiwick.internal",
    }
    links = list(network.of_type("privatedns:VirtualNetworkLink"))
    assert {link.inputs["privateZoneName"] for link in links} == zones
    assert all(link.inputs["registrationEnabled"] is False for link in links)


@given(st.integers(8, 26), st.integers(0, 2**24 - 1))
def test_subnets_are_disjoint_and_inside_the_space(length: int, offset: int) -> None:
    space = ipaddress.IPv4Network((int(ipaddress.IPv4Address("10.0.0.0")) + offset, length), strict=False)
    prefixes = list(subnet_prefixes(str(space)).values())
    assert all(prefix.subnet_of(space) for prefix in prefixes)
    assert all(not one.overlaps(other) for one in prefixes for other in prefixes if one is not other)
    assert all(prefix.prefixlen <= 29 for prefix in prefixes), "Azure's smallest subnet is a /29"


@pytest.mark.parametrize(
    ("space", "problem"),
    [
        ("10.20.0.0", "too small"),
        ("10.20.0.1/16", "has host bits set"),
        ("10.20.0.0/27", r"too small for 3 subnets; nearest supported: 10\.20\.0\.0/26"),
        ("8.8.0.0/16", "not in a private range"),
        ("127.0.0.0/8", "not in a private range"),
        ("fd00::/8", "address_space"),
    ],
)
def test_a_space_that_does_not_do_is_refused(space: str, problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        subnet_prefixes(space)
