"""The bundle as a page for a person: one HTML file without scripts and without anything to load."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import jinja2

from verifier import canonical
from verifier.evidence import bundle as bundles
from verifier.evidence.drawing import draw
from verifier.evidence.outcome import Verification


def render_html(bundle: bytes | Mapping[str, Any], verification: Verification) -> str:
    """The page. Verified or not, it says so first; what a failed verification could not read is left out.

    bundle: the file that was verified. Its statements are shown only as `verification` found them signed.
    """
    statements = verification.statements
    content = bundle if isinstance(bundle, bytes) else bundles.to_bytes(bundle)
    return (
        _environment()
        .get_template("page.html")
        .render(
            verification=verification,
            standalone=False,
            size=len(content),
            statements=statements,
            drawing=_drawing(verification),
            decisions=_decisions(statements),
            claims=_claims(statements),
            verdicts=_verdicts(statements),
            resources=statements.get("inputs", {}).get("resources", []),
        )
    )


def render_svg(stack: str, statement: Mapping[str, Any]) -> str:
    """The jurisdiction graph alone, as an SVG image. statement: as `drawing.draw` takes it."""
    return _environment().get_template("graph.svg").render(drawing=draw(stack, statement), standalone=True)


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["short"] = _short
    return environment


def _drawing(verification: Verification) -> Any:
    try:
        return draw(str(verification.stack), verification.statements["jurisdiction"])
    except (KeyError, TypeError):
        return None


def _decisions(statements: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The log's entries, newest first, each with its number."""
    try:
        return [receipt["entry"] | {"index": receipt["index"]} for receipt in statements["receipts"]["receipts"]][::-1]
    except (KeyError, TypeError):
        return []


def _claims(statements: Mapping[str, Any]) -> list[dict[str, Any]]:
    """For each attestation: its digests and the claims of its result token."""
    found = []
    try:
        for item in statements["attestation"]["results"]:
            payload = item["result"].split(".")[1]
            token = canonical.parse_object(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
            submods = token["submods"]
            claims = [
                {"submod": submod, "name": name, **claim}
                for submod, appraisal in submods.items()
                for name, claim in appraisal["ear.veraison.policy-claims"].items()
            ]
            found.append({"token": token, "claims": claims, "digest": item["result_digest"], "tee": token.get("tee")})
    except (KeyError, TypeError, ValueError, IndexError, AttributeError):
        return []
    return found


def _verdicts(statements: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One row for each rule: how often it gave which status, and the messages of those that did not pass."""
    rows: dict[str, dict[str, Any]] = {}
    try:
        for verdict in statements["policy"]["verdicts"]:
            row = rows.setdefault(
                verdict["rule"], {"rule": verdict["rule"], "level": verdict["level"], "counts": {}, "messages": []}
            )
            row["counts"][verdict["status"]] = row["counts"].get(verdict["status"], 0) + 1
            if verdict["status"] not in ("pass", "not_applicable"):
                row["messages"].append(verdict.get("message", ""))
    except (KeyError, TypeError):
        return []
    return [rows[rule] for rule in sorted(rows)]


def _short(value: Any, length: int = 16) -> str:
    text = str(value)
    return text if len(text) <= length + 1 else text[:length] + "…"
