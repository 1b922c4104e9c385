"""Instance identity: which device vouches for the report, and whether the report is about this conversation."""

from __future__ import annotations

import hmac
from collections.abc import Iterator

from verifier.appraisal.freshness import unasked
from verifier.appraisal.nvidia_policy import NvidiaPolicy
from verifier.appraisal.policy import AppraisalPolicy
from verifier.appraisal.result import Claim
from verifier.appraisal.vector import Component, Value
from verifier.nvidia import Revocation, VerifiedDevice


def claims(verified: VerifiedDevice, policy: AppraisalPolicy, nonce: bytes | None) -> Iterator[Claim]:
    """The claims about the instance's identity."""
    yield _chain(verified)
    yield _firmware(verified)
    yield _revocation(verified, policy)
    yield _device(verified, policy.nvidia)
    yield _freshness(verified.report.nonce, policy, nonce)


def _claim(name: str, value: str, score: int, reason: str, reference: str | None = None) -> Claim:
    return Claim(Component.INSTANCE_IDENTITY, name, value, score, reason, reference)


def _chain(verified: VerifiedDevice) -> Claim:
    chain = verified.device.chain
    value = " < ".join(member.certificate.common_name for member in chain.members)
    reference = f"{chain.anchor.name} root {chain.root.fingerprint}"
    reason = "the report is signed, and the chain ends at a pinned root"
    return _claim("chain", value, Value.TRUSTWORTHY_INSTANCE, reason, reference)


def _firmware(verified: VerifiedDevice) -> Claim:
    """The firmware identifier: under the leaf's signature always, in the report only with newer drivers."""
    stated = verified.report.opaque.fwid
    if stated is None:
        reason = "the report does not repeat the firmware identifier of its certificate"
        return _claim("fwid", "not stated", Value.NOT_APPRAISED, reason)
    reason = "the report comes from the firmware that the certificate is for"
    return _claim("fwid", stated.hex(), Value.TRUSTWORTHY_INSTANCE, reason, "FWID of the leaf certificate")


def _revocation(verified: VerifiedDevice, policy: AppraisalPolicy) -> Claim:
    """The device's certificates but for the leaf, which the device issues itself, and those that signed its RIMs."""
    states = {f"chain.{role}": state for role, state in verified.revocation.items()}
    for kind, signers in verified.rim_revocation.items():
        states |= {f"rim.{kind}.{role}": state for role, state in signers.items()}
    held = [name for name, state in states.items() if state is Revocation.HOLD]
    unknown = [name for name, state in states.items() if state is Revocation.NOT_CHECKED]
    if held and not policy.nvidia.allow_certificate_hold:
        reason = f"on hold, says the issuer's responder: {', '.join(held)}"
        return _claim("revocation", Revocation.HOLD, Value.UNTRUSTWORTHY_INSTANCE, reason)
    if unknown and policy.revocation == "required":
        reason = f"the policy demands OCSP responses, none was given for {', '.join(unknown)}"
        return _claim("revocation", Revocation.NOT_CHECKED, Value.UNTRUSTWORTHY_INSTANCE, reason)
    if unknown:
        reason = f"no OCSP response was given for {', '.join(unknown)}"
        return _claim("revocation", Revocation.NOT_CHECKED, Value.NOT_APPRAISED, reason)
    if held:
        reason = f"the policy accepts certificates on hold: {', '.join(held)}"
        return _claim("revocation", Revocation.HOLD, Value.TRUSTWORTHY_INSTANCE, reason, "allow_certificate_hold")
    reason = "no certificate of the device or behind its RIMs is revoked"
    return _claim("revocation", "checked", Value.TRUSTWORTHY_INSTANCE, reason)


def _device(verified: VerifiedDevice, policy: NvidiaPolicy) -> Claim:
    name, pdi = "pdi", verified.device.pdi.hex()
    if policy.devices is None:
        return _claim(name, pdi, Value.TRUSTWORTHY_INSTANCE, "the certificate is this device's", "BROM certificate")
    if pdi in policy.devices:
        return _claim(name, pdi, Value.TRUSTWORTHY_INSTANCE, "the device is on the policy's list", pdi)
    return _claim(name, pdi, Value.UNRECOGNIZED_INSTANCE, "the device is not on the policy's list")


def _freshness(found: bytes, policy: AppraisalPolicy, expected: bytes | None) -> Claim:
    name = "nonce"
    if expected is None:
        return unasked(found.hex(), policy)
    if hmac.compare_digest(found, expected):
        reason = "the device was asked with the expected nonce, so the report is fresh and bound to this caller"
        return _claim(name, found.hex(), Value.TRUSTWORTHY_INSTANCE, reason, expected.hex())
    reason = "the device was asked with another nonce: an older report, or one made for someone else"
    return _claim(name, found.hex(), Value.UNTRUSTWORTHY_INSTANCE, reason)
