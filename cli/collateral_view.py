"""How a collateral store looks to a person."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from rich.markup import escape
from rich.table import Table

from verifier.collateral.checking import Finding
from verifier.collateral.fetch.fetcher import Outcome

_STYLES: Final = {"valid": "green", "due": "yellow", "expired": "red", "not genuine": "red"}
_OUTCOMES: Final = {"fetched": "[green]fetched[/]", "kept": "[dim]kept[/]   ", "failed": "[red]failed[/] "}
_WIDE_SUBJECT: Final = 52


def findings_table(findings: Iterable[Finding], at: datetime) -> Table:
    """One line for each object: what it is, how old, until when, and its state."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("kind", "about", "age", "ends", "state", "object"):
        table.add_column(heading, overflow="fold")
    for finding in findings:
        record = finding.record
        ends = f"{record.next_update:%Y-%m-%d %H:%M}" if record.next_update else "-"
        state = f"[{_STYLES[finding.state]}]{finding.state}[/]"
        if finding.state == "not genuine":
            state += f" {escape(finding.reason)}"
        about = record.subject
        if len(about) > _WIDE_SUBJECT:
            about = f"{about[:16]}…{about[-20:]}"
        table.add_row(record.kind, escape(about), _days(record.age(at)), ends, state, f"{record.sha256[:12]}…")
    return table


def outcome_line(outcome: Outcome) -> str:
    """What became of one need."""
    head = f"{_OUTCOMES[outcome.state]}  {escape(outcome.need.name)}"
    if outcome.state == "failed":
        return f"{head}: {escape(outcome.reason.removeprefix(f'{outcome.need.name}: '))}"
    if outcome.record is not None and outcome.record.next_update is not None:
        return f"{head}  [dim]until {outcome.record.next_update:%Y-%m-%d %H:%M} UTC[/]"
    return head


def _days(age: timedelta) -> str:
    return f"{age.days} d" if age.days else f"{max(0, age.seconds // 3600)} h"
