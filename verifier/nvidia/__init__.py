"""Attestation reports of NVIDIA GPUs and NVSwitches: parse (bytes → fields) and verify (is it genuine)."""

from verifier.nvidia import layout
from verifier.nvidia.binding import device_nonce, evidence_digest, report_data
from verifier.nvidia.collateral import Collateral, CollateralSource
from verifier.nvidia.device import DeviceChain, DeviceKind
from verifier.nvidia.evidence import DeviceEvidence, parse_evidence_list, read_evidence_list
from verifier.nvidia.opaque import OpaqueData
from verifier.nvidia.report import DeviceReport, Measurement, is_report, parse
from verifier.nvidia.revocation import OcspResponses, Revocation
from verifier.nvidia.rim import Rim, RimKind, verify_rim
from verifier.nvidia.verification import VerifiedDevice, verify, verify_each

__all__ = [
    "Collateral",
    "CollateralSource",
    "DeviceChain",
    "DeviceEvidence",
    "DeviceKind",
    "DeviceReport",
    "Measurement",
    "OcspResponses",
    "OpaqueData",
    "Revocation",
    "Rim",
    "RimKind",
    "VerifiedDevice",
    "device_nonce",
    "evidence_digest",
    "is_report",
    "layout",
    "parse",
    "parse_evidence_list",
    "read_evidence_list",
    "report_data",
    "verify",
    "verify_each",
    "verify_rim",
]
