"""Hardware: which chip it is, and how current the firmware on its board is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from verifier.appraisal.nvidia_policy import NvidiaPolicy
from verifier.appraisal.result import Claim
from verifier.appraisal.vector import Component, Value
from verifier.nvidia import VerifiedDevice


def claims(verified: VerifiedDevice, policy: NvidiaPolicy) -> Iterator[Claim]:
    """The claims about the hardware."""
    yield _chip(verified.device.chip, policy)
    if policy.minimum_vbios is not None:
        yield _vbios(verified, policy.minimum_vbios)


def _claim(name: str, value: str, score: int, reason: str, reference: str | None = None) -> Claim:
    return Claim(Component.HARDWARE, name, value, score, reason, reference)


def _chip(chip: str, policy: NvidiaPolicy) -> Claim:
    if policy.chips is None:
        return _claim(
            "chip", chip, Value.GENUINE_HARDWARE, "NVIDIA endorses a device of this model", "leaf certificate"
        )
    if chip in policy.chips:
        return _claim("chip", chip, Value.GENUINE_HARDWARE, "the chip is on the policy's list", chip)
    return _claim("chip", chip, Value.UNSAFE_HARDWARE, "the chip is not on the policy's list")


def _vbios(verified: VerifiedDevice, floors: Mapping[str, str]) -> Claim:
    name, found, chip = "vbios.version", verified.report.opaque.vbios_version, verified.device.chip
    floor = floors.get(chip)
    if floor is None:
        return _claim(name, found, Value.UNSAFE_HARDWARE, f"the policy has no lowest VBIOS version for {chip}")
    if len(found) != len(floor) or found < floor:
        return _claim(name, found or "not stated", Value.UNSAFE_HARDWARE, f"the VBIOS is below {floor}")
    return _claim(name, found, Value.GENUINE_HARDWARE, "the VBIOS is recent enough", floor)
