"""Whether UEFI Secure Boot was on, as the firmware measured it into PCR 7.

Sources: TCG, "PC Client Platform Firmware Profile", 3.3.4.8 (PCR 7) and 10.2.6 (UEFI_VARIABLE_DATA); UEFI 2.10, 3.3.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable
from typing import Final

from verifier.errors import VerificationFailed
from verifier.tpm import layout
from verifier.tpm.event_log import Event

EV_EFI_VARIABLE_DRIVER_CONFIG: Final = 0x80000001
SECURE_BOOT_REGISTER: Final = 7

_VARIABLE: Final = struct.Struct("<16sQQ")
_GLOBAL_VARIABLE: Final = bytes.fromhex("61dfe48bca93d211aa0d00e098032b8c")
"""EFI_GLOBAL_VARIABLE, 8be4df61-93ca-11d2-aa0d-00e098032b8c."""
_NAME: Final = "SecureBoot".encode("utf-16-le")
_ENABLED: Final = b"\x01"


def secure_boot(attested: Iterable[Event], bank: int = layout.SHA256) -> bool | None:
    """Whether Secure Boot was on; None when no attested event says. VerificationFailed when they do not agree.

    attested: what `event_log.verify` gave. An event's data counts only if its digest is that data's.
    """
    found: set[bytes] = set()
    for event in attested:
        if event.register != SECURE_BOOT_REGISTER or event.kind != EV_EFI_VARIABLE_DRIVER_CONFIG:
            continue
        value = _value(event.data)
        if value is None:
            continue
        if hashlib.new(layout.HASH_NAMES[bank], event.data).digest() != event.digests[bank]:
            raise VerificationFailed(
                "event-log.secure-boot", f"the variable at byte {event.offset} is not what was measured"
            )
        found.add(value)
    if len(found) > 1:
        raise VerificationFailed("event-log.secure-boot", "SecureBoot was measured twice, with different values")
    return found.pop() == _ENABLED if found else None


def _value(data: bytes) -> bytes | None:
    """Value of the variable if it is SecureBoot of the global variables, else None."""
    prefix = _GLOBAL_VARIABLE + struct.pack("<Q", len(_NAME) // 2)
    if not data.startswith(prefix) or not data.startswith(_NAME, _VARIABLE.size):
        return None
    return data[_VARIABLE.size + len(_NAME) :]
