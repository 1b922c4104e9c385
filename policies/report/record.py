"""JSON: every verdict, for other programs and for `--baseline`."""

import json
from dataclasses import asdict
from typing import Any, Final

from policies.report.model import Report, Result, StackReport

VERSION: Final = 1


class MalformedBaseline(ValueError):  # noqa: N818 - named for what it says
    """A baseline that is not a report of this format."""


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
        "verdicts": [_result(result) for result in stack.results],
    }


def _result(result: Result) -> dict[str, Any]:
    return {**asdict(result), "blocks": result.blocks, "fingerprint": result.fingerprint}


def fingerprints(text: str) -> frozenset[str]:
    """The findings of an earlier report; raises `MalformedBaseline` for anything else."""
    try:
        document = json.loads(text)
        if document["version"] != VERSION:
            raise MalformedBaseline(f"is of version {document['version']!r}, this program reads {VERSION}")
        return frozenset(
            str(verdict["fingerprint"])
            for stack in document["stacks"].values()
            for verdict in stack["verdicts"]
            if verdict["status"] in ("fail", "unknown")
        )
    except (KeyError, TypeError, AttributeError, ValueError, RecursionError) as error:
        if isinstance(error, MalformedBaseline):
            raise
        raise MalformedBaseline("is not a report of `bailiwick check --format json`") from None
