"""The catalogue on the terminal: tables, an assessment with its sources, and JSON."""

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from catalog import Assessment, Finding
from cli.catalog_rows import STYLES, FactRow, Row

_CONFIDENCES: Final = ("low", "medium", "high")
_IDS: Final = {"cloud", "region", "size", "service", "fact", "confidence", "law of"}
_LONG: Final = {"endpoint, private name", "pair"}


def show(console: Console, rows: Sequence[Row], what: str, *, as_json: bool) -> None:
    """The rows as a table with their number, or as a JSON list."""
    if as_json:
        _print_json(console, [row.document() for row in rows])
        return
    if not rows:
        console.print(f"no {what} in the catalogue meet these conditions")
        return
    console.print(_table(rows))
    console.print(f"{len(rows)} {what}")


def show_stale(console: Console, rows: Sequence[FactRow], *, as_json: bool) -> None:
    """Counts by confidence, then each fact, oldest and least certain first."""
    if as_json:
        _print_json(console, [row.document() for row in rows])
        return
    counts = Counter(row.confidence for row in rows)
    if rows:
        console.print(_table(rows))
    oldest = f"; the oldest was checked {max(row.age_days for row in rows)} days ago" if rows else ""
    shown = ", ".join(f"{counts[level]} {level}" for level in _CONFIDENCES)
    console.print(f"{len(rows)} facts ({shown} confidence){oldest}")


def show_assessment(console: Console, assessment: Assessment, *, as_json: bool) -> None:
    """Every finding on a region with its reasons and sources, then the sources in full."""
    region = assessment.region
    if as_json:
        _print_json(
            console,
            {
                "cloud": region.cloud,
                "region": region.id,
                "jurisdiction": assessment.jurisdiction,
                "reasons": sorted(assessment.reasons),
                "findings": [_finding(finding) for finding in assessment.findings],
            },
        )
        return
    console.print(
        f"[bold]{escape(region.cloud)} {escape(region.id)}[/] for a stack that must stay in {assessment.jurisdiction}"
    )
    table = Table("", "what", "why", "confidence", "sources", box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for finding in assessment.findings:
        style = STYLES[finding.verdict]
        reasons = f"\n[dim]{', '.join(finding.reasons)}[/]" if finding.reasons else ""
        table.add_row(
            f"[{style}]{finding.verdict}[/]",
            finding.subject,
            f"{escape(finding.says)}{reasons}",
            _lowest(finding),
            ", ".join(sorted(_sources(finding))),
        )
    console.print(table)
    cited: dict[str, str] = {}
    for finding in assessment.findings:
        cited |= _sources(finding)
    console.print("[bold]Sources[/]")
    for id_, text in sorted(cited.items()):
        console.print(f"  {escape(id_)}: {escape(text)}", soft_wrap=True)


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "subject": finding.subject,
        "verdict": finding.verdict,
        "says": finding.says,
        "reasons": finding.reasons,
        "confidence": _lowest(finding),
        "checked": min(fact.date for fact in finding.facts).isoformat(),
        "sources": _sources(finding),
    }


def _sources(finding: Finding) -> dict[str, str]:
    return {source.id: source.text for fact in finding.facts for source in fact.source}


def _lowest(finding: Finding) -> str:
    return min((fact.confidence for fact in finding.facts), key=_CONFIDENCES.index)


def _table(rows: Sequence[Row]) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for heading in rows[0].headings():
        table.add_column(heading, no_wrap=heading in _IDS, overflow="fold" if heading in _LONG else "ellipsis")
    for row in rows:
        table.add_row(*row.cells())
    return table


def _print_json(console: Console, document: object) -> None:
    console.file.write(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
