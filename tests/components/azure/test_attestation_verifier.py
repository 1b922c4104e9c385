"""The verifier's machines, their one address, and Azure's own provider."""

from components.azure import Placement, attestation_verifier
from components.azure.release_plan import disk_authorities
from components.azure.roles import Role
from tests.components.azure.recorder import Recording
from tests.components.azure.region import ZERO


def test_replicas_share_one_private_address_and_name(germany: Recording) -> None:
    balancer = germany["azure-germany-verifier-lb"].inputs
    (frontend,) = balancer["frontendIPConfigurations"]
    assert balancer["sku"] == {"name": "Standard"}
    assert "publicIPAddress" not in frontend
    assert frontend["privateIPAllocationMethod"] == "Static"
    record = germany["azure-germany-verifier-record"].inputs
    assert record["aRecords"] == [{"ipv4Address": frontend["privateIPAddress"]}]
    assert f"{record['relativeRecordSetName']}.{record['privateZoneName']}" == (
        "verifier.azure-germany.bailiwick.internal"
    )
    for index in range(2):
        (address,) = germany[f"azure-germany-verifier-{index}-nic"].inputs["ipConfigurations"]
        assert address["loadBalancerBackendAddressPools"] == [
            {"id": "<azure-germany-verifier-lb.id>/backendAddressPools/verifiers"}
        ]


def test_the_balancers_rule_names_parts_that_it_has(germany: Recording) -> None:
    balancer = germany["azure-germany-verifier-lb"].inputs
    (rule,) = balancer["loadBalancingRules"]
    own = f"/loadBalancers/{balancer['loadBalancerName']}"
    for reference, parts in (
        ("frontendIPConfiguration", "frontendIPConfigurations"),
        ("backendAddressPool", "backendAddressPools"),
        ("probe", "probes"),
    ):
        name = rule[reference]["id"].partition(f"{own}/{parts}/")[2]
        assert name in {part["name"] for part in balancer[parts]}


def test_replicas_are_spread_over_the_zones(germany: Recording) -> None:
    zones = [germany[f"azure-germany-verifier-{index}-vm"].inputs["zones"] for index in range(2)]
    assert zones == [["1"], ["2"]]


def test_azures_own_provider_is_private_and_trusted_for_disks(germany: Recording, placement: Placement) -> None:
    provider = germany["azure-germany-verifier-provider"].inputs
    assert provider["properties"]["publicNetworkAccess"] == "Disabled"
    (connection,) = germany["azure-germany-verifier-provider-endpoint"].inputs["privateLinkServiceConnections"]
    assert connection["privateLinkServiceId"] == "<azure-germany-verifier-provider.id>"
    own, shared = disk_authorities(placement)
    assert own.uri == f"https://{provider['providerName']}.dewc.attest.azure.net"
    assert shared.uri == f"https://{attestation_verifier.shared_provider_host('germanywestcentral')}"
    assert (own.jurisdiction, shared.jurisdiction) == ("DE", "DE")


def test_the_broker_unwraps_with_the_model_keys_reads_collateral_and_does_nothing_else(germany: Recording) -> None:
    held = [
        (one.inputs["roleDefinitionId"], one.inputs["scope"])
        for one in germany.of_type("RoleAssignment")
        if one.inputs["principalId"] == "<azure-germany-verifier-identity-identity.principalId>"
    ]
    reading = f"/subscriptions/{ZERO}/providers/Microsoft.Authorization/roleDefinitions/{Role.BLOB_READER}"
    assert sorted(held) == [
        (reading, "<azure-germany-collateral-container.id>"),
        ("<azure-germany-keys-unwrap-role.id>", "<azure-germany-keys-model-llm.id>"),
    ]
