"""What any UEFI firmware measures before it hands over (TCG PC Client Platform Firmware Profile, 3.3.4)."""

import struct
from typing import Final

from sandbox.hardware.event_log import Measured

_SEPARATOR, _VARIABLE = 0x4, 0x80000001
"""TCG event types EV_SEPARATOR and EV_EFI_VARIABLE_DRIVER_CONFIG."""
_SECURE_BOOT_PCR: Final = 7
_FIRMWARE_PCRS: Final = range(8)
_GLOBAL_VARIABLE: Final = bytes.fromhex("61dfe48bca93d211aa0d00e098032b8c")


def handoff(*, secure_boot: bool) -> list[Measured]:
    """Whether Secure Boot is on, and one separator in each of the firmware's PCRs."""
    name, value = "SecureBoot".encode("utf-16-le"), bytes([secure_boot])
    variable = _GLOBAL_VARIABLE + struct.pack("<QQ", len(name) // 2, len(value)) + name + value
    return [
        Measured(_SECURE_BOOT_PCR, _VARIABLE, variable),
        *(Measured(register, _SEPARATOR, bytes(4)) for register in _FIRMWARE_PCRS),
    ]
