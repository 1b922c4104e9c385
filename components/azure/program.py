"""An Azure stack's region with a provider of its own, as the stacks' program registers it."""

from pathlib import Path

import pulumi
import pulumi_azure_native as azure_native

import catalog
from components.azure.aliases import drop_version_aliases
from components.azure.sovereign_region import SovereignRegion, SovereignRegionArgs
from components.component import import_ids
from components.spec import RegionSpec


def provider(name: str, spec: RegionSpec) -> "azure_native.Provider":
    """The provider of a region: of its own subscription, tenant and location."""
    return azure_native.Provider(
        name,
        subscription_id=spec.subscription_id,
        tenant_id=spec.tenant_id,
        location=spec.location,
        environment=catalog.load().cloud(spec.cloud).environment,
        disable_pulumi_partner_id=True,
    )


def region(spec: RegionSpec, reference_values: Path) -> SovereignRegion:
    """Register the running stack's region, with what only its operator decides from `bailiwick-azure:*`."""
    pulumi.runtime.register_stack_transformation(drop_version_aliases)
    operator = pulumi.Config("bailiwick-azure")
    args = SovereignRegionArgs(
        spec=spec,
        reference_values=reference_values,
        import_ids=import_ids(operator),
        orchestrator_principal_id=operator.get("orchestratorPrincipalId"),
        audit_retention_locked=operator.get_bool("auditRetentionLocked") or False,
        cluster_admin_group_ids=operator.get_object("clusterAdminGroupIds") or (),
        guard_subscription=operator.get_bool("guardSubscription") or False,
    )
    return SovereignRegion(pulumi.get_stack(), args, opts=pulumi.ResourceOptions(providers=[provider("azure", spec)]))
