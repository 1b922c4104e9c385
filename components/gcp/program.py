"""A Google Cloud stack's region with a provider of its own, as the stacks' program registers it."""

from pathlib import Path

import pulumi
import pulumi_gcp as gcp

import catalog
from components.component import import_ids
from components.gcp.sovereign_region import SovereignRegion, SovereignRegionArgs
from components.spec import RegionSpec


def provider(name: str, spec: RegionSpec) -> "gcp.Provider":
    """The provider of a region: of its own project, location and universe."""
    return gcp.Provider(
        name,
        project=spec.project_id,
        region=spec.location,
        universe_domain=catalog.load().cloud(spec.cloud).universe_domain,
        add_pulumi_attribution_label=False,
    )


def region(spec: RegionSpec, reference_values: Path) -> SovereignRegion:
    """Register the running stack's region, with what only its operator decides from `bailiwick-gcp:*`."""
    operator = pulumi.Config("bailiwick-gcp")
    args = SovereignRegionArgs(
        spec=spec,
        reference_values=reference_values,
        import_ids=import_ids(operator),
        project_number=operator.get("projectNumber"),
        audit_retention_locked=operator.get_bool("auditRetentionLocked") or False,
        adopt_keys=operator.get_bool("adoptKeys") or False,
    )
    return SovereignRegion(pulumi.get_stack(), args, opts=pulumi.ResourceOptions(providers=[provider("gcp", spec)]))
