"""Types of the fields that policies and reference values share."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from verifier.snp.product import Tcb

Demand = Literal["required", "if-given"]
"""required: without it the result is not affirming. if-given: without it no claim is made."""

Byte = Annotated[int, Field(ge=0, le=255)]
Days = Annotated[int, Field(ge=0, le=36_500)]

Hex16 = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
"""16 bytes in hex, lower case; likewise the others."""
Hex32 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Hex48 = Annotated[str, Field(pattern=r"^[0-9a-f]{96}$")]


def _of_a_key(digest: str) -> str:
    if not digest.strip("0"):
        raise ValueError("zeros are the digest of a launch that nobody signed, and no key's")
    return digest


LaunchKey = Annotated[Hex48, AfterValidator(_of_a_key)]
"""SHA-384 of the key that signed a launch, or of the one that signed that key (SEV-SNP ABI, 7.3, ID_KEY_DIGEST and
AUTHOR_KEY_DIGEST)."""
Register = Annotated[int, Field(ge=0, le=23)]
"""Index of a PCR."""
NitroRegister = Annotated[int, Field(ge=0, le=31)]
"""Index of a PCR of the Nitro System, which may have more of them than a TPM."""
ChipId = Annotated[str, Field(pattern=r"^([0-9a-f]{16}|[0-9a-f]{128})$")]
"""CHIP_ID in hex: 64 bytes, or the 8 significant ones of a Turin."""


class TcbFloor(BaseModel):
    """Lowest security versions (AMD 56860, 2.2); a component that is not set may be anything."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    fmc: Byte = 0
    bootloader: Byte = 0
    tee: Byte = 0
    snp: Byte = 0
    microcode: Byte = 0

    @cached_property
    def tcb(self) -> Tcb:
        """The floor as a TCB."""
        return Tcb(self.fmc, self.bootloader, self.tee, self.snp, self.microcode)
