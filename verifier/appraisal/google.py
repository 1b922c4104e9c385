"""Google's launch endorsement against what the processor measured: is the firmware Google's, and which?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from verifier import snp, tdx
from verifier.appraisal.policy import AppraisalPolicy
from verifier.appraisal.result import Appraisal, AttestationResult, Claim
from verifier.appraisal.vector import Component, Value
from verifier.errors import MalformedEvidence, VerificationFailed
from verifier.google import endorsement as endorsements
from verifier.google.endorsement import Firmware, Tee
from verifier.trust import TrustStore

NAME: Final = "launch-endorsement"
CPU: Final = "cpu"


def appraised(
    result: AttestationResult,
    verified: snp.VerifiedReport | tdx.VerifiedQuote,
    content: bytes | None,
    policy: AppraisalPolicy,
    trust: TrustStore,
    at: datetime,
) -> AttestationResult:
    """The result with what Google says of the firmware.

    content: the VMLaunchEndorsement; None: there is none, about which nothing is said unless the policy demands one.
    """
    cpu = result.submods[CPU]
    claims = [*cpu.claims, *_claims(verified, content, policy, trust, at)]
    extended = Appraisal.of(claims, cpu.policy_id, cpu.evidence)
    return AttestationResult.of({**result.submods, CPU: extended})


def _claims(
    verified: snp.VerifiedReport | tdx.VerifiedQuote,
    content: bytes | None,
    policy: AppraisalPolicy,
    trust: TrustStore,
    at: datetime,
) -> Iterator[Claim]:
    if content is None:
        if policy.google.launch_endorsement == "required":
            reason = "the policy demands Google's endorsement of the firmware, none was given"
            yield _claim(NAME, "missing", Value.UNRECOGNIZED_EXECUTABLES, reason)
        return
    tee: Tee = "snp" if isinstance(verified, snp.VerifiedReport) else "tdx"
    measurement = verified.report.measurement if isinstance(verified, snp.VerifiedReport) else _mr_td(verified)
    try:
        genuine = endorsements.verify(endorsements.parse(content), trust, at)
    except (MalformedEvidence, VerificationFailed) as error:
        yield _claim(NAME, "not genuine", Value.UNRECOGNIZED_EXECUTABLES, f"the endorsement is not genuine: {error}")
        return
    firmware = genuine.endorsement.endorses(tee, measurement)
    if firmware is None:
        reason = "the endorsement does not list what the processor measured: the firmware is not this one of Google's"
        yield _claim(NAME, measurement.hex(), Value.UNRECOGNIZED_EXECUTABLES, reason)
        return
    machine = firmware.measurements[measurement]
    made = f"{genuine.endorsement.made_at:%Y-%m-%d}"
    reference = f"{genuine.anchor.name} root {genuine.anchor.certificate.fingerprint}"
    reason = f"the firmware is Google's, for {machine}, endorsed on {made}"
    yield _claim(NAME, measurement.hex(), Value.APPROVED_BOOT, reason, reference)
    yield _svn(firmware, policy.google.minimum_svn)
    if isinstance(verified, snp.VerifiedReport) and firmware.policy:
        yield _launch_policy(verified.report.policy, firmware.policy)


def _mr_td(verified: tdx.VerifiedQuote) -> bytes:
    return verified.quote.report.mr_td


def _claim(name: str, value: str, score: int, reason: str, reference: str | None = None) -> Claim:
    return Claim(Component.EXECUTABLES, name, value, score, reason, reference)


def _svn(firmware: Firmware, least: int) -> Claim:
    name, value = f"{NAME}.svn", str(firmware.svn)
    if firmware.svn < least:
        return _claim(name, value, Value.CONTRAINDICATED_EXECUTABLES, f"the firmware's version is below {least}")
    return _claim(name, value, Value.APPROVED_BOOT, "the firmware is recent enough", str(least))


def _launch_policy(found: int, endorsed: int) -> Claim:
    name, value = f"{NAME}.policy", f"{found:#x}"
    if found != endorsed:
        reason = f"Google launches this firmware with POLICY {endorsed:#x}"
        return Claim(Component.CONFIGURATION, name, value, Value.UNSAFE_CONFIG, reason)
    reason = "the guest's policy is the one that Google launches this firmware with"
    return Claim(Component.CONFIGURATION, name, value, Value.APPROVED_CONFIG, reason, value)
