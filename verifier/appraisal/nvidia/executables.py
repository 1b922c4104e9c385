"""Executables: whether driver and VBIOS are what NVIDIA signed, and whether what signed that may be relied on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

from verifier.appraisal.nvidia.golden import Comparison
from verifier.appraisal.nvidia_policy import NvidiaPolicy, SignatureTime
from verifier.appraisal.result import Claim
from verifier.appraisal.vector import Component, Value
from verifier.nvidia import DeviceKind, Rim, RimKind, VerifiedDevice
from verifier.nvidia.rim import driver_product


def claims(verified: VerifiedDevice, comparison: Comparison, policy: NvidiaPolicy) -> Iterator[Claim]:
    """The claims about what the device runs."""
    for kind in comparison.missing:
        yield _missing(kind, verified, policy)
    for rim in verified.rims.values():
        yield _subject(rim, verified)
        yield _signers(rim, verified, policy)
    if verified.rims:
        yield _measurements(comparison)
    if policy.minimum_driver is not None and verified.device.kind is DeviceKind.GPU:
        yield _driver(verified.report.opaque.driver_version, policy.minimum_driver)


def _claim(name: str, value: str, score: int, reason: str, reference: str | None = None) -> Claim:
    return Claim(Component.EXECUTABLES, name, value, score, reason, reference)


def _missing(kind: RimKind, verified: VerifiedDevice, policy: NvidiaPolicy) -> Claim:
    name = f"rim.{kind}"
    wanted = verified.rim_ids.get(kind)
    reason = f"no RIM called {wanted} is at hand" if wanted else f"the device does not state which {kind} it has"
    if policy.rims == "required":
        return _claim(name, "missing", Value.UNRECOGNIZED_EXECUTABLES, f"the policy demands it; {reason}")
    return _claim(name, "missing", Value.NOT_APPRAISED, reason)


def _subject(rim: Rim, verified: VerifiedDevice) -> Claim:
    """A RIM that was found by its id must be about this chip and this version."""
    opaque, name = verified.report.opaque, f"rim.{rim.kind}"
    if rim.kind is RimKind.DRIVER:
        product, version = driver_product(verified.device, opaque), opaque.driver_version
    else:
        product, version = verified.device.chip, opaque.vbios_version
    value, reference = f"{rim.product} {rim.version}", f"{verified.rim_ids[rim.kind]} sha256:{rim.sha256}"
    products = {product, opaque.chip} - {""}
    if rim.product not in products:
        reason = f"the RIM is for {rim.product}, the device is a {product}"
        return _claim(name, value, Value.CONTRAINDICATED_EXECUTABLES, reason)
    if rim.version != version.upper():
        reason = f"the RIM is for {rim.kind} {rim.version}, the device has {version}"
        return _claim(name, value, Value.CONTRAINDICATED_EXECUTABLES, reason)
    return _claim(name, value, Value.APPROVED_BOOT, "NVIDIA's RIM for this chip and version", reference)


def _signers(rim: Rim, verified: VerifiedDevice, policy: NvidiaPolicy) -> Claim:
    """The signature-time rule: a RIM does not say when it was signed."""
    name, signers, at = f"rim.{rim.kind}.signers", rim.signers, verified.at
    value = f"{signers.start:%Y-%m-%d} to {signers.end:%Y-%m-%d}"
    if signers.start > signers.end:
        reason = "the certificates behind the signature were never valid together"
        return _claim(name, value, Value.CONTRAINDICATED_EXECUTABLES, reason)
    if at < signers.start:
        reason = "the certificates behind the signature are not valid yet"
        return _claim(name, value, Value.UNRECOGNIZED_EXECUTABLES, reason)
    if at <= signers.end:
        reason = "the certificates behind the signature are valid"
        return _claim(name, value, Value.APPROVED_BOOT, reason, signers.members[0].certificate.fingerprint)
    if policy.rim_signature_time is SignatureTime.VERIFICATION:
        reason = "the certificates behind the signature are past their validity (rim_signature_time: verification)"
        return _claim(name, value, Value.UNRECOGNIZED_EXECUTABLES, reason)
    grace = policy.rim_signer_grace_days
    if grace is not None and at > signers.end + timedelta(days=grace):
        reason = f"the certificates behind the signature ended more than {grace} days ago"
        return _claim(name, value, Value.UNRECOGNIZED_EXECUTABLES, reason)
    reason = "the certificates behind the signature were valid together once; the policy does not ask for more"
    return _claim(name, value, Value.APPROVED_BOOT, reason, "rim_signature_time: issuance")


def _measurements(comparison: Comparison) -> Claim:
    name = "measurements"
    if comparison.fault is not None:
        return _claim(name, "not comparable", Value.CONTRAINDICATED_EXECUTABLES, comparison.fault)
    value = f"{comparison.compared - len(comparison.different)} of {comparison.compared} golden"
    if comparison.different:
        indexes = ", ".join(map(str, comparison.different))
        reason = f"measured something else than NVIDIA's RIMs say at RIM indexes {indexes}"
        return _claim(name, value, Value.CONTRAINDICATED_EXECUTABLES, reason)
    if comparison.missing:
        reason = f"as the RIMs at hand say; none was there for {', '.join(comparison.missing)}"
        return _claim(name, value, Value.APPROVED_BOOT, reason, "golden measurements")
    return _claim(name, value, Value.APPROVED_BOOT, "every measurement is as NVIDIA's RIMs say", "golden measurements")


def _driver(found: str, floor: str) -> Claim:
    name = "driver.version"
    if not re.fullmatch(r"[0-9]+(\.[0-9]+)*", found):
        reason = "the device does not state a driver version that can be compared"
        return _claim(name, found or "not stated", Value.UNRECOGNIZED_EXECUTABLES, reason)
    if _numbers(found) < _numbers(floor):
        return _claim(name, found, Value.UNRECOGNIZED_EXECUTABLES, f"the driver is below {floor}")
    return _claim(name, found, Value.APPROVED_BOOT, "the driver is recent enough", floor)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))
