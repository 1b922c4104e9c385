"""SARIF 2.1.0 (OASIS), for code scanning: rules with their documentation, findings with their place."""

import json
from typing import Any, Final
from urllib.parse import quote

from policies.pack import NAME, RULES, VERSION
from policies.report.model import FOUND, Report, Result, StackReport, printable
from policies.rule import Rule

SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS: Final = {"critical": "error", "high": "error", "medium": "warning", "low": "note"}
# `security-severity` is GitHub's own property: CVSS-like, 9 and above is critical.
_SCORES: Final = {"critical": "9.5", "high": "8.0", "medium": "5.5", "low": "2.0"}


def render(report: Report) -> str:
    """One run; waived findings are results that somebody suppressed, those of a baseline are unchanged ones."""
    rules = [rule for rule in RULES if rule.id in report.rules]
    index = {rule.id: number for number, rule in enumerate(rules)}
    run: dict[str, Any] = {
        "tool": {
            "driver": {
                "name": NAME,
                "version": VERSION,
                "informationUri": "https://bailiwick.dev",
                "rules": [_rule(rule) for rule in rules],
            }
        },
        "columnKind": "unicodeCodePoints",
        "invocations": [
            {
                "executionSuccessful": all(stack.error is None for stack in report.stacks),
                "toolExecutionNotifications": [_notification(one) for one in report.stacks if one.error is not None],
            }
        ],
        "results": [
            _result(stack, result, index)
            for stack in report.stacks
            for result in stack.results
            if result.status in FOUND
        ],
        "properties": {"verdicts": {printable(stack.stack): stack.counts for stack in report.stacks}},
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _rule(rule: Rule) -> dict[str, Any]:
    severity = rule.severity.value
    return {
        "id": rule.id,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.why},
        "help": {"text": f"{rule.remediation}.", "markdown": f"{rule.remediation}. See [{rule.id}]({rule.url})."},
        "helpUri": rule.url,
        "defaultConfiguration": {"level": _LEVELS[severity]},
        "properties": {"tags": ["security", *rule.clouds], "security-severity": _SCORES[severity]},
    }


def _result(stack: StackReport, result: Result, index: dict[str, int]) -> dict[str, Any]:
    region = {"region": {"startLine": result.line}} if result.line else {}
    found: dict[str, Any] = {
        "ruleId": result.rule,
        "level": _LEVELS.get(result.severity, "error"),
        "kind": "fail",
        "message": {"text": printable(result.message)},
        "locations": [
            {
                "physicalLocation": {"artifactLocation": {"uri": _uri(result.file or stack.file)}, **region},
                "logicalLocations": [{"fullyQualifiedName": printable(result.urn), "kind": "resource"}],
            }
        ],
        "partialFingerprints": {"bailiwickFinding/v1": result.fingerprint},
        "baselineState": "unchanged" if result.known else "new",
        "properties": {"stack": printable(stack.stack), "status": result.status},
    }
    if result.rule in index:
        found["ruleIndex"] = index[result.rule]
    if result.status == "waived":
        found["suppressions"] = [{"kind": "external", "status": "accepted", "justification": found["message"]["text"]}]
    return found


def _notification(stack: StackReport) -> dict[str, Any]:
    return {
        "level": "error",
        "message": {"text": printable(f"{stack.stack}: {stack.error}")},
        "locations": [{"physicalLocation": {"artifactLocation": {"uri": _uri(stack.file)}}}],
    }


def _uri(path: str) -> str:
    return quote(printable(path).replace("\\", "/"))
