"""An AWS stack's region with a provider of its own, as the stacks' program registers it."""

from pathlib import Path

import pulumi
import pulumi_aws as aws

from components.aws.external_keys import XksCredential
from components.aws.sovereign_region import SovereignRegion, SovereignRegionArgs
from components.component import import_ids
from components.spec import RegionSpec


def provider(name: str, spec: RegionSpec) -> "aws.Provider":
    """The provider of a region: it takes the region's account and no other, whoever is logged in, and its own STS."""
    return aws.Provider(
        name,
        region=spec.location,
        allowed_account_ids=[spec.account_id],
        sts_region=spec.location,
    )


def region(spec: RegionSpec, reference_values: Path) -> SovereignRegion:
    """Register the running stack's region, with what only its operator decides from `bailiwick-aws:*`."""
    operator = pulumi.Config("bailiwick-aws")
    args = SovereignRegionArgs(
        spec=spec,
        reference_values=reference_values,
        import_ids=import_ids(operator),
        audit_retention_locked=operator.get_bool("auditRetentionLocked") or False,
        external_credential=_external_credential(operator),
        guard_target_id=operator.get("guardTargetId"),
    )
    return SovereignRegion(pulumi.get_stack(), args, opts=pulumi.ResourceOptions(providers=[provider("aws", spec)]))


def _external_credential(operator: pulumi.Config) -> XksCredential | None:
    """The credential of the external key manager's proxy, where the operator has set both halves."""
    key_id, secret = operator.get_secret("xksAccessKeyId"), operator.get_secret("xksSecretAccessKey")
    return XksCredential(key_id, secret) if key_id is not None and secret is not None else None
