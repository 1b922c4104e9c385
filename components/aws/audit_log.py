"""Where a region's audit trail is kept so that nobody can change or delete it."""

from dataclasses import dataclass

import pulumi
from pulumi_aws import cloudtrail, cloudwatch, s3

from components.aws.bucket import private_bucket
from components.aws.placement import Placement
from components.aws.policies import Statement
from components.component import Component, ComponentArgs
from components.retention import check_retention

TYPE = "bailiwick:index:AwsAuditLog"
LONGEST_RETENTION_DAYS = 36_500
"""AWS's limit on the retention period of S3 Object Lock, in days."""
_LOG_GROUP_DAYS = (365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653)
"""Retention periods that CloudWatch Logs has (API reference, PutRetentionPolicy), from a year on."""


@dataclass(frozen=True, slots=True)
class AuditLogArgs(ComponentArgs):
    """Inputs of `AuditLog`."""

    placement: Placement
    """Where the log is kept."""
    retention_days: int
    """How long a record cannot be changed or deleted, in days; 183 to 36500."""
    key_id: pulumi.Input[str]
    """ARN of the key under which records are encrypted."""
    retention_locked: bool = False
    """Make the retention irreversible: S3 Object Lock in compliance mode, which not even the account's root can
    shorten. Off, the mode is governance: whoever has `s3:BypassGovernanceRetention` can still delete a record."""
    destroyable: bool = False
    """Weakness: `destroy` deletes the store. For emulated regions. Off, Pulumi refuses to."""


class AuditLog(Component):
    """`bailiwick:index:AwsAuditLog`: write-once storage for audit records, a trail that fills it, and a log group.

    Creates a bucket with S3 Object Lock for `retention_days`; a CloudTrail trail of this region that records every use
    of a key, every change and every access to an object of the account's buckets, with signed digests; and a log group
    for the region's own services.

    Guarantees: no record is altered or deleted before its retention ends; records stay in the region; a missing or
    changed file shows in the digests; only CloudTrail, for this trail, may write.

    Does not: record other regions. What is done to a global service (IAM, Route 53, Organizations) is recorded where
    AWS runs it; the trail includes those events where this region is that place.
    """

    account_id: pulumi.Output[str]
    """ARN of the write-once bucket."""
    account_name: pulumi.Output[str]
    """Name of that bucket."""
    workspace_id: pulumi.Output[str]
    """ARN of the log group."""

    def __init__(self, name: str, args: AuditLogArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        check_retention(TYPE, args.retention_days, LONGEST_RETENTION_DAYS)
        placement = args.placement
        trail_name = placement.name("trail", "audit")
        bucket_name = self.account_name_in(placement)
        super().__init__(TYPE, name, args, opts)
        kept = not args.destroyable
        keep = pulumi.ResourceOptions(parent=self, protect=kept, retain_on_delete=kept)
        store = private_bucket(
            f"{name}-store",
            placement=placement,
            bucket_name=bucket_name,
            key_arn=args.key_id,
            statements=_trail_writes(placement, bucket_name, trail_name),
            object_lock=s3.BucketObjectLockConfigurationRuleDefaultRetentionArgs(
                mode="COMPLIANCE" if args.retention_locked else "GOVERNANCE", days=args.retention_days
            ),
            opts=keep,
        )
        group = cloudwatch.LogGroup(
            f"{name}-workspace",
            name=self.workspace_name_in(placement),
            region=placement.location,
            retention_in_days=next((days for days in _LOG_GROUP_DAYS if days >= args.retention_days), 0),
            kms_key_id=args.key_id,
            tags=placement.tag_mapping,
            opts=keep,
        )
        cloudtrail.Trail(
            f"{name}-trail",
            name=trail_name,
            region=placement.location,
            s3_bucket_name=store.bucket.id,
            kms_key_id=args.key_id,
            enable_log_file_validation=True,
            include_global_service_events=True,
            is_multi_region_trail=False,
            advanced_event_selectors=[
                _events("management", "Management"),
                _events("objects", "Data", "AWS::S3::Object"),
            ],
            tags=placement.tag_mapping,
            # CloudTrail tries the bucket before it takes it: its policy must be there.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[store.policy]),
        )
        self.account_id = store.bucket.arn
        self.account_name = store.bucket.bucket
        self.workspace_id = group.arn
        self.register_outputs(
            {"accountId": self.account_id, "accountName": self.account_name, "workspaceId": self.workspace_id}
        )

    @staticmethod
    def account_name_in(placement: Placement) -> str:
        """Name of the region's bucket for audit records."""
        return placement.bucket_name("audit")

    @staticmethod
    def workspace_name_in(placement: Placement) -> str:
        """Name of the region's log group."""
        return f"/bailiwick/{placement.name('log group', 'audit')}"


def _events(name: str, category: str, resource_type: str | None = None) -> "cloudtrail.TrailAdvancedEventSelectorArgs":
    fields = [cloudtrail.TrailAdvancedEventSelectorFieldSelectorArgs(field="eventCategory", equals=[category])]
    if resource_type is not None:
        fields.append(
            cloudtrail.TrailAdvancedEventSelectorFieldSelectorArgs(field="resources.type", equals=[resource_type])
        )
    return cloudtrail.TrailAdvancedEventSelectorArgs(name=name, field_selectors=fields)


def _trail_writes(placement: Placement, bucket_name: str, trail_name: str) -> list[Statement]:
    """CloudTrail reads the bucket's access list and writes this trail's files into it."""
    arn = placement.bucket_arn(bucket_name)
    trail = {"StringEquals": {"aws:SourceArn": placement.arn("cloudtrail", f"trail/{trail_name}")}}
    service = {"Service": "cloudtrail.amazonaws.com"}
    return [
        {
            "Sid": "TrailLooks",
            "Effect": "Allow",
            "Principal": service,
            "Action": "s3:GetBucketAcl",
            "Resource": arn,
            "Condition": trail,
        },
        {
            "Sid": "TrailWrites",
            "Effect": "Allow",
            "Principal": service,
            "Action": "s3:PutObject",
            "Resource": f"{arn}/AWSLogs/{placement.account_id}/*",
            "Condition": trail,
        },
    ]
