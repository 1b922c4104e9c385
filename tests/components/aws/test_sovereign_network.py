"""The network, closed in every direction but the region's own flows."""

import dataclasses
import json
from typing import Any

import pytest

from components.aws import Placement, SovereignNetwork, SovereignNetworkArgs
from components.errors import InputError
from tests.components import recorder
from tests.components.aws import region
from tests.components.recorder import Recording


@pytest.fixture
def args(placement: Placement) -> SovereignNetworkArgs:
    return SovereignNetworkArgs(placement=placement, address_space="10.40.0.0/16", domain="test.internal")


@pytest.fixture
def net(args: SovereignNetworkArgs) -> Recording:
    return region.record(lambda: SovereignNetwork("net", args))


def _rules(net: Recording, segment: str, direction: str) -> set[tuple[str, int]]:
    rules = net[f"net-{segment}-group"].inputs.get(direction, [])
    return {(block, int(rule["toPort"])) for rule in rules for block in rule["cidrBlocks"]}


def test_each_segment_has_a_subnet_in_each_zone(net: Recording) -> None:
    found = {one.name: one.inputs for one in net.of_type(":Subnet")}
    assert len(found) == 9
    assert found["net-workload-eu-west-1a"]["cidrBlock"] == "10.40.0.0/26"
    assert found["net-verifier-eu-west-1c"]["cidrBlock"] == "10.40.1.128/26"
    assert not any(subnet["mapPublicIpOnLaunch"] for subnet in found.values())


def test_an_association_that_is_made_again_leaves_the_subnets_as_known_as_they_were(
    args: SovereignNetworkArgs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a preview nobody knows the id of what is to be made; what stands in the subnet must not be replaced for it."""
    answer = recorder._Monitor.RegisterResource

    def without_id(monitor: Any, request: Any) -> Any:
        response = answer(monitor, request)
        if request.type.endswith(":RouteTableAssociation"):
            response.id = ""
        return response

    monkeypatch.setattr(recorder._Monitor, "RegisterResource", without_id)
    net = region.record(lambda: SovereignNetwork("net", args))
    placed = [one for one in net.of_type(":VpcEndpoint") if one.inputs["vpcEndpointType"] == "Interface"]
    assert placed
    for endpoint in placed:
        assert all(id_.startswith("<net-") for id_ in endpoint.inputs["subnetIds"])
        assert "net-routes-0" in endpoint.depends_on


def test_there_is_no_way_out(net: Recording) -> None:
    kinds = {one.type.rpartition(":")[2] for one in net.registrations}
    assert not kinds & {"InternetGateway", "NatGateway", "Eip", "Route", "EgressOnlyInternetGateway"}
    assert net["net-routes"].inputs["routes"] == []
    assert len(list(net.of_type(":RouteTableAssociation"))) == 9


def test_the_acl_lets_nothing_pass_the_networks_own_range(net: Recording) -> None:
    acl = net["net-acl"].inputs
    for direction in ("ingress", "egress"):
        (rule,) = acl[direction]
        assert (rule["cidrBlock"], rule["action"]) == ("10.40.0.0/16", "allow")
    assert len(acl["subnetIds"]) == 9


def test_security_groups_open_the_flows_and_nothing_else(net: Recording) -> None:
    workload, verifier, endpoints = "10.40.0.0/24", "10.40.1.0/24", "10.40.2.0/24"
    assert _rules(net, "workload", "ingress") == set()
    assert _rules(net, "workload", "egress") == {(verifier, 8443), (endpoints, 443)}
    assert _rules(net, "verifier", "ingress") == {(workload, 8443), (verifier, 8443)}
    assert _rules(net, "verifier", "egress") == {(verifier, 8443), (endpoints, 443)}
    assert _rules(net, "endpoints", "ingress") == {(workload, 443), (verifier, 443)}
    assert _rules(net, "endpoints", "egress") == set()


def test_a_group_without_flows_says_so(net: Recording) -> None:
    """Left out, the provider would keep the rule with which AWS lets everything out."""
    assert net["net-endpoints-group"].inputs["egress"] == []
    assert net["net-default"].inputs["ingress"] == net["net-default"].inputs["egress"] == []


def test_services_are_reached_on_private_addresses_under_their_own_names(net: Recording) -> None:
    found = {one.inputs["serviceName"]: one.inputs for one in net.of_type(":VpcEndpoint")}
    assert set(found) == {f"com.amazonaws.eu-west-1.{service}" for service in ("kms", "s3", "sts", "logs")}
    assert all(one["vpcEndpointType"] == "Interface" and one["privateDnsEnabled"] for one in found.values())


def test_names_follow_the_partition(sovereign: Placement, args: SovereignNetworkArgs) -> None:
    there = dataclasses.replace(args, placement=sovereign)
    net = region.record(lambda: SovereignNetwork("net", there))
    assert {one.inputs["serviceName"] for one in net.of_type(":VpcEndpoint")} == {
        f"eu.amazonaws.eusc-de-east-1.{service}" for service in ("kms", "s3", "sts", "logs")
    }


def test_a_cluster_gets_subnets_and_endpoints_of_its_own(args: SovereignNetworkArgs) -> None:
    net = region.record(lambda: SovereignNetwork("net", dataclasses.replace(args, clusters=["serving"])))
    assert net["net-serving-eu-west-1b"].inputs["cidrBlock"] == "10.40.3.64/26"
    assert _rules(net, "serving", "egress") == {("10.40.3.0/24", 0), ("10.40.2.0/24", 443)}
    assert ("10.40.3.0/24", 443) in _rules(net, "endpoints", "ingress")
    assert "com.amazonaws.eu-west-1.ecr.dkr" in {one.inputs["serviceName"] for one in net.of_type(":VpcEndpoint")}
    own, layers = json.loads(net["net-s3"].inputs["policy"])["Statement"]
    assert own["Condition"] == {"StringEquals": {"aws:PrincipalAccount": args.placement.account_id}}
    assert (layers["Action"], layers["Resource"]) == (
        "s3:GetObject",
        "arn:aws:s3:::prod-eu-west-1-starport-layer-bucket/*",
    )


@pytest.mark.parametrize(
    ("space", "says"),
    [
        ("10.40.0.0/25", "too small for a subnet in each zone; nearest supported: 10.40.0.0/24"),
        ("8.8.0.0/16", "not in a private range"),
        ("10.40.0.0", "too small"),
    ],
)
def test_a_range_that_does_not_do_is_refused(args: SovereignNetworkArgs, space: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        region.record(lambda: SovereignNetwork("net", dataclasses.replace(args, address_space=space)))
