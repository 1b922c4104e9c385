"""Event logs: what a virtual firmware measured, in the order in which it did.

Crypto-agile format of the TCG "PC Client Platform Firmware Profile", section 10.2, with one hash algorithm. In a TD's
log (CCEL) that is SHA-384, and the register index that of UEFI 2.10, 38.4.1: n + 1 for RTMR n. In a TPM's log it is
SHA-256, and the index that of the PCR.
"""

import hashlib
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

_NO_ACTION: Final = 3
_SHA256, _SHA384 = 0x0B, 0x0C
_AREA_BYTES: Final = 16_384
"""The area that the firmware reserves; unused bytes are FF."""

_FIRST: Final = struct.Struct("<II20sI")  # register, type, SHA-1 digest, size
_SPEC_ID: Final = struct.Struct("<16sIBBBBIHHB")  # signature, platform class, minor, major, errata, uintn, algorithms
_EVENT: Final = struct.Struct("<IIIH")  # register, type, number of digests, algorithm; then digest, size and data


@dataclass(frozen=True, slots=True)
class Measured:
    """Something that was extended into RTMR or PCR `register`: SHA-384, or SHA-256, of `data`. kind: TCG event type."""

    register: int
    kind: int
    data: bytes

    @property
    def digest(self) -> bytes:
        """What an RTMR was extended with, 48 bytes."""
        return hashlib.sha384(self.data).digest()

    @property
    def pcr_digest(self) -> bytes:
        """What a PCR was extended with, 32 bytes."""
        return hashlib.sha256(self.data).digest()


def encode(events: Iterable[Measured]) -> bytes:
    """The log area of a TD."""
    entries = ((event, event.register + 1, event.digest) for event in events)
    return _encode(entries, _SHA384, hashlib.sha384().digest_size).ljust(_AREA_BYTES, b"\xff")


def encode_for_tpm(events: Iterable[Measured]) -> bytes:
    """The log of a TPM."""
    return _encode(
        ((event, event.register, event.pcr_digest) for event in events), _SHA256, hashlib.sha256().digest_size
    )


def _encode(entries: Iterable[tuple[Measured, int, bytes]], algorithm: int, size: int) -> bytes:
    header = _SPEC_ID.pack(b"Spec ID Event03", 0, 0, 2, 0, 2, 1, algorithm, size, 0)
    log = _FIRST.pack(0, _NO_ACTION, bytes(20), len(header)) + header
    for event, index, digest in entries:
        log += _EVENT.pack(index, event.kind, 1, algorithm) + digest + struct.pack("<I", len(event.data)) + event.data
    return log
