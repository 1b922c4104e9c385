"""Markdown for a comment on a pull request, or a job's summary page."""

import re
from collections.abc import Iterator

from policies.report.model import EXIT_PASS, EXIT_UNUSABLE, Report, Result, StackReport, printable, summary

LARGEST = 60_000
"""Characters; GitHub refuses a comment above 65,536 and GitLab one above 1,000,000."""
_LONGEST_ERROR = 2_000
"""Characters of why a stack could not be checked; what a program raises may be of any length."""

_VERDICTS = {EXIT_PASS: "✅ pass", EXIT_UNUSABLE: "⚠️ could not check"}
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#+!|~@&])")


def render(report: Report) -> str:
    """A table of stacks, then a table of findings for each; cut where a comment would be too long."""
    head = ["## Policy check", "", "| Stack | Verdict | Verdicts of rules |", "| --- | --- | --- |"]
    head += [f"| {cell(one.stack)} | {_verdict(one)} | {_note(one)} |" for one in report.stacks]
    text = "\n".join(head) + "\n"
    left_out = 0
    for line in (line for stack in report.stacks for line in _findings(stack)):
        if left_out or len(text) + len(line) > LARGEST:
            left_out += line.startswith("| **")
        else:
            text += f"{line}\n"
    if left_out:
        text += f"\n{left_out} more findings are left out here: run `bailiwick check` to see them all.\n"
    return text


def _verdict(stack: StackReport) -> str:
    return _VERDICTS.get(stack.exit_code, "❌ violation")


def _note(stack: StackReport) -> str:
    return summary(stack) if stack.error is None else cell(stack.error[:_LONGEST_ERROR])


def _findings(stack: StackReport) -> Iterator[str]:
    if stack.remedied:
        yield f"\n### {cell(stack.stack)}: put right by rules\n"
        yield from (f"- {cell(line)}" for line in stack.remedied)
    if found := stack.found():
        yield f"\n### {cell(stack.stack)}\n"
        yield "| Rule | Status | Severity | Where | What |\n| --- | --- | --- | --- | --- |"
        for result in found:
            status = f"{result.status}" if result.blocks else f"{result.status}, does not block"
            yield f"| **{result.rule}** | {status} | {result.severity} | {_where(result)} | {cell(result.message)} |"


def _where(result: Result) -> str:
    name = cell(result.name)
    return f"{name}, {cell(result.place)}" if result.place else name


def cell(text: str) -> str:
    """`text` so that nothing in it is Markdown, HTML or the end of a table's cell."""
    return _SPECIAL.sub(r"\\\1", printable(text))
