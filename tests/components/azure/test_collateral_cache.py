"""The vendors' collateral inside the region."""

from pathlib import Path

import pytest

from components.azure import CollateralCache, CollateralCacheArgs, Placement
from components.azure.roles import Role
from components.errors import InputError
from tests.components.azure import region
from tests.components.azure.recorder import STACK, Recording, record


@pytest.fixture
def cache(placement: Placement) -> Recording:
    args = CollateralCacheArgs(
        placement=placement,
        subnet_id="subnet",
        zone_ids={"privatelink.blob.core.windows.net": "zone"},
        readers={"verifier": "reading-principal"},
        publishers={"build": "filling-principal"},
    )
    return record(lambda: CollateralCache("cache", args))


def test_the_verifier_reads_and_the_publisher_fills(cache: Recording) -> None:
    held = {
        one.inputs["principalId"]: (one.inputs["roleDefinitionId"].rpartition("/")[2], one.inputs["scope"])
        for one in cache.of_type("authorization:RoleAssignment")
    }
    assert held == {
        "reading-principal": (Role.BLOB_READER, "<cache-container.id>"),
        "filling-principal": (Role.BLOB_CONTRIBUTOR, "<cache-container.id>"),
    }


def test_nothing_but_the_private_endpoint_reaches_it(cache: Recording) -> None:
    account = cache["cache-store"].inputs
    assert account["publicNetworkAccess"] == "Disabled"
    assert account["allowSharedKeyAccess"] is False
    assert account["sku"] == {"name": "Standard_ZRS"}, "no copy in the paired region"
    assert cache.outputs["cache"]["url"] == f"https://{account['accountName']}.blob.core.windows.net/collateral"


def test_the_region_depends_on_its_own_cache_alone(germany: Recording) -> None:
    edges = germany.outputs[f"bailiwick-{STACK}"]["jurisdictionGraph"]
    collateral = [edge["endpoint"] for edge in edges if edge["kind"] == "collateral"]
    assert len(collateral) == 2
    assert {endpoint.partition("://")[0] for endpoint in collateral} == {"https", "http"}, (
        "the cache, and the host's own"
    )


def test_a_region_without_a_cache_would_ask_abroad_and_is_refused(reference_values: Path) -> None:
    with pytest.raises(InputError, match="evidence would leave DE: collateral"):
        region.deploy(reference_values, {"collateralCache": False})
