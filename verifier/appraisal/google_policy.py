"""The part of an appraisal policy that is about Google's confidential VMs: key `google` of a policy file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from verifier.fields import Demand, Hex32, Register

Svn = Annotated[int, Field(ge=0, lt=1 << 32)]


class GooglePolicy(BaseModel):
    """What Google must have signed about the firmware that a report or a TD measures, and what its vTPMs must show."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    launch_endorsement: Demand = Field(
        "if-given",
        description="Whether Google must have endorsed the measurement of the firmware. It says whose firmware it is, "
        "not what booted: reference values do.",
    )
    minimum_svn: Svn = Field(0, description="Lowest security version of the firmware, as Google counts.")
    pcrs: Mapping[Register, frozenset[Hex32]] | None = Field(
        None,
        description="PCR of a vTPM → acceptable SHA-256 values (hex); each must be quoted. None: what booted is not "
        "known, which `reference_values: if-given` alone accepts. Beside a processor's report the firmware that it "
        "measures must be known, too.",
    )
    require_secure_boot: bool = Field(
        True, description="Whether a vTPM's event log must come, and say that Secure Boot is on."
    )
    projects: frozenset[str] | None = Field(None, description="Projects whose instances' vTPMs are acceptable.")
