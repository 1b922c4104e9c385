"""What an emulated image measures as an Intel TD, computed as the TDX module and the virtual firmware would.

MRTD is the digest of the pages that the host adds before the TD runs (Intel TDX Module Base Specification 1.5,
"TD Measurement": one 128-byte record for TDH.MEM.PAGE.ADD, and for each 256 bytes of content one for TDH.MR.EXTEND,
followed by those bytes). Only the firmware is there then. What the firmware boots it extends into RTMR1 (the kernel)
and RTMR2 (its command line, the initial RAM disk, the applications): SHA-384 of register and digest.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from sandbox.hardware import Measured

_FIRMWARE: Final = "firmware"
_KERNEL: Final = "kernel"
_EFI_APPLICATION: Final = 0x80000003
_IPL: Final = 0x0000000D
"""TCG event types: EV_EFI_BOOT_SERVICES_APPLICATION and EV_IPL."""
_PAGE_BYTES: Final = 4096
_CHUNK_BYTES: Final = 256
_RECORD_BYTES: Final = 128
_NAME_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class Registers:
    """Measurement registers of a TD, 48 bytes each (SHA-384), without RTMR0: that measures the shape of the machine."""

    mr_td: bytes
    rtmr1: bytes
    rtmr2: bytes


def measure(components: Iterable[tuple[str, str]]) -> Registers:
    """The registers of a TD whose image consists of (kind, content) in launch order, a page for each component."""
    parts = list(components)
    build = hashlib.sha384()
    for page, (kind, content) in enumerate(parts):
        if kind == _FIRMWARE:
            address = page * _PAGE_BYTES
            build.update(_record(b"MEM.PAGE.ADD", address) + _record(b"MR.EXTEND", address))
            build.update(hashlib.sha384(_data(kind, content)).digest().ljust(_CHUNK_BYTES, b"\0"))
    rtmrs = {1: bytes(48), 2: bytes(48)}
    for event in events(parts):
        rtmrs[event.register] = hashlib.sha384(rtmrs[event.register] + event.digest).digest()
    return Registers(build.digest(), rtmrs[1], rtmrs[2])


def events(components: Iterable[tuple[str, str]]) -> list[Measured]:
    """What the virtual firmware measures of such an image as it boots it."""
    return [
        Measured(1, _EFI_APPLICATION, _data(kind, content))
        if kind == _KERNEL
        else Measured(2, _IPL, _data(kind, content))
        for kind, content in components
        if kind != _FIRMWARE
    ]


def _data(kind: str, content: str) -> bytes:
    return f"{kind}\0{content}".encode()


def _record(operation: bytes, address: int) -> bytes:
    """Name of the operation in 16 bytes, guest-physical address in 8, zeros up to 128."""
    return (operation.ljust(_NAME_BYTES, b"\0") + address.to_bytes(8, "little")).ljust(_RECORD_BYTES, b"\0")
