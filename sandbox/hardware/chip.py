"""Emulated processors: which chip a host has, and which firmware versions (TCB) it runs."""

import hashlib
from dataclasses import dataclass, field
from typing import Final

PRODUCT_NAME: Final = "Milan-B0"
"""productName of the VCEK, AMD 57230 table "VCEK certificate extensions"."""

CPUID: Final = (0x19, 0x01, 0x01)
"""CPUID family, model and stepping of a Milan B1 (report v3, offset 188h)."""


@dataclass(frozen=True, slots=True)
class Tcb:
    """Security versions of the firmware components, each 0-255 (AMD 56860, TCB_VERSION of Milan)."""

    bootloader: int
    tee: int
    snp: int
    microcode: int

    def encode(self) -> bytes:
        """The 8 bytes of TCB_VERSION: boot loader, TEE, four reserved, SNP, microcode."""
        return bytes([self.bootloader, self.tee, 0, 0, 0, 0, self.snp, self.microcode])


CURRENT_TCB: Final = Tcb(bootloader=4, tee=0, snp=24, microcode=219)
"""What an emulated host runs unless a test says otherwise: an up-to-date Milan of late 2025."""


@dataclass(frozen=True, slots=True)
class Chip:
    """One emulated processor. `host` names the machine it sits in, and decides its identity."""

    host: str
    tcb: Tcb = field(default=CURRENT_TCB)

    @property
    def chip_id(self) -> bytes:
        """CHIP_ID, 64 bytes: the same host has the same chip in every run."""
        return hashlib.sha512(f"bailiwick sandbox chip\0{self.host}".encode()).digest()
