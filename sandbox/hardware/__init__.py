"""Emulated AMD SEV-SNP hardware: chips, their firmware, and the sandbox's own endorsement keys."""

from sandbox.hardware.chip import CURRENT_TCB, Chip, Tcb
from sandbox.hardware.firmware import CertificateChain, LaunchedGuest, LaunchPolicy, SnpFirmware
from sandbox.hardware.pki import PkiError, SandboxPki

__all__ = [
    "CURRENT_TCB",
    "CertificateChain",
    "Chip",
    "LaunchPolicy",
    "LaunchedGuest",
    "PkiError",
    "SandboxPki",
    "SnpFirmware",
    "Tcb",
]
