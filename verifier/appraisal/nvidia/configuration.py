"""Configuration: whether confidential mode is on, and what the device lets others see.

No field of a report says that confidential mode is on, that development tools are off or that the device booted
securely. Two things do: golden measurements are those of a production device that booted securely in that mode, and
a guest that is itself attested can be asked what NVML says. The first is a claim about executables, with its
consequence here; the second is `stated_mode`.
"""

from __future__ import annotations

from collections.abc import Iterator

from verifier.appraisal.nvidia.golden import Comparison
from verifier.appraisal.nvidia_policy import ConfidentialMode, LinkMode, NvidiaPolicy
from verifier.appraisal.result import Claim
from verifier.appraisal.vector import Component, Value
from verifier.nvidia import DeviceKind, VerifiedDevice
from verifier.nvidia.layout import Feature
from verifier.nvidia.opaque import OpaqueData

_MODES = {
    Feature.SINGLE_PASS_THROUGH: LinkMode.SINGLE,
    Feature.MULTIPLE_PASS_THROUGH: LinkMode.MULTIPLE,
    Feature.PROTECTED_PCIE: LinkMode.PROTECTED_PCIE,
}


def claims(
    verified: VerifiedDevice, comparison: Comparison, policy: NvidiaPolicy, stated_mode: ConfidentialMode | None
) -> Iterator[Claim]:
    """The claims about the configuration."""
    yield _secure_boot(comparison)
    if verified.device.kind is DeviceKind.GPU:
        yield _confidential_mode(policy, stated_mode)
        yield _link_mode(verified.report.opaque, policy)
    if verified.report.padding and not policy.allow_padding:
        yield _bad("padding", f"{verified.report.padding} bytes", "zero bytes follow the report")


def link_mode(opaque: OpaqueData) -> LinkMode | None:
    """The mode that a GPU states in two fields; None when they contradict each other or are not known.

    Drivers that do not write the feature flag know no other modes than one GPU alone and protected PCIe.
    """
    if opaque.feature is None:
        if opaque.protected_pcie is None:
            return LinkMode.UNSTATED
        return LinkMode.PROTECTED_PCIE if opaque.protected_pcie else LinkMode.SINGLE
    mode = _MODES.get(Feature(opaque.feature)) if opaque.feature in set(Feature) else None
    if opaque.protected_pcie is not None and opaque.protected_pcie != (mode is LinkMode.PROTECTED_PCIE):
        return None
    return mode


def _good(name: str, value: str, reason: str, reference: str | None = None) -> Claim:
    return Claim(Component.CONFIGURATION, name, value, Value.APPROVED_CONFIG, reason, reference)


def _bad(name: str, value: str, reason: str) -> Claim:
    return Claim(Component.CONFIGURATION, name, value, Value.UNSUPPORTABLE_CONFIG, reason)


def _secure_boot(comparison: Comparison) -> Claim:
    name = "secure-boot"
    if comparison.missing:
        reason = "not shown: it follows from golden measurements, and not all RIMs were at hand"
        return Claim(Component.CONFIGURATION, name, "not shown", Value.NOT_APPRAISED, reason)
    if comparison.fault is None and not comparison.different:
        reason = "the measurements are those of a production device that booted securely with debugging off"
        return _good(name, "on", reason, "golden measurements")
    reason = "the measurements are not golden: secure boot and debugging off are not shown"
    return Claim(Component.CONFIGURATION, name, "not shown", Value.UNSAFE_CONFIG, reason)


def _confidential_mode(policy: NvidiaPolicy, stated: ConfidentialMode | None) -> Claim:
    name = "cc-mode"
    if stated is ConfidentialMode.ON:
        return _good(name, stated, "the attested guest states that confidential mode is on", "NVML in the guest")
    if stated is not None:
        return _bad(name, stated, "the host can see what a GPU does in this mode; no policy accepts it")
    if policy.stated_mode == "required":
        return _bad(name, "not stated", "the policy demands that the attested guest states the confidential mode")
    reason = "reports have no field for it, and the guest's statement was not given"
    return Claim(Component.CONFIGURATION, name, "not stated", Value.NOT_APPRAISED, reason)


def _link_mode(opaque: OpaqueData, policy: NvidiaPolicy) -> Claim:
    name, mode = "link-mode", link_mode(opaque)
    if mode is None:
        value = f"feature {opaque.feature}, protected PCIe {opaque.protected_pcie}"
        return _bad(name, value, "the report contradicts itself about the mode, or it is not known")
    if mode in policy.modes:
        return _good(name, mode, "the policy accepts this mode", mode)
    accepted = ", ".join(sorted(policy.modes)) or "none"
    return _bad(name, mode, f"the policy accepts {accepted}")
