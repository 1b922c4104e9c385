"""The buckets: audit log, models, collateral; and the guard and the identity beside them."""

import dataclasses
import json

import pytest

from components.aws import (
    AuditLog,
    AuditLogArgs,
    CollateralCache,
    CollateralCacheArgs,
    Grant,
    ModelStore,
    ModelStoreArgs,
    Placement,
    ResidencyGuard,
    ResidencyGuardArgs,
    WorkloadIdentity,
    WorkloadIdentityArgs,
)
from components.errors import InputError
from tests.components.aws import region


@pytest.fixture
def audit_args(placement: Placement) -> AuditLogArgs:
    return AuditLogArgs(placement=placement, retention_days=365, key_id="key")


class TestAuditLog:
    def test_records_cannot_be_changed_for_their_retention(self, audit_args: AuditLogArgs) -> None:
        audit = region.record(lambda: AuditLog("audit", audit_args))
        assert audit["audit-store"].inputs["objectLockEnabled"] is True
        assert audit["audit-store"].inputs["forceDestroy"] is False
        assert audit["audit-store-lock"].inputs["rule"]["defaultRetention"] == {"mode": "GOVERNANCE", "days": 365}

    def test_a_locked_retention_is_nobodys_to_shorten(self, audit_args: AuditLogArgs) -> None:
        locked = dataclasses.replace(audit_args, retention_locked=True)
        lock = region.record(lambda: AuditLog("audit", locked))["audit-store-lock"].inputs
        assert lock["rule"]["defaultRetention"]["mode"] == "COMPLIANCE"

    def test_the_trail_is_of_this_region_signed_and_encrypted(self, audit_args: AuditLogArgs) -> None:
        trail = region.record(lambda: AuditLog("audit", audit_args))["audit-trail"]
        assert trail.inputs["isMultiRegionTrail"] is False
        assert trail.inputs["enableLogFileValidation"] is True
        assert trail.inputs["kmsKeyId"] == "key"
        assert "audit-store-policy" in trail.depends_on

    def test_only_this_trail_writes(self, audit_args: AuditLogArgs) -> None:
        policy = region.record(lambda: AuditLog("audit", audit_args))["audit-store-policy"].inputs["policy"]
        writes = region.statements(policy)["TrailWrites"]
        source = "arn:aws:cloudtrail:eu-west-1:000000000000:trail/aws-ireland-audit"
        assert writes["Condition"] == {"StringEquals": {"aws:SourceArn": source}}

    @pytest.mark.parametrize(("days", "group_days"), [(365, 365), (366, 400), (3650, 3653)])
    def test_the_log_group_keeps_at_least_as_long(self, audit_args: AuditLogArgs, days: int, group_days: int) -> None:
        longer = dataclasses.replace(audit_args, retention_days=days)
        group = region.record(lambda: AuditLog("audit", longer))["audit-workspace"].inputs
        assert group["retentionInDays"] == group_days

    def test_less_than_the_law_asks_is_refused(self, audit_args: AuditLogArgs) -> None:
        with pytest.raises(InputError, match="nearest supported: 183"):
            region.record(lambda: AuditLog("audit", dataclasses.replace(audit_args, retention_days=30)))


def test_a_store_is_private_encrypted_and_answers_over_tls_only(placement: Placement) -> None:
    store = region.record(lambda: ModelStore("m", ModelStoreArgs(placement=placement, key_id="key")))
    access = store["m-store-access"].inputs
    assert all(access[name] for name in access if name.startswith(("block", "ignore", "restrict")))
    (rule,) = store["m-store-encryption"].inputs["rules"]
    assert rule["applyServerSideEncryptionByDefault"] == {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": "key"}
    refused = region.statements(store["m-store-policy"].inputs["policy"])["TlsOnly"]
    assert (refused["Effect"], refused["Principal"]) == ("Deny", "*")
    assert refused["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_the_collateral_cache_is_read_by_the_verifier_only(placement: Placement) -> None:
    args = CollateralCacheArgs(placement=placement, key_id="key", readers={"verifier": "the-role"}, publishers={})
    cache = region.record(lambda: CollateralCache("c", args))
    (grant,) = cache.of_type(":RolePolicy")
    (statement,) = json.loads(grant.inputs["policy"])["Statement"]
    assert (grant.inputs["role"], statement["Action"]) == ("the-role", ["s3:GetObject"])
    assert CollateralCache.url_in(placement).endswith(".s3.eu-west-1.amazonaws.com")


def test_an_identity_has_its_grants_and_no_other_way_in(placement: Placement) -> None:
    grant = Grant("read", ["s3:GetObject"], "arn:aws:s3:::models/models/*")
    identity = region.record(lambda: WorkloadIdentity("w", WorkloadIdentityArgs(placement, "worker", [grant])))
    trust = json.loads(identity["w-role"].inputs["assumeRolePolicy"])["Statement"]
    assert trust == [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]
    assert json.loads(identity["w-read"].inputs["policy"])["Statement"] == [
        {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": "arn:aws:s3:::models/models/*"}
    ]


class TestResidencyGuard:
    def test_denies_every_other_region(self, placement: Placement) -> None:
        guard = region.record(lambda: ResidencyGuard("g", ResidencyGuardArgs(placement=placement)))
        statement = region.statements(guard["g-residency"].inputs["content"])["OneRegion"]
        assert statement["Condition"] == {"StringNotEquals": {"aws:RequestedRegion": "eu-west-1"}}
        assert "iam:*" in statement["NotAction"]
        assert guard["g-residency-attachment"].inputs["targetId"] == "000000000000"

    def test_denies_machines_without_snp_where_aws_can_tell(self, placement: Placement) -> None:
        guard = region.record(lambda: ResidencyGuard("g", ResidencyGuardArgs(placement=placement)))
        statement = region.statements(guard["g-confidential"].inputs["content"])["OnlySevSnp"]
        assert statement["Condition"] == {"StringNotEquals": {"ec2:CpuOptionsAmdSevSnp": "enabled"}}

    def test_does_not_pretend_where_aws_cannot(self) -> None:
        args = ResidencyGuardArgs(placement=region.placement(location="eu-central-1"))
        guard = region.record(lambda: ResidencyGuard("g", args))
        assert set(region.statements(guard["g-confidential"].inputs["content"])) == {"TrailStays"}

    def test_fits_into_a_service_control_policy(self, placement: Placement) -> None:
        guard = region.record(lambda: ResidencyGuard("g", ResidencyGuardArgs(placement=placement)))
        assert all(len(policy.inputs["content"]) < 5_120 for policy in guard.of_type(":Policy"))
