"""Hardware: the processor, the security versions of its firmware, and how its platform is set up."""

from __future__ import annotations

from collections.abc import Iterator

from verifier.appraisal.policy import AppraisalPolicy
from verifier.appraisal.result import Claim
from verifier.appraisal.vector import Component, Value
from verifier.fields import TcbFloor
from verifier.reference import ReferenceValues
from verifier.snp import SnpReport, VerifiedReport


def claims(verified: VerifiedReport, policy: AppraisalPolicy, reference: ReferenceValues | None) -> Iterator[Claim]:
    """The claims about the hardware; `reference`: the image's values, which may demand a TCB of their own."""
    report = verified.report
    floor = policy.minimum_tcb.get(verified.product)
    if floor is None:
        reason = f"the policy has no minimum TCB for {verified.product.label}, so it does not accept it"
        yield _claim("tcb.minimum", str(verified.reported), Value.CONTRAINDICATED_HARDWARE, reason)
    else:
        yield _tcb("tcb.minimum", verified, floor, "policy")
    if reference is not None:
        yield _tcb("tcb.reference", verified, reference.minimum_tcb, reference.name)
    if policy.minimum_firmware is not None:
        yield _firmware(report, policy.minimum_firmware)
    if not policy.allow_provisional_firmware:
        yield _provisional(verified)
    yield _platform(report, policy)
    if policy.mitigations is not None:
        yield _mitigations(report, policy.mitigations)


def _claim(name: str, value: str, score: int, reason: str, reference: str | None = None) -> Claim:
    return Claim(Component.HARDWARE, name, value, score, reason, reference)


def _tcb(name: str, verified: VerifiedReport, floor: TcbFloor, origin: str) -> Claim:
    """REPORTED is what the key is for, COMMITTED what the host can never fall below, LAUNCH what started the guest.

    CURRENT is not looked at: a host may roll it back to COMMITTED at any time.
    """
    least = floor.tcb
    short = [
        f"{label} {', '.join(below)}"
        for label, tcb in (
            ("REPORTED", verified.reported),
            ("COMMITTED", verified.committed),
            ("LAUNCH", verified.launch),
        )
        if (below := tcb.below(least))
    ]
    if short:
        reason = f"below the minimum of the {origin}: {'; '.join(short)}"
        return _claim(name, str(verified.reported), Value.UNSAFE_HARDWARE, reason)
    reason = "the reported, committed and launch TCB are at or above the minimum"
    return _claim(name, str(verified.reported), Value.GENUINE_HARDWARE, reason, f"{origin}: {least}")


def _firmware(report: SnpReport, least: tuple[int, int, int]) -> Claim:
    value, wanted = _version(report.committed_firmware), _version(least)
    if report.committed_firmware < least:
        return _claim("firmware.minimum", value, Value.UNSAFE_HARDWARE, f"committed firmware is older than {wanted}")
    return _claim("firmware.minimum", value, Value.GENUINE_HARDWARE, "committed firmware is recent enough", wanted)


def _provisional(verified: VerifiedReport) -> Claim:
    report = verified.report
    value = _version(report.current_firmware)
    if report.current_firmware != report.committed_firmware or verified.current != verified.committed:
        reason = f"provisional: committed are firmware {_version(report.committed_firmware)}, {verified.committed}"
        return _claim("firmware.committed", value, Value.UNSAFE_HARDWARE, reason)
    return _claim("firmware.committed", value, Value.GENUINE_HARDWARE, "the running firmware is committed")


def _platform(report: SnpReport, policy: AppraisalPolicy) -> Claim:
    info = report.platform_info
    wrong = [f"{flag.name} is clear" for flag in sorted(policy.platform_required) if not info & flag]
    wrong += [f"{flag.name} is set" for flag in sorted(policy.platform_forbidden) if info & flag]
    if wrong:
        reason = f"not as the policy demands: {', '.join(wrong)}"
        return _claim("platform-info", f"{info:#x}", Value.CONTRAINDICATED_HARDWARE, reason)
    return _claim("platform-info", f"{info:#x}", Value.GENUINE_HARDWARE, "the platform is set up as the policy demands")


def _mitigations(report: SnpReport, demanded: int) -> Claim:
    if not report.has_mitigations:
        reason = f"a report of version {report.version} does not say which mitigations are active"
        return _claim("mitigations", "not reported", Value.UNSAFE_HARDWARE, reason)
    value = f"{report.current_mitigations:#x}"
    missing = demanded & ~report.current_mitigations
    if missing:
        return _claim("mitigations", value, Value.UNSAFE_HARDWARE, f"mitigations {missing:#x} are missing")
    return _claim("mitigations", value, Value.GENUINE_HARDWARE, "the demanded mitigations are active", f"{demanded:#x}")


def _version(version: tuple[int, int, int]) -> str:
    return "{}.{}.{}".format(*version)
