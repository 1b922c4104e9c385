"""Emulated hardware: processors (AMD SEV-SNP, Intel TDX), a paravisor with its vTPM, NitroTPM, NVIDIA GPUs, and the
sandbox's own endorsement keys."""

from sandbox.hardware.chip import CURRENT_TCB, Chip, Tcb
from sandbox.hardware.event_log import Measured
from sandbox.hardware.firmware import CertificateChain, LaunchedGuest, LaunchPolicy, SnpFirmware
from sandbox.hardware.gpu import ConfidentialMode, Gpu
from sandbox.hardware.identity import PkiError
from sandbox.hardware.intel_collateral import publish as publish_collateral
from sandbox.hardware.intel_pki import IntelPki
from sandbox.hardware.nitro_tpm import EC2_FIRMWARE, EC2_FIRMWARE_MEASUREMENT, NitroTpm, measured_boot
from sandbox.hardware.nvidia_collateral import publish as publish_device_collateral
from sandbox.hardware.nvidia_pki import NvidiaPki
from sandbox.hardware.paravisor import (
    PARAVISOR,
    PARAVISOR_MEASUREMENT,
    PARAVISOR_SIGNER,
    SNP_REPORT,
    TD_REPORT,
    Booted,
    Setup,
    boot,
    firmware_pcr,
)
from sandbox.hardware.pki import SandboxPki
from sandbox.hardware.platform import OLD_PLATFORM_TCB, Platform
from sandbox.hardware.tdx_module import LaunchedTd, TdxModule
from sandbox.hardware.vtpm import Vtpm

__all__ = [
    "CURRENT_TCB",
    "EC2_FIRMWARE",
    "EC2_FIRMWARE_MEASUREMENT",
    "OLD_PLATFORM_TCB",
    "PARAVISOR",
    "PARAVISOR_MEASUREMENT",
    "PARAVISOR_SIGNER",
    "SNP_REPORT",
    "TD_REPORT",
    "Booted",
    "CertificateChain",
    "Chip",
    "ConfidentialMode",
    "Gpu",
    "IntelPki",
    "LaunchPolicy",
    "LaunchedGuest",
    "LaunchedTd",
    "Measured",
    "NitroTpm",
    "NvidiaPki",
    "PkiError",
    "Platform",
    "SandboxPki",
    "Setup",
    "SnpFirmware",
    "Tcb",
    "TdxModule",
    "Vtpm",
    "boot",
    "firmware_pcr",
    "measured_boot",
    "publish_collateral",
    "publish_device_collateral",
]
