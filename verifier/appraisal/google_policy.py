"""The part of an appraisal policy that is about Google's confidential VMs: key `google` of a policy file."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Demand = Literal["required", "if-given"]
Svn = Annotated[int, Field(ge=0, lt=1 << 32)]


class GooglePolicy(BaseModel):
    """What Google must have signed about the firmware that a report or a TD measures."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    launch_endorsement: Demand = Field(
        "if-given",
        description="Whether Google must have endorsed the measurement of the firmware. It says whose firmware it is, "
        "not what booted: reference values do.",
    )
    minimum_svn: Svn = Field(0, description="Lowest security version of the firmware, as Google counts.")
