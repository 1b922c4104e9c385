"""Schemas read from the installed SDK."""

import pytest

from sandbox.clouds import schema
from sandbox.values import UNKNOWN

SUBNET = "azure-native:network:Subnet"


def test_a_schema_names_the_api_version_and_the_required_inputs() -> None:
    found = schema.resource("azure-native:keyvault:Key")
    assert found.api_version == "2024-11-01"
    required = {name for name, item in found.inputs.properties.items() if item.required}
    assert required == {"properties", "resourceGroupName", "vaultName"}


def test_nested_types_of_the_same_name_as_a_resource_are_told_apart() -> None:
    """`SubnetArgs` is both the inputs of a subnet and the inline subnet of a virtual network."""
    network = schema.resource("azure-native:network:VirtualNetwork")
    inline = network.inputs.properties["subnets"].shape
    assert isinstance(inline, schema.ListOf)
    assert isinstance(inline.item, schema.ObjectOf)
    assert "virtualNetworkName" not in inline.item.properties
    assert "virtualNetworkName" in schema.resource(SUBNET).inputs.properties


@pytest.mark.parametrize("token", ["azure-native:network:Nothing", "azure-native:nowhere:Subnet", "other:a:B"])
def test_a_type_that_the_sdk_does_not_have(token: str) -> None:
    with pytest.raises(schema.UnknownType):
        schema.resource(token)


@pytest.mark.parametrize(
    ("value", "fits"),
    [(3, True), (3.0, True), (3.5, False), (True, False), ("3", False), (float("inf"), False), (UNKNOWN, True)],
)
def test_integers_as_protobuf_carries_them(value: object, fits: bool) -> None:
    inputs = {"resourceGroupName": "rg", "location": "x", "flowTimeoutInMinutes": value}
    shape = schema.resource("azure-native:network:VirtualNetwork").inputs
    assert ([found.kind for found in schema.judge(inputs, shape)] == []) is fits


def test_every_mismatch_has_its_path() -> None:
    inputs = {
        "virtualNetworkName": "v",
        "addressPrefix": 5,
        "networkSecurityGroup": {"securityRules": [{"access": "Deny"}, "x"]},
        "adressPrefixes": [],
    }
    found = {(item.kind, item.path) for item in schema.judge(inputs, schema.resource(SUBNET).inputs)}
    assert found == {
        ("type", "addressPrefix"),
        ("unknown", "adressPrefixes"),
        ("missing", "resourceGroupName"),
        ("missing", "networkSecurityGroup.securityRules[0].direction"),
        ("missing", "networkSecurityGroup.securityRules[0].protocol"),
        ("type", "networkSecurityGroup.securityRules[1]"),
    }


def test_an_enum_that_the_sdk_states_as_text_is_still_one() -> None:
    inputs = {"resourceGroupName": "rg", "virtualNetworkName": "v", "privateEndpointNetworkPolicies": "enabled"}
    (found,) = schema.judge(inputs, schema.resource(SUBNET).inputs)
    assert (found.kind, found.nearest) == ("enum", "Enabled")
