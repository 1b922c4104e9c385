"""Workflow commands of GitHub Actions: one annotation at the line of each finding.

Escaping is that of the `actions/toolkit` command protocol: `%`, CR and LF in texts, `:` and `,` in properties too.
"""

from policies.report.model import Report, Result, StackReport, printable, summary


def render(report: Report) -> str:
    """Annotations, then one notice for each stack with its counts."""
    found = [_annotation(stack, result) for stack, result in report.found()]
    return "".join(f"{line}\n" for line in (*found, *(_closing(stack) for stack in report.stacks)))


def _annotation(stack: StackReport, result: Result) -> str:
    command = "error" if result.blocks else "warning"
    place = {"file": result.file or stack.file, "line": str(result.line or 1), "title": f"{result.rule} {stack.stack}"}
    properties = ",".join(f"{key}={_property(printable(value))}" for key, value in place.items())
    return f"::{command} {properties}::{_text(printable(result.message))}"


def _closing(stack: StackReport) -> str:
    if stack.error is not None:
        title = f"could not check {stack.stack}"
        place = f"file={_property(printable(stack.file))},title={_property(printable(title))}"
        return f"::error {place}::{_text(printable(stack.error))}"
    return f"::notice title={_property(printable(stack.stack))}::{_text(summary(stack))}"


def _text(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _text(text).replace(":", "%3A").replace(",", "%2C")
