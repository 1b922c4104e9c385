"""Emulated hardware, AMD SEV-SNP and Intel TDX: processors, their firmware, and the sandbox's own endorsement keys."""

from sandbox.hardware.chip import CURRENT_TCB, Chip, Tcb
from sandbox.hardware.event_log import Measured
from sandbox.hardware.firmware import CertificateChain, LaunchedGuest, LaunchPolicy, SnpFirmware
from sandbox.hardware.identity import PkiError
from sandbox.hardware.intel_collateral import publish as publish_collateral
from sandbox.hardware.intel_pki import IntelPki
from sandbox.hardware.pki import SandboxPki
from sandbox.hardware.platform import OLD_PLATFORM_TCB, Platform
from sandbox.hardware.tdx_module import LaunchedTd, TdxModule

__all__ = [
    "CURRENT_TCB",
    "OLD_PLATFORM_TCB",
    "CertificateChain",
    "Chip",
    "IntelPki",
    "LaunchPolicy",
    "LaunchedGuest",
    "LaunchedTd",
    "Measured",
    "PkiError",
    "Platform",
    "SandboxPki",
    "SnpFirmware",
    "Tcb",
    "TdxModule",
    "publish_collateral",
]
