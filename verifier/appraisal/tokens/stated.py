"""What a token states, as claims: each member of a token that counts, and the value that it must have."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any, Final

from verifier.appraisal.coverage import without_values
from verifier.appraisal.policy import AppraisalPolicy
from verifier.appraisal.result import Claim
from verifier.appraisal.vector import Component, Value

_GOOD: Final = {
    Component.INSTANCE_IDENTITY: Value.TRUSTWORTHY_INSTANCE,
    Component.CONFIGURATION: Value.APPROVED_CONFIG,
    Component.EXECUTABLES: Value.APPROVED_BOOT,
    Component.HARDWARE: Value.GENUINE_HARDWARE,
}
_BAD: Final = {
    Component.INSTANCE_IDENTITY: Value.UNTRUSTWORTHY_INSTANCE,
    Component.CONFIGURATION: Value.UNSUPPORTABLE_CONFIG,
    Component.EXECUTABLES: Value.CONTRAINDICATED_EXECUTABLES,
    Component.HARDWARE: Value.CONTRAINDICATED_HARDWARE,
}


def member(claims: Mapping[str, Any], *path: str) -> Any:
    """A member of nested objects; None when one of them is not there."""
    found: Any = claims
    for name in path:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def judged(component: Component, name: str, value: object, *, holds: bool, demanded: str) -> Claim:
    """A claim that is affirmed if the issuer states what is demanded."""
    text = "not stated" if value is None else str(value)[:200]
    if holds:
        return Claim(component, name, text, _GOOD[component], f"the issuer states it: {demanded}", demanded)
    return Claim(component, name, text, _BAD[component], f"{demanded} is demanded, the issuer states {text}")


def debug(value: object, *, off: bool, policy: AppraisalPolicy) -> Claim:
    """Debugging: off, or at best a warning if the policy allows it; what is not stated counts as on."""
    claim = judged(Component.CONFIGURATION, "debug", value, holds=off, demanded="debugging off")
    if off or value is None or not policy.allow_debug:
        return claim
    return claim._replace(score=Value.UNSAFE_CONFIG, reason="debugging is on; the policy allows it")


def measurement(value: object, policy: AppraisalPolicy) -> Claim:
    """What was started, against the policy's list."""
    name, accepted = "measurement", policy.tokens.measurements
    text = value if isinstance(value, str) else "not stated"
    if accepted is None:
        return Claim(Component.EXECUTABLES, name, text, *without_values(policy, "measurements (tokens.measurements)"))
    if isinstance(value, str) and value.lower() in accepted:
        return Claim(Component.EXECUTABLES, name, text, Value.APPROVED_BOOT, "on the policy's list", text)
    return Claim(Component.EXECUTABLES, name, text, Value.CONTRAINDICATED_EXECUTABLES, "not on the policy's list")


def spells(value: object, nonce: bytes) -> bool:
    """Whether a member holds the nonce, or a list of them does: as text, in hex, in base64 or in base64url."""
    if isinstance(value, list):
        return any(isinstance(item, str) and spells(item, nonce) for item in value)
    if not isinstance(value, str):
        return False
    spellings = {nonce.hex(), base64.b64encode(nonce).decode(), base64.urlsafe_b64encode(nonce).decode()}
    spellings |= {text.rstrip("=") for text in spellings}
    return value in spellings or value.lower() == nonce.hex() or value.encode() == nonce
