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
    build = hashlib.sha384()
    rtmr1 = rtmr2 = bytes(48)
    for page, (kind, content) in enumerate(components):
        digest = hashlib.sha384(f"{kind}\0{content}".encode()).digest()
        match kind:
            case "firmware":
                address = page * _PAGE_BYTES
                build.update(_record(b"MEM.PAGE.ADD", address) + _record(b"MR.EXTEND", address))
                build.update(digest.ljust(_CHUNK_BYTES, b"\0"))
            case "kernel":
                rtmr1 = _extend(rtmr1, digest)
            case _:
                rtmr2 = _extend(rtmr2, digest)
    return Registers(build.digest(), rtmr1, rtmr2)


def _record(operation: bytes, address: int) -> bytes:
    """Name of the operation in 16 bytes, guest-physical address in 8, zeros up to 128."""
    return (operation.ljust(_NAME_BYTES, b"\0") + address.to_bytes(8, "little")).ljust(_RECORD_BYTES, b"\0")


def _extend(register: bytes, digest: bytes) -> bytes:
    return hashlib.sha384(register + digest).digest()
