"""What an emulated image measures into a vTPM where a paravisor starts it, as firmware, boot stub and kernel would.

PCRs as systemd and the Linux boot protocol use them ("Linux TPM PCR Registry", UAPI group): the kernel as an EFI
application in PCR 4, the initial RAM disk in 9, the applications of its root file system in 11, the command line in 12.
The image's own firmware is not used: the paravisor brings one.
"""

import hashlib
from collections.abc import Iterable
from typing import Final

from sandbox.hardware import Measured, firmware_pcr

_EFI_APPLICATION: Final = 0x80000003
_IPL: Final = 0x0000000D
"""TCG event types: EV_EFI_BOOT_SERVICES_APPLICATION and EV_IPL."""
_PLACES: Final = {
    "kernel": (4, _EFI_APPLICATION),
    "initrd": (9, _IPL),
    "application": (11, _IPL),
    "cmdline": (12, _IPL),
}
"""Kind of component → PCR and type of the event."""


def events(components: Iterable[tuple[str, str]]) -> list[Measured]:
    """What is measured of an image that consists of (kind, content), in launch order."""
    return [Measured(*_PLACES[kind], f"{kind}\0{content}".encode()) for kind, content in components if kind in _PLACES]


def measure(components: Iterable[tuple[str, str]]) -> dict[int, bytes]:
    """PCR → its value after such a boot, 32 bytes."""
    values: dict[int, bytes] = {}
    for event in events(components):
        before = values.get(event.register, firmware_pcr(event.register))
        values[event.register] = hashlib.sha256(before + event.pcr_digest).digest()
    return values
