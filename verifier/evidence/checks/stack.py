"""The stack: which program, under which policies, with which dependencies, and what holds its keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from verifier.evidence.outcome import Verification, count

Statements = Mapping[str, dict[str, Any]]

_NOT_PASSED = ("fail", "unknown")


def check(statements: Statements, outcome: Verification) -> None:
    """Commit, policy verdicts, jurisdiction graph and key store."""
    _commit(statements["deployment"]["commit"] or {}, outcome)
    _verdicts(statements["policy"]["verdicts"], outcome)
    _graph(statements["jurisdiction"], outcome)
    _keystore(statements["verifier"]["keystore"], outcome)


def _commit(commit: Mapping[str, Any], outcome: Verification) -> None:
    problems = [] if commit.get("sha") else ["no commit is recorded"]
    if commit.get("dirty"):
        problems.append(f"commit {commit.get('sha')} had changes that were not committed")
    outcome.add(
        "stack.commit", "The program's source is named", problems, f"commit {commit.get('sha')}", otherwise="warning"
    )


def _verdicts(verdicts: list[dict[str, Any]], outcome: Verification) -> None:
    problems = [
        f"{verdict['rule']} is {verdict['status']} for {verdict['urn']}"
        for verdict in verdicts
        if verdict["level"] == "mandatory" and verdict["status"] in _NOT_PASSED
    ]
    if not verdicts:
        problems.append("no policy verdict is recorded")
    passed = sum(verdict["status"] == "pass" for verdict in verdicts)
    rules = len({verdict["rule"] for verdict in verdicts})
    outcome.add(
        "policy.verdicts",
        "No mandatory policy is violated",
        problems,
        f"{count(passed, 'passing verdict')} of {count(rules, 'rule')}",
    )


def _graph(graph: Mapping[str, Any], outcome: Verification) -> None:
    dependencies, inside = graph["dependencies"], graph["inside"]
    leaving = [edge for edge in dependencies if edge["jurisdiction"] not in inside]
    problems = [
        f"{edge['name']} ({edge['kind']}) is in {edge['jurisdiction']} and carries {edge.get('carries', 'content')}"
        for edge in leaving
        if edge.get("carries") != "metadata"
    ]
    if not dependencies:
        problems.append("no dependency is recorded")
    if graph["jurisdiction"] not in inside:
        problems.append(f"{graph['jurisdiction']} is not listed as inside itself")
    found = f"dependencies inside {graph['jurisdiction']}: {len(dependencies) - len(leaving)}"
    if leaving:
        found += f"; outside, with metadata only: {len(leaving)}"
    outcome.add("jurisdiction.graph", "Content, keys and evidence stay inside the jurisdiction", problems, found)


def _keystore(keystore: Mapping[str, Any], outcome: Verification) -> None:
    description = str(keystore.get("description", ""))
    problems = [] if keystore.get("is_hsm") is True else [f"the keys are not in an HSM: {description}"]
    outcome.add("keys.hsm", "Keys live in an HSM", problems, description, otherwise="warning")
