"""The stores of a region: audit log, models, collateral; and the guard over its project."""

import pytest

from components.errors import InputError
from components.gcp import (
    AuditLog,
    AuditLogArgs,
    CollateralCache,
    CollateralCacheArgs,
    Placement,
    ResidencyGuard,
    ResidencyGuardArgs,
)
from tests.components.gcp import region


def test_audit_records_cannot_be_changed_and_stay(placement: Placement) -> None:
    found = region.record(lambda: AuditLog("audit", AuditLogArgs(placement, retention_days=365)))
    store, log = found["audit-store"], found["audit-workspace"]
    assert store.inputs["retentionPolicy"] == {"retentionPeriod": "31536000", "isLocked": False}
    assert (log.inputs["location"], log.inputs["retentionDays"]) == ("europe-west3", 365)
    assert all(one.options == {"protect": True, "retainOnDelete": True} for one in (store, log))


def test_a_locked_log_is_locked_in_both_stores(placement: Placement) -> None:
    found = region.record(lambda: AuditLog("audit", AuditLogArgs(placement, 365, retention_locked=True)))
    assert found["audit-store"].inputs["retentionPolicy"]["isLocked"] is True
    assert found["audit-workspace"].inputs["locked"] is True


@pytest.mark.parametrize(("days", "nearest"), [(182, 183), (3651, 3650)])
def test_a_retention_that_law_or_cloud_forbid_is_refused(placement: Placement, days: int, nearest: int) -> None:
    with pytest.raises(InputError, match=f"{days} is not between 183 and 3650 days; nearest supported: {nearest}"):
        region.record(lambda: AuditLog("audit", AuditLogArgs(placement, retention_days=days)))


def test_every_use_of_a_key_is_recorded(placement: Placement) -> None:
    found = region.record(lambda: AuditLog("audit", AuditLogArgs(placement, retention_days=365)))
    recorded = found["audit-cloudkms"].inputs
    assert recorded["service"] == "cloudkms.googleapis.com"
    assert {one["logType"] for one in recorded["auditLogConfigs"]} == {"ADMIN_READ", "DATA_READ", "DATA_WRITE"}


def test_the_cache_is_read_and_filled_by_whom_it_names(placement: Placement) -> None:
    args = CollateralCacheArgs(
        placement, readers={"verifier": "serviceAccount:v"}, publishers={"ci": "serviceAccount:p"}
    )
    found = region.record(lambda: CollateralCache("cache", args))
    assert found["cache-read-verifier"].inputs["role"] == "roles/storage.objectViewer"
    assert found["cache-fill-ci"].inputs["role"] == "roles/storage.objectUser"


def test_the_guard_holds_the_region_and_not_all_of_europe(placement: Placement) -> None:
    found = region.record(lambda: ResidencyGuard("guard", ResidencyGuardArgs(placement)))
    (rule,) = found["guard-resource-locations"].inputs["spec"]["rules"]
    assert rule == {"values": {"allowedValues": ["in:europe-west3-locations"]}}
    (rule,) = found["guard-non-confidential-computing"].inputs["spec"]["rules"]
    assert rule == {"values": {"deniedValues": ["compute.googleapis.com", "container.googleapis.com"]}}


def test_plain_machines_are_let_in_only_by_name(placement: Placement) -> None:
    found = region.record(lambda: ResidencyGuard("guard", ResidencyGuardArgs(placement, plain_machines_allowed=True)))
    assert "guard-non-confidential-computing" not in {one.name for one in found.registrations}
