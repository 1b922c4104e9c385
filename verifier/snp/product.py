"""AMD's product lines, as far as keys and TCB layouts differ between them.

Sources: AMD 57230 (KDS interface: products, certificate extensions, struct versions), AMD 56860 section 2.2
(TCB_VERSION), CPUID families and models as in genuine reports of version 3 and later.
"""

from __future__ import annotations

from enum import StrEnum
from operator import ge
from typing import Final, NamedTuple


class Product(StrEnum):
    """A product line with keys of its own. Bergamo and Siena are endorsed by Genoa's keys (57230)."""

    MILAN = "milan"
    GENOA = "genoa"
    TURIN = "turin"

    @property
    def label(self) -> str:
        """The name as AMD's certificates spell it."""
        return self.value.capitalize()

    @property
    def struct_version(self) -> int:
        """structVersion of the line's VCEK certificates; it decides the TCB layout."""
        return 1 if self is Product.TURIN else 0

    @property
    def hardware_id_bytes(self) -> int:
        """Significant bytes of CHIP_ID and hwID."""
        return 8 if self is Product.TURIN else 64


_CPUID: Final = (
    (0x19, range(0x10), Product.MILAN),
    (0x19, range(0x10, 0x20), Product.GENOA),
    (0x19, range(0xA0, 0xB0), Product.GENOA),
    (0x1A, range(0x12), Product.TURIN),
)
"""Family, models, product line; models A0h-AFh are Bergamo and Siena."""

_NAMES: Final = {
    "milan": Product.MILAN,
    "genoa": Product.GENOA,
    "bergamo": Product.GENOA,
    "siena": Product.GENOA,
    "turin": Product.TURIN,
}


def product_of_cpuid(family: int, model: int) -> Product | None:
    """The product line of a processor; None when it is not known."""
    return next((product for fam, models, product in _CPUID if fam == family and model in models), None)


def product_of_name(name: str) -> Product | None:
    """The product line of a certificate's productName, with ("Milan-B0") or without ("Genoa") stepping."""
    return _NAMES.get(name.partition("-")[0].lower())


class Tcb(NamedTuple):
    """Security versions of the firmware components, each 0-255 (56860, 2.2). `fmc` exists on Turin only."""

    fmc: int
    bootloader: int
    tee: int
    snp: int
    microcode: int

    @classmethod
    def decode(cls, raw: bytes, product: Product) -> Tcb:
        """Read the 8 bytes of TCB_VERSION in the layout of `product`."""
        if product is Product.TURIN:
            return cls(raw[0], raw[1], raw[2], raw[3], raw[7])
        return cls(0, raw[0], raw[1], raw[6], raw[7])

    def below(self, floor: Tcb) -> list[str]:
        """Each component that is lower than in `floor`, as "snp 8 < 24"; empty when none is."""
        if all(map(ge, self, floor)):
            return []
        return [
            f"{name} {mine} < {least}"
            for name, mine, least in zip(self._fields, self, floor, strict=True)
            if mine < least
        ]

    def __str__(self) -> str:
        fmc = f"fmc {self.fmc} " if self.fmc else ""
        return f"{fmc}bootloader {self.bootloader} tee {self.tee} snp {self.snp} microcode {self.microcode}"
