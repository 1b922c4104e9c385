"""The event log of a TD (CCEL): what its virtual firmware measured, in the order in which it did.

Crypto-agile format of the TCG "PC Client Platform Firmware Profile", section 10.2, with SHA-384 alone; the measurement
register index is that of UEFI 2.10, 38.4.1: n + 1 for RTMR n.
"""

import hashlib
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

_NO_ACTION: Final = 3
_SHA384: Final = 0x0C
_AREA_BYTES: Final = 16_384
"""The area that the firmware reserves; unused bytes are FF."""

_FIRST: Final = struct.Struct("<II20sI")  # register, type, SHA-1 digest, size
_SPEC_ID: Final = struct.Struct("<16sIBBBBIHHB")  # signature, platform class, minor, major, errata, uintn, algorithms
_EVENT: Final = struct.Struct("<IIIH48sI")  # register, type, number of digests, algorithm, digest, size


@dataclass(frozen=True, slots=True)
class Measured:
    """Something that was extended into RTMR `register`: its digest is SHA-384 of `data`. kind: TCG event type."""

    register: int
    kind: int
    data: bytes

    @property
    def digest(self) -> bytes:
        """What the register was extended with, 48 bytes."""
        return hashlib.sha384(self.data).digest()


def encode(events: Iterable[Measured]) -> bytes:
    """The log area."""
    header = _SPEC_ID.pack(b"Spec ID Event03", 0, 0, 2, 0, 2, 1, _SHA384, hashlib.sha384().digest_size, 0)
    log = _FIRST.pack(0, _NO_ACTION, bytes(20), len(header)) + header
    for event in events:
        log += _EVENT.pack(event.register + 1, event.kind, 1, _SHA384, event.digest, len(event.data)) + event.data
    return log.ljust(_AREA_BYTES, b"\xff")
