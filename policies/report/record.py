"""JSON: every verdict, for other programs and for `--baseline`."""

import json
from dataclasses import asdict, fields
from typing import Any, Final

from policies.report.model import Report, Result, StackReport

VERSION: Final = 1


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
    results = tuple(
        Result(**{field.name: verdict[field.name] for field in fields(Result)}) for verdict in stack["verdicts"]
    )
    remedied = tuple(str(line) for line in stack.get("remedied", ()))
    return StackReport(name, str(stack["file"]), results, stack["error"], float(stack["seconds"]), remedied)


def fingerprints(text: str) -> frozenset[str]:
    """The findings of an earlier report; raises `MalformedReport` for a text that is none."""
    return frozenset(
        result.fingerprint
        for stack in read(text).stacks
        for result in stack.results
        if result.status in ("fail", "unknown")
    )
