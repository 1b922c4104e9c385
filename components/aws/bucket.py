"""The bucket that audit log, models and collateral share the shape of: private, encrypted, in one region."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_aws import s3

from components.aws.placement import Placement
from components.aws.policies import Statement, document


@dataclass(frozen=True, slots=True)
class PrivateBucket:
    """A bucket, and its policy for what must wait until that holds."""

    bucket: "s3.Bucket"
    policy: "s3.BucketPolicy"


def private_bucket(
    name: str,
    *,
    placement: Placement,
    bucket_name: str,
    key_arn: pulumi.Input[str],
    statements: Sequence[Statement] = (),
    object_lock: "s3.BucketObjectLockConfigurationRuleDefaultRetentionArgs | None" = None,
    opts: pulumi.ResourceOptions,
) -> PrivateBucket:
    """Create a bucket that no public grant opens and that answers over TLS only, under one key of the region.

    `statements` are added to its policy. With `object_lock` no version can be changed or deleted before its time: it
    is part of how the bucket is made and cannot come later. Children are `name` and `name-<setting>`.
    """
    region = placement.location
    part = pulumi.ResourceOptions(parent=opts.parent)
    bucket = s3.Bucket(
        name,
        bucket=bucket_name,
        region=region,
        object_lock_enabled=object_lock is not None,
        force_destroy=False,
        tags=placement.tag_mapping,
        opts=opts,
    )
    public = s3.BucketPublicAccessBlock(
        f"{name}-access",
        bucket=bucket.id,
        region=region,
        block_public_acls=True,
        block_public_policy=True,
        ignore_public_acls=True,
        restrict_public_buckets=True,
        opts=part,
    )
    s3.BucketOwnershipControls(
        f"{name}-ownership",
        bucket=bucket.id,
        region=region,
        rule=s3.BucketOwnershipControlsRuleArgs(object_ownership="BucketOwnerEnforced"),
        opts=part,
    )
    s3.BucketServerSideEncryptionConfiguration(
        f"{name}-encryption",
        bucket=bucket.id,
        region=region,
        rules=[
            s3.BucketServerSideEncryptionConfigurationRuleArgs(
                apply_server_side_encryption_by_default=s3.BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultArgs(
                    sse_algorithm="aws:kms", kms_master_key_id=key_arn
                ),
                bucket_key_enabled=True,
            )
        ],
        opts=part,
    )
    versioning = s3.BucketVersioning(
        f"{name}-versioning",
        bucket=bucket.id,
        region=region,
        versioning_configuration=s3.BucketVersioningVersioningConfigurationArgs(status="Enabled"),
        opts=part,
    )
    if object_lock is not None:
        s3.BucketObjectLockConfiguration(
            f"{name}-lock",
            bucket=bucket.id,
            region=region,
            rule=s3.BucketObjectLockConfigurationRuleArgs(default_retention=object_lock),
            opts=pulumi.ResourceOptions(parent=opts.parent, depends_on=[versioning]),
        )
    policy = s3.BucketPolicy(
        f"{name}-policy",
        bucket=bucket.id,
        region=region,
        policy=document([_tls_only(placement, bucket_name), *statements]),
        opts=pulumi.ResourceOptions(parent=opts.parent, depends_on=[public]),
    )
    return PrivateBucket(bucket, policy)


def _tls_only(placement: Placement, bucket_name: str) -> Statement:
    arn = placement.bucket_arn(bucket_name)
    return {
        "Sid": "TlsOnly",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [arn, f"{arn}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
