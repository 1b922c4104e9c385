"""What joins the devices of one guest: that they are different ones, as many as there should be, and linked in a
closed circle of GPUs and NVSwitches where the links are trusted (protected PCIe, HGX)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from verifier.appraisal.nvidia.configuration import link_mode
from verifier.appraisal.nvidia_policy import LinkMode, NvidiaPolicy
from verifier.appraisal.result import Claim
from verifier.appraisal.vector import Component, Value
from verifier.nvidia import DeviceKind, VerifiedDevice
from verifier.nvidia.layout import PDI_BYTES

_NO_LINK: Final = bytes(PDI_BYTES)


def claims(devices: Sequence[VerifiedDevice], policy: NvidiaPolicy) -> Iterator[Claim]:
    """The claims about all devices together; none about a single GPU of which no policy asks more."""
    gpus = [it for it in devices if it.device.kind is DeviceKind.GPU]
    switches = [it for it in devices if it.device.kind is DeviceKind.SWITCH]
    for name, found, expected in (("gpus", gpus, policy.gpus), ("switches", switches, policy.switches)):
        if expected is not None:
            yield _count(name, len(found), expected)
    if len(devices) > 1:
        yield _distinct(devices)
        yield _one_nonce({it.report.nonce for it in devices})
    modes = {link_mode(it.report.opaque) for it in gpus}
    if len(gpus) > 1:
        yield _one_mode(modes)
    if switches or LinkMode.PROTECTED_PCIE in modes:
        yield _topology(gpus, switches)


def _good(name: str, value: str, reason: str, reference: str | None = None) -> Claim:
    return Claim(Component.CONFIGURATION, name, value, Value.APPROVED_CONFIG, reason, reference)


def _bad(name: str, value: str, reason: str) -> Claim:
    return Claim(Component.CONFIGURATION, name, value, Value.UNSUPPORTABLE_CONFIG, reason)


def _count(name: str, found: int, expected: int) -> Claim:
    if found == expected:
        return _good(f"count.{name}", str(found), "as many as the policy demands", str(expected))
    return _bad(f"count.{name}", str(found), f"the policy demands {expected}")


def _distinct(devices: Sequence[VerifiedDevice]) -> Claim:
    """Each device once: a host could send one device's report several times in place of others."""
    repeated = [pdi.hex() for pdi, times in Counter(it.device.pdi for it in devices).items() if times > 1]
    if repeated:
        reason = f"the same device is there more than once: {', '.join(repeated)}"
        return Claim(Component.INSTANCE_IDENTITY, "distinct", "repeated", Value.UNTRUSTWORTHY_INSTANCE, reason)
    reason = "every device is there once"
    return Claim(
        Component.INSTANCE_IDENTITY, "distinct", f"{len(devices)} devices", Value.TRUSTWORTHY_INSTANCE, reason, "PDIs"
    )


def _one_nonce(nonces: set[bytes]) -> Claim:
    """All devices were asked together, also where nobody expects a nonce in particular."""
    component, name = Component.INSTANCE_IDENTITY, "one-nonce"
    if len(nonces) == 1:
        reason = "all devices were asked with one nonce"
        return Claim(component, name, "one", Value.TRUSTWORTHY_INSTANCE, reason, next(iter(nonces)).hex())
    reason = "the reports are from different occasions"
    return Claim(component, name, str(len(nonces)), Value.UNTRUSTWORTHY_INSTANCE, reason)


def _one_mode(modes: set[LinkMode | None]) -> Claim:
    value = ", ".join(sorted(mode or "contradictory" for mode in modes))
    if len(modes) == 1:
        return _good("one-mode", value, "all GPUs are in one mode")
    return _bad("one-mode", value, "GPUs of one guest are in different modes")


def _topology(gpus: Sequence[VerifiedDevice], switches: Sequence[VerifiedDevice]) -> Claim:
    """Every GPU is linked to exactly these switches, and every switch to exactly these GPUs.

    A GPU lists its switches with the bytes of their PDIs reversed, and zeros for a link that is off.
    """
    name, value = "topology", f"{len(gpus)} GPUs, {len(switches)} NVSwitches"
    if not gpus:
        reason = "there is no evidence of a GPU that these NVSwitches link"
        return Claim(Component.CONFIGURATION, name, value, Value.NOT_APPRAISED, reason)
    if not switches:
        return _bad(name, value, "the links are trusted, but there is no evidence of an NVSwitch")
    gpu_pdis = {it.device.pdi for it in gpus}
    switch_pdis = {it.device.pdi for it in switches}
    for it in gpus:
        listed = {pdi[::-1] for pdi in it.report.opaque.pdis if pdi != _NO_LINK}
        if listed != switch_pdis:
            return _bad(name, value, f"GPU {it.device.pdi.hex()} is linked to {_differing(listed, switch_pdis)}")
    for it in switches:
        listed = {pdi for pdi in it.report.opaque.gpu_pdis if pdi != _NO_LINK}
        if listed != gpu_pdis:
            return _bad(name, value, f"NVSwitch {it.device.pdi.hex()} is linked to {_differing(listed, gpu_pdis)}")
    return _good(name, value, "every GPU is linked to these NVSwitches and to no other, and they to these GPUs", "PDIs")


def _differing(listed: set[bytes], given: set[bytes]) -> str:
    """How a device's links differ from the devices whose evidence was given."""
    unknown, absent = sorted(listed - given), sorted(given - listed)
    parts = []
    if unknown:
        parts.append(f"{', '.join(pdi.hex() for pdi in unknown)}, of which there is no evidence")
    if absent:
        parts.append(f"none of {', '.join(pdi.hex() for pdi in absent)}")
    return " and ".join(parts)
