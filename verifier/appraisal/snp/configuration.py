"""Configuration: what the guest's policy lets the host do, and what the host was told about the guest."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from verifier.appraisal.policy import AppraisalPolicy
from verifier.appraisal.result import Claim
from verifier.appraisal.vector import Component, Value
from verifier.reference import ReferenceValues
from verifier.snp import SnpReport
from verifier.snp.layout import GUEST_POLICY_UNKNOWN, GuestPolicy

_NO_MIGRATION_AGENT: Final = b"\xff" * 32


def claims(report: SnpReport, policy: AppraisalPolicy, reference: ReferenceValues | None) -> Iterator[Claim]:
    """The claims about the configuration; `reference`: the image's values, with the policy it is launched with."""
    yield _debug(report, policy)
    yield _migration(report, policy)
    yield from _bits(report, policy)
    if report.policy & GUEST_POLICY_UNKNOWN:
        unknown = report.policy & GUEST_POLICY_UNKNOWN
        yield _bad("policy.unknown", f"{unknown:#x}", "the guest's policy has bits that this verifier does not know")
    yield _at_least("policy.abi", report.abi, policy.minimum_abi, "ABI that the guest's policy demands")
    yield _at_least("guest-svn", (report.guest_svn,), (policy.minimum_guest_svn,), "GUEST_SVN")
    if policy.host_data is not None:
        value = report.host_data.hex()
        if value in policy.host_data:
            yield _good("host-data", value, "HOST_DATA is on the policy's list", value)
        else:
            yield _bad("host-data", value, "HOST_DATA is not on the policy's list")
    if reference is not None:
        yield _as_built(report, reference)


def _good(name: str, value: str, reason: str, reference: str | None = None) -> Claim:
    return Claim(Component.CONFIGURATION, name, value, Value.APPROVED_CONFIG, reason, reference)


def _weak(name: str, value: str, reason: str) -> Claim:
    return Claim(Component.CONFIGURATION, name, value, Value.UNSAFE_CONFIG, reason)


def _bad(name: str, value: str, reason: str) -> Claim:
    return Claim(Component.CONFIGURATION, name, value, Value.UNSUPPORTABLE_CONFIG, reason)


def _debug(report: SnpReport, policy: AppraisalPolicy) -> Claim:
    """A debug guest is never better than a warning: the host can read all of it."""
    name = "policy.debug"
    if not report.allows(GuestPolicy.DEBUG):
        return _good(name, "off", "the host cannot debug the guest", "DEBUG clear")
    if policy.allow_debug:
        return _weak(name, "on", "the host can read the guest's memory; the policy allows it")
    return _bad(name, "on", "DEBUG is set: the host can read the guest's memory")


def _migration(report: SnpReport, policy: AppraisalPolicy) -> Claim:
    """MIGRATE_MA in the policy, or an agent bound by REPORT_ID_MA: either gives an agent the guest's state.

    A guest has no other agent than the one that it was launched with.
    """
    name = "policy.migration"
    bound = report.report_id_ma != _NO_MIGRATION_AGENT
    if not report.allows(GuestPolicy.MIGRATE_MA) and not bound:
        return _good(name, "off", "no migration agent can be bound", "MIGRATE_MA clear")
    agent = report.report_id_ma.hex()
    value = f"agent {agent}" if bound else "allowed"
    if bound and policy.migration_agents is not None:
        if agent in policy.migration_agents:
            return _good(name, value, "the migration agent is on the policy's list", agent)
        return _bad(name, value, "the migration agent is not on the policy's list")
    if policy.allow_migration:
        return _good(name, value, "the policy accepts migration agents", "allow_migration")
    return _bad(name, value, "a migration agent may hold the guest's keys")


def _bits(report: SnpReport, policy: AppraisalPolicy) -> Iterator[Claim]:
    """The yes-or-no demands on the guest's policy."""
    smt, cxl = report.allows(GuestPolicy.SMT), report.allows(GuestPolicy.CXL_ALLOW)
    if smt and not policy.allow_smt:
        yield _bad("policy.smt", "allowed", "the guest's policy allows SMT")
    else:
        yield _good("policy.smt", "allowed" if smt else "off", "as the policy accepts")
    if cxl and not policy.allow_cxl:
        yield _bad("policy.cxl", "allowed", "the guest's policy allows CXL devices")
    demands = (
        ("policy.single-socket", GuestPolicy.SINGLE_SOCKET, policy.require_single_socket),
        ("policy.aes-256-xts", GuestPolicy.MEM_AES_256_XTS, policy.require_aes_256_xts),
        ("policy.rapl-disabled", GuestPolicy.RAPL_DIS, policy.require_rapl_disabled),
        ("policy.ciphertext-hiding", GuestPolicy.CIPHERTEXT_HIDING, policy.require_ciphertext_hiding),
        ("policy.page-swap-disable", GuestPolicy.PAGE_SWAP_DISABLE, policy.require_page_swap_disabled),
    )
    for name, bit, demanded in demands:
        if demanded and report.allows(bit):
            yield _good(name, "on", "the guest's policy demands it", f"{bit.name} set")
        elif demanded:
            yield _bad(name, "off", f"{bit.name} is clear, the policy demands it")


def _at_least(name: str, found: tuple[int, ...], least: tuple[int, ...], what: str) -> Claim:
    value, floor = (".".join(map(str, numbers)) for numbers in (found, least))
    if found < least:
        return _bad(name, value, f"{what} is below {floor}")
    return _good(name, value, f"{what} is high enough", floor)


def _as_built(report: SnpReport, reference: ReferenceValues) -> Claim:
    """The guest's policy against the one that the image is meant to be launched with."""
    wanted = reference.guest_policy
    pairs = (
        ("debug", GuestPolicy.DEBUG, wanted.debug),
        ("migrate_ma", GuestPolicy.MIGRATE_MA, wanted.migrate_ma),
        ("smt", GuestPolicy.SMT, wanted.smt),
        ("single_socket", GuestPolicy.SINGLE_SOCKET, wanted.single_socket),
    )
    different = [
        f"{name} is {str(report.allows(bit)).lower()}"
        for name, bit, expected in pairs
        if expected is not None and report.allows(bit) != expected
    ]
    if wanted.abi is not None and report.abi < wanted.abi:
        different.append("abi is {}.{}".format(*report.abi))
    value = f"{report.policy:#x}"
    if different:
        return _bad(
            "policy.reference", value, f"not launched as {reference.name} is meant to be: {', '.join(different)}"
        )
    return _good("policy.reference", value, "launched as the image is meant to be", reference.name)
