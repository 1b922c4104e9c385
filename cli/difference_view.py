"""Differences between two versions of a stack, as Markdown for a comment on a pull request."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from rich.text import Text

import catalog
from cli.difference import Difference, Edge
from cli.display import short_type, shown, summary
from policies.report.markdown import cell
from sandbox.engine.events import Step

_MARKS: Final = {"create": "+", "update": "~", "replace": "±", "delete": "-", "import": "=", "read": ">"}
SMALLEST: Final = 4_000
"""Characters that differences get however long the verdicts are; both fit a comment of 65,536 together."""
_NO_CLOUD: Final = ("bailiwick:", "pulumi:")
"""Types of what groups resources and is none in the cloud."""
_MOST_PROPERTIES: Final = 8
"""Properties of one resource that are shown; the rest are counted."""


def render(differences: Sequence[Difference], ref: str, room: int) -> str:
    """At most `room` characters: what does not fit is counted."""
    text = f"\n## What changes since {cell(ref)}\n"
    if not differences:
        return f"{text}\nNo stack changes.\n"
    left_out = 0
    for line in (line for one in differences for line in _lines(one)):
        if left_out or len(text) + len(line) > room:
            left_out += 1
        else:
            text += f"{line}\n"
    return f"{text}\n{left_out} more lines are left out here.\n" if left_out else text


def _lines(one: Difference) -> Iterator[str]:
    yield f"\n### {cell(one.stack)}\n"
    if one.error is not None:
        yield f"⚠️ could not be compared: {cell(one.error)}"
        return
    if one.removed:
        yield "**The stack file is removed**; what it deployed stays until `destroy`.\n"
    steps = [step for step in one.steps if not step.type.startswith(_NO_CLOUD)]
    counts = _plain(summary(Counter(step.op for step in steps), done=False))
    if one.new:
        yield f"New stack: {counts}; `bailiwick preview {cell(one.stack)}` names them."
    elif changing := [step for step in steps if step.op != "same"]:
        yield f"{counts}.\n"
        yield "| | Resource | Type | Properties |\n| --- | --- | --- | --- |"
        for step in changing:
            mark = _MARKS.get(step.op, step.op)
            yield f"| {mark} | {cell(step.name)} | {cell(short_type(step.type))} | {_properties(step)} |"
    yield from _graph(one)


def _properties(step: Step) -> str:
    if step.op not in ("update", "replace"):
        return ""
    told = [_property(step, path) for path in step.changed[:_MOST_PROPERTIES]]
    more = len(step.changed) - len(told)
    return "<br>".join(told + ([f"and {more} more"] if more else []))


def _property(step: Step, path: str) -> str:
    old, new = (cell(_plain(shown(values.get(path)))) for values in (step.old, step.new))
    change = f"{old} → {new}" if old != new else "changed"
    return f"{cell(path)}: {change}" + (" **forces replacement**" if path in step.replaces else "")


def _plain(markup: str) -> str:
    return Text.from_markup(markup).plain


def _graph(one: Difference) -> Iterator[str]:
    edges = one.edges()
    if not edges:
        if not one.removed:
            yield f"\nJurisdiction graph: unchanged, {len(one.after)} dependencies."
        return
    counts = Counter(mark for mark, _ in edges)
    yield f"\nJurisdiction graph: {counts['+']} added, {counts['-']} removed, {counts['~']} changed.\n"
    yield "| | Dependency | Endpoint | Where | Operator | Laws that reach it | Carries |\n" + "| --- " * 7 + "|"
    for mark, edge in edges:
        yield f"| {mark} | {' | '.join(_fields(edge, one.jurisdiction))} |"


def _fields(edge: Edge, jurisdiction: str) -> Iterator[str]:
    where = cell(f"{edge['location']}, {edge['jurisdiction']}")
    inside = not jurisdiction or catalog.load().within(edge["jurisdiction"], jurisdiction)
    yield cell(f"{edge['kind']} {edge['name']}")
    yield cell(str(edge["endpoint"]))
    yield where if inside else f"**{where}: leaves {cell(jurisdiction)}**"
    yield cell(str(edge["operator"]))
    yield cell(", ".join(edge["legalReach"]))
    yield cell(str(edge["carries"]))
