"""JSON: every verdict, for other programs and for `--baseline`."""

import json
from dataclasses import asdict, fields
from typing import Any, Final

from policies.report.model import STATUSES, Report, Result, StackReport

VERSION: Final = 1
_TYPES: Final = {"line": int, "known": bool}
"""Types of a verdict's values that are no text."""


class MalformedReport(ValueError):  # noqa: N818 - named for what it says
    """A text that is not a report of this format."""


def render(report: Report) -> str:
    """The whole report; keys stay within `version`."""
    document = {
        "version": VERSION,
        "exit_code": report.exit_code,
        "rules": list(report.rules),
        "stacks": {stack.stack: _stack(stack) for stack in report.stacks},
    }
    return json.dumps(document, indent=2) + "\n"


def _stack(stack: StackReport) -> dict[str, Any]:
    return {
        "file": stack.file,
        "exit_code": stack.exit_code,
        "error": stack.error,
        "seconds": round(stack.seconds, 3),
        "summary": stack.counts,
        "remedied": list(stack.remedied),
        "laws": None if stack.laws is None else list(stack.laws),
        "verdicts": [_result(result) for result in stack.results],
    }


def _result(result: Result) -> dict[str, Any]:
    return {**asdict(result), "blocks": result.blocks, "fingerprint": result.fingerprint}


def read(text: str) -> Report:
    """The report that `render` wrote; raises `MalformedReport` for anything else."""
    try:
        document = json.loads(text)
        if document["version"] != VERSION:
            raise MalformedReport(f"is of version {document['version']!r}, this program reads {VERSION}")
        stacks = tuple(_read_stack(name, stack) for name, stack in document["stacks"].items())
        return Report(stacks, tuple(str(rule) for rule in document["rules"]))
    except (KeyError, TypeError, AttributeError, ValueError, RecursionError) as error:
        if isinstance(error, MalformedReport):
            raise
        raise MalformedReport("is not a report of `bailiwick check --format json`") from None


def _read_stack(name: str, stack: dict[str, Any]) -> StackReport:
    error = None if stack["error"] is None else str(stack["error"])
    remedied = tuple(str(line) for line in stack.get("remedied", ()))
    results = tuple(map(_read_result, stack["verdicts"]))
    laws = None if stack.get("laws") is None else tuple(str(law) for law in stack["laws"])
    return StackReport(name, str(stack["file"]), results, error, float(stack["seconds"]), remedied, laws)


def _read_result(verdict: dict[str, Any]) -> Result:
    values = {field.name: verdict[field.name] for field in fields(Result)}
    if any(type(value) is not _TYPES.get(name, str) for name, value in values.items()):
        raise TypeError("a verdict has a value of another type")
    if values["status"] not in STATUSES:
        raise ValueError(f"{values['status']!a} is not a status")
    return Result(**values)


def fingerprints(text: str) -> frozenset[str]:
    """The findings of an earlier report; raises `MalformedReport` for a text that is none."""
    return frozenset(
        result.fingerprint
        for stack in read(text).stacks
        for result in stack.results
        if result.status in ("fail", "unknown")
    )
