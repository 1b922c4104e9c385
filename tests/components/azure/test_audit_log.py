"""The audit log."""

import dataclasses

import pytest

from components.azure import AuditLog, AuditLogArgs, Placement
from components.errors import InputError
from tests.components.azure.recorder import Recording, record


@pytest.fixture
def args(placement: Placement) -> AuditLogArgs:
    return AuditLogArgs(
        placement=placement,
        retention_days=365,
        subnet_id="subnet",
        zone_ids={"privatelink.blob.core.windows.net": "zone"},  # type: ignore[dict-item]
    )


@pytest.fixture
def log(args: AuditLogArgs) -> Recording:
    return record(lambda: AuditLog("audit", args))


def test_records_are_immutable_for_the_retention(log: Recording) -> None:
    kept = log["audit-store"].inputs["immutableStorageWithVersioning"]
    assert kept["enabled"] is True
    assert kept["immutabilityPolicy"] == {
        "allowProtectedAppendWrites": True,
        "immutabilityPeriodSinceCreationInDays": 365,
        "state": "Unlocked",
    }


def test_the_retention_is_locked_on_request(args: AuditLogArgs) -> None:
    locked = record(lambda: AuditLog("audit", dataclasses.replace(args, retention_locked=True)))
    assert locked["audit-store"].inputs["immutableStorageWithVersioning"]["immutabilityPolicy"]["state"] == "Locked"


def test_only_the_platforms_log_writer_passes_the_firewall(log: Recording) -> None:
    store = log["audit-store"].inputs
    assert store["publicNetworkAccess"] == "Disabled"
    assert store["networkRuleSet"] == {"defaultAction": "Deny", "bypass": "AzureServices"}
    assert (store["allowSharedKeyAccess"], store["allowBlobPublicAccess"]) == (False, False)
    assert store["sku"] == {"name": "Standard_ZRS"}
    workspace = log["audit-workspace"].inputs
    assert workspace["publicNetworkAccessForIngestion"] == workspace["publicNetworkAccessForQuery"] == "Disabled"


def test_the_workspace_keeps_what_azure_lets_it(args: AuditLogArgs) -> None:
    long = record(lambda: AuditLog("audit", dataclasses.replace(args, retention_days=3650)))
    assert long["audit-workspace"].inputs["retentionInDays"] == 730
    policy = long["audit-store"].inputs["immutableStorageWithVersioning"]["immutabilityPolicy"]
    assert policy["immutabilityPeriodSinceCreationInDays"] == 3650


@pytest.mark.parametrize(("days", "nearest"), [(182, 183), (0, 183), (146_001, 146_000)])
def test_a_retention_outside_law_and_platform_is_refused(args: AuditLogArgs, days: int, nearest: int) -> None:
    with pytest.raises(InputError, match=f"retention_days: {days} .*; nearest supported: {nearest}"):
        record(lambda: AuditLog("audit", dataclasses.replace(args, retention_days=days)))
