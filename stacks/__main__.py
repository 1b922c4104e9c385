"""The Pulumi program: one sovereign region, from the stack file of the selected stack.

Besides `bailiwick:*`, a region in a real subscription reads two keys that belong to the one who operates it:
`bailiwick-azure:orchestratorPrincipalId` (see `SovereignRegionArgs`), and, from the second deployment on,
`bailiwick-azure:auditRetentionLocked`, which cannot be taken back.
"""

from pathlib import Path

import pulumi
import pulumi_azure_native as azure_native

import catalog
from components.azure import SovereignRegion, SovereignRegionArgs, drop_version_aliases
from components.errors import InputError
from components.naming import InvalidName
from components.reference_values import ReferenceValuesError
from components.release import ReleasePolicyError
from components.spec import RegionSpec, SpecError

REFERENCE_VALUES = Path(__file__).parent / "reference-values"


def region() -> SovereignRegion:
    """Register the stack's region with a provider of its own, so that nothing depends on who is logged in where."""
    spec = RegionSpec.from_pulumi_config(reference_values=REFERENCE_VALUES)
    pulumi.runtime.register_stack_transformation(drop_version_aliases)
    stack = pulumi.get_stack()
    provider = azure_native.Provider(
        "azure",
        subscription_id=spec.subscription_id,
        tenant_id=spec.tenant_id,
        location=spec.location,
        environment=catalog.load().cloud(spec.cloud).environment,
        disable_pulumi_partner_id=True,
    )
    operator = pulumi.Config("bailiwick-azure")
    args = SovereignRegionArgs(
        spec=spec,
        reference_values=REFERENCE_VALUES,
        orchestrator_principal_id=operator.get("orchestratorPrincipalId"),
        audit_retention_locked=operator.get_bool("auditRetentionLocked") or False,
    )
    return SovereignRegion(stack, args, opts=pulumi.ResourceOptions(providers=[provider]))


try:
    for name, value in region().outputs.items():
        pulumi.export(name, value)
except (SpecError, InputError, InvalidName, ReferenceValuesError, ReleasePolicyError) as error:
    raise pulumi.RunError(str(error)) from None
