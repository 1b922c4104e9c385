"""Configuration: how the VM is set up, as the paravisor says and as its firmware measured."""

from __future__ import annotations

from collections.abc import Iterator

from verifier.appraisal.azure_policy import AzurePolicy
from verifier.appraisal.result import Claim
from verifier.appraisal.vector import Component, Value
from verifier.azure import VerifiedVm


def claims(verified: VerifiedVm, policy: AzurePolicy) -> Iterator[Claim]:
    """The claims about the VM's configuration."""
    yield _secure_boot(verified, policy)
    yield _console(verified, policy)


def _claim(name: str, value: str, score: int, reason: str) -> Claim:
    return Claim(Component.CONFIGURATION, name, value, score, reason)


def _secure_boot(verified: VerifiedVm, policy: AzurePolicy) -> Claim:
    """On only if the paravisor says so, and no attested event says otherwise."""
    name, stated, measured = "secure-boot", verified.hcl.claims.configuration.secure_boot, verified.measured_secure_boot
    if stated and measured is not False:
        source = "the paravisor states it" if measured is None else "the paravisor states it, and PCR 7 agrees"
        return _claim(name, "on", Value.APPROVED_CONFIG, f"Secure Boot is on: {source}")
    reason = "PCR 7 says that Secure Boot is off" if stated else "the paravisor does not state that Secure Boot is on"
    score = Value.UNSUPPORTABLE_CONFIG if policy.require_secure_boot else Value.APPROVED_CONFIG
    return _claim(name, "off", score, reason)


def _console(verified: VerifiedVm, policy: AzurePolicy) -> Claim:
    name = "console"
    if verified.hcl.claims.configuration.console is False:
        return _claim(name, "off", Value.APPROVED_CONFIG, "the VM has no serial console")
    if policy.allow_console:
        return _claim(name, "on", Value.APPROVED_CONFIG, "the policy accepts a serial console")
    return _claim(name, "on", Value.UNSAFE_CONFIG, "the VM may have a serial console, which is the host's")
