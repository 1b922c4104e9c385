"""Hardware: how current the platform, the TDX module and the QE are, and how current what says so is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from verifier.appraisal.result import Claim
from verifier.appraisal.tdx_policy import TdxPolicy
from verifier.appraisal.vector import Component, Value
from verifier.tdx import TcbStatus, VerifiedQuote
from verifier.tdx.status import OUT_OF_DATE


def claims(verified: VerifiedQuote, policy: TdxPolicy) -> Iterator[Claim]:
    """The claims about the hardware."""
    yield _status(verified, policy)
    if policy.minimum_tcb_date is not None:
        yield _tcb_date(verified, policy.minimum_tcb_date)
    yield _evaluation_number(verified, policy.minimum_evaluation_number)
    if policy.maximum_collateral_age_days is not None:
        yield _age(verified, policy.maximum_collateral_age_days)
    if policy.mr_seam is not None:
        yield _module(verified, policy.mr_seam)


def _claim(name: str, value: str, score: int, reason: str, reference: str | None = None) -> Claim:
    return Claim(Component.HARDWARE, name, value, score, reason, reference)


def _status(verified: VerifiedQuote, policy: TdxPolicy) -> Claim:
    """The converged TCB status. Revoked is never acceptable; what is not UpToDate needs its advisories listed."""
    name, tcb = "tcb.status", verified.tcb
    status, advisories, value = tcb.status, tcb.advisories, tcb.status.value
    detail = _parts(verified)
    if status is TcbStatus.REVOKED:
        return _claim(name, value, Value.CONTRAINDICATED_HARDWARE, f"Intel revoked this TCB: {detail}")
    if status is TcbStatus.UP_TO_DATE:
        return _claim(name, value, Value.GENUINE_HARDWARE, f"every part is up to date: {detail}", value)
    if status in OUT_OF_DATE and policy.out_of_date_grace_days is not None:
        last = tcb.date + timedelta(days=policy.out_of_date_grace_days)
        if verified.at <= last:
            reason = f"out of date, within the policy's period of grace: {detail}"
            return _claim(name, value, Value.GENUINE_HARDWARE, reason, f"grace until {last:%Y-%m-%d}")
    if status not in policy.statuses:
        accepted = ", ".join(sorted(policy.statuses)) or "none"
        return _claim(name, value, Value.UNSAFE_HARDWARE, f"the policy accepts {accepted}: {detail}")
    open_advisories = [advisory for advisory in advisories if advisory not in policy.advisories]
    if open_advisories:
        reason = f"the policy does not list {', '.join(open_advisories)}: {detail}"
        return _claim(name, value, Value.UNSAFE_HARDWARE, reason)
    reason = f"the policy accepts this status with these advisories: {detail}"
    return _claim(name, value, Value.GENUINE_HARDWARE, reason, ", ".join(advisories) or value)


def _parts(verified: VerifiedQuote) -> str:
    """Status and date of each part, and the advisories that apply: what an operator needs in order to act."""
    tcb = verified.tcb
    parts = [("platform", tcb.platform), ("TDX module", tcb.module), ("QE", tcb.qe)]
    text = ", ".join(f"{name} {it.status} ({it.date:%Y-%m-%d})" for name, it in parts if it is not None)
    return f"{text}; {', '.join(tcb.advisories)}" if tcb.advisories else text


def _tcb_date(verified: VerifiedQuote, least: date) -> Claim:
    found = verified.tcb.date.date()
    if found < least:
        return _claim("tcb.date", str(found), Value.UNSAFE_HARDWARE, f"the TCB is older than {least}")
    return _claim("tcb.date", str(found), Value.GENUINE_HARDWARE, "the TCB is recent enough", str(least))


def _evaluation_number(verified: VerifiedQuote, least: int) -> Claim:
    """Collateral of an older TCB recovery calls a platform up to date that the newer one does not."""
    endorsement = verified.endorsement
    found = min(endorsement.tcb_info.tcb_evaluation_data_number, endorsement.qe_identity.tcb_evaluation_data_number)
    name = "collateral.evaluation-number"
    if found < least:
        reason = f"the collateral is of an older TCB recovery; the policy demands {least}"
        return _claim(name, str(found), Value.UNSAFE_HARDWARE, reason)
    return _claim(
        name, str(found), Value.GENUINE_HARDWARE, "the collateral is of a TCB recovery recent enough", str(least)
    )


def _age(verified: VerifiedQuote, days: int) -> Claim:
    endorsement, name = verified.endorsement, "collateral.age"
    issued = min(endorsement.tcb_info.issue_date, endorsement.qe_identity.issue_date)
    value = f"issued {issued:%Y-%m-%d}"
    if verified.at - issued > timedelta(days=days):
        return _claim(name, value, Value.UNSAFE_HARDWARE, f"the collateral is more than {days} days old")
    return _claim(name, value, Value.GENUINE_HARDWARE, "the collateral is recent enough", f"{days} days")


def _module(verified: VerifiedQuote, accepted: frozenset[str]) -> Claim:
    name, value = "mr-seam", verified.quote.report.mr_seam.hex()
    if value in accepted:
        return _claim(name, value, Value.GENUINE_HARDWARE, "the TDX module is on the policy's list", value)
    return _claim(name, value, Value.UNSAFE_HARDWARE, "the TDX module is not on the policy's list")
