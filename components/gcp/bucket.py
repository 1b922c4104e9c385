"""The bucket that audit log, models and collateral share the shape of: private, in one region."""

import pulumi
from pulumi_gcp import storage

from components.gcp.placement import Placement


def private_bucket(
    name: str,
    *,
    placement: Placement,
    bucket_name: str,
    retention: "storage.BucketRetentionPolicyArgs | None" = None,
    opts: pulumi.ResourceOptions,
) -> "storage.Bucket":
    """Create a bucket in the placement's region that no public grant can open and that IAM alone governs.

    A location that is a region keeps every copy there; `EU` or a dual-region would span countries.
    """
    return storage.Bucket(
        name,
        name=bucket_name,
        project=placement.project_id,
        location=placement.location.upper(),
        storage_class="STANDARD",
        uniform_bucket_level_access=True,
        public_access_prevention="enforced",
        force_destroy=False,
        retention_policy=retention,
        labels=placement.labels,
        opts=opts,
    )
