"""Configuration: what the TD's attributes let the host and the TD do, and what the host was told about it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from verifier.appraisal.policy import AppraisalPolicy
from verifier.appraisal.result import Claim
from verifier.appraisal.tdx_policy import TdxPolicy
from verifier.appraisal.vector import Component, Value
from verifier.tdx import TdReport, TdxQuote
from verifier.tdx.layout import TD_ATTRIBUTES_UNKNOWN, UNDER_DEBUG, TdAttributes

_NONE_BOUND: Final = bytes(48)


def claims(quote: TdxQuote, policy: AppraisalPolicy) -> Iterator[Claim]:
    """The claims about the configuration."""
    report, tdx = quote.report, policy.tdx
    yield _debug(report, allowed=policy.allow_debug)
    yield _sept_ve_disable(report, tdx)
    yield _migration(report, policy)
    if report.mr_service_td is not None:
        yield _service_td(report.mr_service_td, tdx)
    yield from _attributes(report, tdx)
    yield _xfam(report.xfam, tdx.xfam)
    if quote.padding and not tdx.allow_padding:
        yield _bad("padding", f"{quote.padding} bytes", "zero bytes follow the quote")
    yield from _lists(report, tdx)


def _good(name: str, value: str, reason: str, reference: str | None = None) -> Claim:
    return Claim(Component.CONFIGURATION, name, value, Value.APPROVED_CONFIG, reason, reference)


def _bad(name: str, value: str, reason: str) -> Claim:
    return Claim(Component.CONFIGURATION, name, value, Value.UNSUPPORTABLE_CONFIG, reason)


def _weak(name: str, value: str, reason: str) -> Claim:
    return Claim(Component.CONFIGURATION, name, value, Value.UNSAFE_CONFIG, reason)


def _debug(report: TdReport, *, allowed: bool) -> Claim:
    """Any bit of the TUD group; a TD under debug is never better than a warning."""
    name, bits = "policy.debug", report.td_attributes & UNDER_DEBUG
    if not bits:
        return _good(name, "off", "the host cannot debug the TD", "TDATTRIBUTES 7:0 clear")
    if allowed:
        return _weak(name, f"{bits:#x}", "the host can read the TD's memory; the policy allows it")
    return _bad(name, f"{bits:#x}", "TDATTRIBUTES has bits of the debug group set: the TD is not to be trusted")


def _sept_ve_disable(report: TdReport, policy: TdxPolicy) -> Claim:
    name = "td.sept-ve-disable"
    if report.has(TdAttributes.SEPT_VE_DISABLE):
        return _good(name, "on", "the host cannot inject #VE by unmapping pages", "SEPT_VE_DISABLE set")
    if policy.require_sept_ve_disable:
        return _bad(name, "off", "SEPT_VE_DISABLE is clear: the host can inject #VE by unmapping pages")
    return _good(name, "off", "the policy does not demand SEPT_VE_DISABLE", "require_sept_ve_disable: false")


def _migration(report: TdReport, policy: AppraisalPolicy) -> Claim:
    """A migratable TD's state goes to its migration TD, which MRSERVICETD names."""
    name = "policy.migration"
    if not report.has(TdAttributes.MIGRATABLE):
        return _good(name, "off", "the TD cannot be migrated", "MIGRATABLE clear")
    if policy.allow_migration:
        return _good(name, "allowed", "the policy accepts migratable TDs", "allow_migration")
    service = report.mr_service_td
    if service is not None and service.hex() in policy.tdx.service_tds:
        return _good(name, "allowed", "the migration TD is on the policy's list", service.hex())
    return _bad(name, "allowed", "MIGRATABLE is set: a migration TD that is not on the policy's list may get the state")


def _service_td(value: bytes, policy: TdxPolicy) -> Claim:
    name = "td.service-td"
    if value == _NONE_BOUND:
        return _good(name, "none", "no service TD is bound", "MRSERVICETD zero")
    if value.hex() in policy.service_tds:
        return _good(name, value.hex(), "the service TDs are on the policy's list", value.hex())
    return _bad(name, value.hex(), "service TDs are bound that are not on the policy's list")


def _attributes(report: TdReport, policy: TdxPolicy) -> Iterator[Claim]:
    """Attributes that widen what a TD may use; only those that are set are worth a claim."""
    for name, bit, allowed in (
        ("td.protection-keys", TdAttributes.PKS, policy.allow_protection_keys),
        ("td.key-locker", TdAttributes.KL, policy.allow_key_locker),
        ("td.perfmon", TdAttributes.PERFMON, policy.allow_perfmon),
    ):
        if report.has(bit) and allowed:
            yield _good(name, "on", "the policy accepts it", f"{bit.name} set")
        elif report.has(bit):
            yield _bad(name, "on", f"{bit.name} is set, the policy does not accept it")
    unknown = report.td_attributes & TD_ATTRIBUTES_UNKNOWN
    if unknown:
        yield _bad("td.unknown", f"{unknown:#x}", "TDATTRIBUTES has bits that this verifier does not know")


def _xfam(found: int, allowed: int) -> Claim:
    extra = found & ~allowed
    if extra:
        return _bad(
            "td.xfam", f"{found:#x}", f"the TD may use extended features {extra:#x} that the policy does not list"
        )
    return _good("td.xfam", f"{found:#x}", "the extended features are among the policy's", f"{allowed:#x}")


def _lists(report: TdReport, policy: TdxPolicy) -> Iterator[Claim]:
    """What the host configured the TD with, where the policy lists it."""
    for name, value, accepted in (
        ("mr-config-id", report.mr_config_id, policy.mr_config_id),
        ("mr-owner", report.mr_owner, policy.mr_owner),
        ("mr-owner-config", report.mr_owner_config, policy.mr_owner_config),
    ):
        if accepted is None:
            continue
        if value.hex() in accepted:
            yield _good(name, value.hex(), "on the policy's list", value.hex())
        else:
            yield _bad(name, value.hex(), "not on the policy's list")
