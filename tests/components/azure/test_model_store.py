"""The store for encrypted models."""

from components.azure import ModelStore, ModelStoreArgs, Placement
from tests.components.azure.recorder import record


def test_models_are_reached_privately_and_without_keys(placement: Placement) -> None:
    zones = {"privatelink.blob.core.windows.net": "zone"}
    args = ModelStoreArgs(placement=placement, subnet_id="subnet", zone_ids=zones)  # type: ignore[arg-type]
    found = record(lambda: ModelStore("models", args))
    store = found["models-store"].inputs
    assert store["networkRuleSet"] == {"defaultAction": "Deny", "bypass": "None"}
    assert store["publicNetworkAccess"] == "Disabled"
    assert store["allowSharedKeyAccess"] is False
    assert store["minimumTlsVersion"] == "TLS1_2"
    assert "immutableStorageWithVersioning" not in store
    container = found["models-container"].inputs
    assert (container["containerName"], container["publicAccess"]) == ("models", "None")
    assert container["accountName"] == store["accountName"] == ModelStore.account_name_in(placement)
