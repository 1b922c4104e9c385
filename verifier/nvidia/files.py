"""NVIDIA devices' evidence in files that a person names: what `verifier.command` needs to judge it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Final

from verifier.appraisal import AppraisalPolicy, AttestationResult
from verifier.appraisal import nvidia as appraisal
from verifier.errors import UnreadableInput, VerificationFailed
from verifier.nvidia.collateral import CHAIN_FILE, Collateral
from verifier.nvidia.evidence import DeviceEvidence, parse_evidence_list
from verifier.nvidia.layout import NONCE_BYTES
from verifier.nvidia.report import is_report
from verifier.nvidia.report import parse as parse_report
from verifier.nvidia.verification import VerifiedDevice, verify_each
from verifier.pki.files import read_bytes
from verifier.trust import TrustStore

Devices = tuple[DeviceEvidence, ...]
VerifiedDevices = tuple[VerifiedDevice, ...]

DEVICES: Final = "devices"
"""Name of the submodule for devices that are not genuine: of what kind they are is then their host's word."""


def parse(data: bytes, directory: Path | None) -> Devices:
    """One report, whose certificates are in `directory`, or a list of reports with theirs; or MalformedEvidence."""
    if is_report(data):
        if directory is None:
            raise UnreadableInput("a single device report needs its certificates; give a list with both instead")
        return (DeviceEvidence(data, parse_report(data), read_bytes(directory / CHAIN_FILE)),)
    return parse_evidence_list(data)


def require_nonce(nonce: bytes | None) -> None:
    """UnreadableInput unless a nonce, if there is one, is what a device can have been asked with."""
    if nonce is not None and len(nonce) != NONCE_BYTES:
        raise UnreadableInput(f"nonce: {len(nonce)} bytes given, a device is asked with {NONCE_BYTES}")


def judge(
    devices: Devices,
    collateral: Collateral,
    policy: AppraisalPolicy,
    nonce: bytes | None,
    trust: TrustStore,
    at: datetime,
) -> tuple[VerifiedDevices, AttestationResult]:
    """Verify and appraise devices; VerificationFailed says which one is at fault."""
    verified = verify_each(devices, collateral, trust, at)
    return verified, appraisal.appraise(verified, policy, nonce=nonce)


def rejected(failure: VerificationFailed, policy: AppraisalPolicy) -> AttestationResult:
    """The result when a device is not genuine."""
    return appraisal.rejected(failure, policy, DEVICES)
