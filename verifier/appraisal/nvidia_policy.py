"""The part of an appraisal policy that is about NVIDIA GPUs and NVSwitches: key `nvidia` of a policy file.

The defaults deny: measurements as NVIDIA signed them, signers valid at the time of verification, one GPU passed
through alone or encrypted links, and the attested guest's statement that confidential mode is on.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from verifier.fields import Days, Demand

Pdi = Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]
Chip = Annotated[str, Field(pattern=r"^[A-Z]{2}[0-9A-Z]{2,4}$")]
DriverVersion = Annotated[str, Field(pattern=r"^[0-9]{1,4}(\.[0-9]{1,4}){1,2}$")]
VbiosVersion = Annotated[str, Field(pattern=r"^[0-9A-F]{2}(\.[0-9A-F]{2}){4}$")]


class LinkMode(StrEnum):
    """How a GPU is passed through, and what protects its links to other GPUs."""

    SINGLE = "single"
    MULTIPLE = "multiple"
    PROTECTED_PCIE = "protected-pcie"
    UNSTATED = "unstated"


class ConfidentialMode(StrEnum):
    """What NVML says in the guest (`nvidia-smi conf-compute -f`). Reports have no field for it."""

    ON = "on"
    DEVTOOLS = "devtools"
    OFF = "off"


class SignatureTime(StrEnum):
    """When the certificates behind a RIM's signature must be valid; a RIM states no time of signature."""

    VERIFICATION = "verification"
    ISSUANCE = "issuance"


class NvidiaPolicy(BaseModel):
    """What NVIDIA devices must show to be affirmed, beyond what policies demand of every kind of evidence."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rims: Demand = Field("required", description="Whether every RIM that a device needs must be at hand.")
    rim_signature_time: SignatureTime = Field(
        SignatureTime.VERIFICATION,
        description="verification: the signers of RIMs must be valid when the evidence is verified. issuance: it is "
        "enough that they were once valid together, as signatures do not expire with a certificate of two years; "
        "`rim_signer_grace_days` and OCSP responses bound that.",
    )
    rim_signer_grace_days: Days | None = Field(
        None, description="With issuance: how many days ago the signers' validity may have ended; None: any number."
    )
    allow_certificate_hold: bool = Field(
        False, description="Whether a certificate may be on hold (OCSP certificateHold), as while a device is moved."
    )
    devices: frozenset[Pdi] | None = Field(None, description="PDIs (hex) of the acceptable devices.")
    chips: frozenset[Chip] | None = Field(None, description="Acceptable chips, for example GH100, GB100, LS10.")
    gpus: int | None = Field(None, ge=0, le=64, description="How many GPUs there must be.")
    switches: int | None = Field(None, ge=0, le=64, description="How many NVSwitches there must be.")

    modes: frozenset[LinkMode] = Field(
        frozenset({LinkMode.SINGLE, LinkMode.MULTIPLE}),
        description="Acceptable modes of GPUs. protected-pcie trusts NVLink and the NVSwitches, whose evidence must "
        "then be there and whose links must close; unstated: some drivers (535; 575 on Blackwell) do not say.",
    )
    stated_mode: Demand = Field(
        "required",
        description="Whether the attested guest must state the confidential mode; devtools and off are never accepted.",
    )
    minimum_driver: DriverVersion | None = Field(None, description="Lowest driver version, for example 580.95.05.")
    minimum_vbios: Mapping[Chip, VbiosVersion] | None = Field(
        None, description="Chip → lowest VBIOS version; a chip that is not listed is not acceptable."
    )
    allow_padding: bool = Field(True, description="Whether zero bytes may follow a report.")
