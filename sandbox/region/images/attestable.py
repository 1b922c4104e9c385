"""What an emulated image measures into NitroTPM where EC2 starts it as an Attestable AMI.

Such an image boots one unified kernel image: kernel, initial RAM disk and command line in one file, and the root file
system with its applications by the hash that the command line has. AWS's firmware measures that file into PCR 4, what
Secure Boot is set to into PCR 7, and a command line from outside into PCR 12, which is zero where there is none (Amazon
EC2 user guide, "NitroTPM Attestation Document contents"; NitroTPM-Tools 1.1.0). The image's own firmware is not used.
"""

from collections.abc import Iterable
from typing import Final

from sandbox.hardware import Measured, measured_boot

REFERENCE_PCRS: Final = (4, 7, 12)
"""What the build states of an image, as AWS's own tool does."""

_EFI_APPLICATION: Final = 0x80000003
"""TCG event type EV_EFI_BOOT_SERVICES_APPLICATION."""
_FIRMWARE: Final = "firmware"


def events(components: Iterable[tuple[str, str]]) -> list[Measured]:
    """What is measured of an image that consists of (kind, content), in launch order."""
    unified = "\0".join(f"{kind}\0{content}" for kind, content in components if kind != _FIRMWARE)
    return [Measured(4, _EFI_APPLICATION, unified.encode())]


def measure(components: Iterable[tuple[str, str]]) -> dict[int, bytes]:
    """PCR → its value after such a boot, 48 bytes."""
    found = measured_boot(events(components), secure_boot=True)
    return {register: found[register] for register in REFERENCE_PCRS}
