"""From verified devices to an attestation result."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from verifier.appraisal.nvidia import configuration, executables, fabric, hardware, identity
from verifier.appraisal.nvidia.golden import compare
from verifier.appraisal.nvidia_policy import ConfidentialMode
from verifier.appraisal.policy import AppraisalPolicy
from verifier.appraisal.rejection import rejection
from verifier.appraisal.result import Appraisal, AttestationResult, Claim, Evidence
from verifier.appraisal.vector import Component, Value
from verifier.errors import VerificationFailed
from verifier.nvidia import DeviceKind, VerifiedDevice
from verifier.nvidia.layout import NONCE_BYTES

FABRIC: Final = "fabric"
"""Name of the submodule about all devices together; each device has its own, `gpu0`, `gpu1`, `switch0`, …"""


def appraise(
    devices: Sequence[VerifiedDevice],
    policy: AppraisalPolicy,
    *,
    nonce: bytes | None,
    stated_mode: ConfidentialMode | None = None,
) -> AttestationResult:
    """Hold genuine reports of all devices of one guest against `policy`.

    nonce: the 32 bytes that every device must have been asked with, or None if the caller expects nothing in
    particular. stated_mode: what NVML says in the guest, from a guest whose own evidence is affirmed.
    """
    if not devices:
        raise ValueError("there is no device to appraise")
    if nonce is not None and len(nonce) != NONCE_BYTES:
        raise ValueError(f"a device's nonce is {NONCE_BYTES} bytes, {len(nonce)} are expected of it")
    submods = {}
    count = dict.fromkeys(DeviceKind, 0)
    for verified in devices:
        kind, comparison = verified.device.kind, compare(verified)
        claims = [
            *identity.claims(verified, policy, nonce),
            *hardware.claims(verified, policy.nvidia),
            *configuration.claims(verified, comparison, policy.nvidia, stated_mode),
            *executables.claims(verified, comparison, policy.nvidia),
        ]
        submods[f"{kind}{count[kind]}"] = Appraisal.of(claims, policy.identifier, verified)
        count[kind] += 1
    joint = list(fabric.claims(devices, policy.nvidia))
    if joint:
        submods[FABRIC] = Appraisal.of(joint, policy.identifier, None)
    return AttestationResult.of(submods)


def missing(policy: AppraisalPolicy) -> AttestationResult:
    """The result where devices are demanded and the guest sent nothing about any."""
    reason = "the policy demands evidence of GPUs, the guest sent none: nothing vouches for what computes there"
    claim = Claim(Component.INSTANCE_IDENTITY, "devices", "no evidence", Value.UNTRUSTWORTHY_INSTANCE, reason)
    return AttestationResult.of({FABRIC: Appraisal.of([claim], policy.identifier, None)})


def rejected(
    failure: VerificationFailed, policy: AppraisalPolicy, name: str, evidence: Evidence | None = None
) -> AttestationResult:
    """The result for a device that is not genuine: contraindicated, with the check that failed as its one claim.

    name: of the submodule, `gpu0`; the kind of a device whose chain does not verify is its host's word.
    """
    return rejection(failure, policy, name, evidence)
