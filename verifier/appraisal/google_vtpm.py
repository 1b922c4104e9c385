"""From a verified vTPM of a Google machine to an attestation result with one submodule, `vtpm`."""

from __future__ import annotations

import hmac
from typing import Final

from verifier.appraisal import registers
from verifier.appraisal.freshness import unasked
from verifier.appraisal.policy import AppraisalPolicy
from verifier.appraisal.rejection import rejection
from verifier.appraisal.result import Appraisal, AttestationResult, Claim, Evidence
from verifier.appraisal.vector import Component, Value
from verifier.errors import VerificationFailed
from verifier.google.vtpm import VerifiedVtpm
from verifier.tpm import layout

VTPM: Final = "vtpm"


def appraise(verified: VerifiedVtpm, policy: AppraisalPolicy, *, nonce: bytes | None) -> AttestationResult:
    """Hold a genuine attestation against `policy`. nonce: what the vTPM was asked to quote, or None if nothing is."""
    pcrs = verified.quoted.pcrs.get(layout.SHA256, {})
    claims = [
        _key(verified),
        _freshness(verified.quoted.quote.extra_data, policy, nonce),
        _project(verified, policy),
        _production(verified),
        _secure_boot(verified, policy),
        *registers.listed(pcrs, policy.google.pcrs),
        *([registers.image(pcrs, policy, ())] if policy.google.pcrs is None else []),
        _platform(),
    ]
    return AttestationResult.of({VTPM: Appraisal.of(claims, policy.identifier, verified)})


def rejected(failure: VerificationFailed, policy: AppraisalPolicy, evidence: Evidence) -> AttestationResult:
    """The result for evidence that is not genuine: contraindicated, the failed check its one claim."""
    return rejection(failure, policy, VTPM, evidence)


def _identity(name: str, value: str, score: int, reason: str, reference: str | None = None) -> Claim:
    return Claim(Component.INSTANCE_IDENTITY, name, value, score, reason, reference)


def _key(verified: VerifiedVtpm) -> Claim:
    instance, anchor = verified.key.instance, verified.key.anchor
    reason = "the instance's attestation key signed the quote, and its certificate ends at a pinned root"
    reference = f"{anchor.name} root {anchor.certificate.fingerprint}"
    return _identity("attestation-key", instance.instance_name, Value.TRUSTWORTHY_INSTANCE, reason, reference)


def _freshness(found: bytes, policy: AppraisalPolicy, expected: bytes | None) -> Claim:
    name = "nonce"
    if expected is None:
        return unasked(found.hex(), policy)
    if found and hmac.compare_digest(found, expected):
        reason = "the nonce is what was expected, so the quote is fresh and made for this caller"
        return _identity(name, found.hex(), Value.TRUSTWORTHY_INSTANCE, reason, expected.hex())
    reason = "the nonce is not what was expected: an older quote, or one made for someone else"
    return _identity(name, found.hex(), Value.UNTRUSTWORTHY_INSTANCE, reason)


def _project(verified: VerifiedVtpm, policy: AppraisalPolicy) -> Claim:
    name, found, accepted = "project", verified.key.instance.project_id, policy.google.projects
    if accepted is None:
        return _identity(name, found, Value.NOT_APPRAISED, "the policy accepts instances of any project")
    if found in accepted:
        return _identity(name, found, Value.TRUSTWORTHY_INSTANCE, "the project is on the policy's list", found)
    return _identity(name, found, Value.UNRECOGNIZED_INSTANCE, "the project is not on the policy's list")


def _production(verified: VerifiedVtpm) -> Claim:
    if verified.key.instance.is_production:
        reason = "Google's authority calls the instance a production one"
        return Claim(Component.CONFIGURATION, "production", "yes", Value.APPROVED_CONFIG, reason)
    reason = "Google's authority does not call the instance a production one"
    return Claim(Component.CONFIGURATION, "production", "not stated", Value.UNSAFE_CONFIG, reason)


def _secure_boot(verified: VerifiedVtpm, policy: AppraisalPolicy) -> Claim:
    name, demanded = "secure-boot", policy.google.require_secure_boot
    if verified.measured_secure_boot:
        return Claim(Component.CONFIGURATION, name, "on", Value.APPROVED_CONFIG, "PCR 7 says that Secure Boot is on")
    value, reason = "off", "PCR 7 says that Secure Boot is off"
    if verified.measured_secure_boot is None:
        value, reason = "not known", "no event log that replays says whether Secure Boot is on"
    score = Value.UNSUPPORTABLE_CONFIG if demanded else Value.NOT_APPRAISED
    return Claim(Component.CONFIGURATION, name, value, score, reason)


def _platform() -> Claim:
    reason = "Google vouches for its own vTPM: no processor's vendor says what hardware this is or how it is patched"
    return Claim(Component.HARDWARE, "platform", "Google vTPM", Value.NOT_APPRAISED, reason)
