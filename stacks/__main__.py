"""The Pulumi program: one sovereign region, from the stack file of the selected stack.

Besides `bailiwick:*`, a region in a real account reads keys that belong to the one who operates it:
`bailiwick-azure:orchestratorPrincipalId` and `clusterAdminGroupIds`, `bailiwick-aws:xksAccessKeyId` and
`xksSecretAccessKey` (both secret, for an external key manager; see `SovereignRegionArgs`), and, on every cloud,
`bailiwick-<provider>:importIds`, what exists already and is taken over (`{keys-vault: <its id>}`), and, from the second
deployment on, `bailiwick-<provider>:auditRetentionLocked`, which cannot be taken back.
"""

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import pulumi

from components.errors import InputError
from components.naming import InvalidName
from components.reference_values import ReferenceValuesError
from components.release import ReleasePolicyError
from components.spec import RegionSpec, SpecError

REFERENCE_VALUES = Path(__file__).parent / "reference-values"

PROGRAMS = {
    "azure": "components.azure.program",
    "gcp": "components.gcp.program",
    "aws": "components.aws.program",
    "kubernetes": "components.kubernetes.program",
}
"""Module with `region(spec, reference_values)` by provider: imported when needed, for a provider's SDK is large."""


def outputs() -> Mapping[str, Any]:
    """Register the stack's region; returns what the stack exports."""
    spec = RegionSpec.from_pulumi_config(reference_values=REFERENCE_VALUES)
    exported: Mapping[str, Any] = import_module(PROGRAMS[spec.provider]).region(spec, REFERENCE_VALUES).outputs
    return exported


try:
    for name, value in outputs().items():
        pulumi.export(name, value)
except (SpecError, InputError, InvalidName, ReferenceValuesError, ReleasePolicyError) as error:
    raise pulumi.RunError(str(error)) from None
