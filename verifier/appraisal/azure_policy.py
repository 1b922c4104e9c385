"""The part of an appraisal policy that is about Azure confidential VMs: key `azure` of a policy file.

The CPU's measurements identify Microsoft's paravisor; what booted in the VM is known by the vTPM's PCRs alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from verifier.fields import Demand, Hex32, Register

VmId = Annotated[str, Field(pattern=r"^[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}$")]


class AzurePolicy(BaseModel):
    """What an Azure confidential VM must show to be affirmed, beyond what policies demand of its CPU's report."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    vtpm_quote: Demand = Field(
        "required",
        description="Whether there must be a quote by the vTPM. Without one the CPU's report dates from the boot, and "
        "freshness can only come from the `user-data` of the runtime claims.",
    )
    pcrs: Mapping[Register, frozenset[Hex32]] | None = Field(
        None,
        description="PCR → acceptable SHA-256 values (hex); each must be quoted. None: signed reference values with "
        "PCRs alone say which image it is.",
    )
    event_log: Demand = Field("if-given", description="Whether the vTPM's event log must come with the quote.")
    require_secure_boot: bool = Field(True, description="Whether Secure Boot must be on.")
    allow_console: bool = Field(
        True, description="Whether the VM may have a serial console, which is the host's; Azure's usually have one."
    )
    vm_ids: frozenset[VmId] | None = Field(None, description="Acceptable vmUniqueIds (UUIDs in capitals).")
