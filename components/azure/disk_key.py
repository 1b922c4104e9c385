"""A key for confidential OS disks, as a disk encryption set takes it from a vault or from a Managed HSM."""

from dataclasses import dataclass

import pulumi

from components.azure.hsm_roles import HsmGrant
from components.azure.workload_identity import Grant


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskKey:
    """One key, and the rights to it that others need."""

    url: pulumi.Input[str]
    """URL of the key with its version."""
    vault_id: pulumi.Input[str] | None
    """ARM id of the vault that holds it; None for a Managed HSM, which a disk encryption set finds by the URL."""
    wrap: Grant | HsmGrant
    """The right to wrap and unwrap with it."""
    release: Grant | HsmGrant
    """The right to ask for its release; its release policy still decides."""
