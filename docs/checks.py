"""Writes docs/verifier/checks.md: every check of the verifier, every claim of a verdict and every key of a policy; and
docs/verifier/appraisal-policy.schema.json, the JSON schema of a policy file.

    python docs/checks.py

Checks and claims are read from the source of `verifier`, where they are raised and made; keys from the policy's model.
What the code works out at run time (a certificate's place in its chain, a register) is written as `*`.
"""

import ast
import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

ROOT: Final = Path(__file__).resolve().parents[1]
VERIFIER: Final = ROOT / "verifier"
PAGE: Final = ROOT / "docs" / "verifier" / "checks.md"
SCHEMA: Final = PAGE.with_name("appraisal-policy.schema.json")

sys.path.insert(0, str(ROOT))
from verifier.appraisal import AppraisalPolicy  # noqa: E402 - found once the root is on the path

FAILURES: Final = {"VerificationFailed": 0, "Refusal": 1, "Period": 0}
"""What is raised for a check that does not hold, and which argument is the check's name."""
CLAIMS: Final = {"Claim": 1, "judged": 1} | dict.fromkeys(
    ("_claim", "_good", "_bad", "_weak", "_listed", "_at_least", "_identity", "_executable"), 0
)
"""What makes a claim, and which argument is its name."""
NAME: Final = re.compile(r"[a-z*][a-z0-9*]*([.-][a-z0-9*]+)*")

HEAD: Final = """# Checks, claims and policy keys

Written by `python docs/checks.py` from the code. `*` stands for what is known only at run time: a member of a chain, a
register, a device.

"""


def page() -> str:
    """The whole page."""
    checks = _table(("check", "what it says when it fails", "where"), _rows(VERIFIER, _failures))
    claims = _table(("claim", "where"), _rows(VERIFIER / "appraisal", _claims))
    keys = _table(("key", "default", "what it demands"), _keys(AppraisalPolicy, ""))
    return (
        f"{HEAD}## Checks: is it genuine?\n\nA check that does not hold makes evidence not genuine; its id is in "
        f"`failed_check`, or in a refusal of the broker.\n\n{checks}\n"
        f"## Claims: is it acceptable?\n\nEach is a line of `--explain`, with value, tier and reason.\n\n{claims}\n"
        f"## Keys of an appraisal policy\n\nA policy file is YAML or JSON. An editor that is told its schema, "
        f"[{SCHEMA.name}]({SCHEMA.name}), says what is wrong while one writes.\n\n{keys}"
    )


def schema() -> str:
    """The JSON schema of a policy file."""
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return json.dumps(head | AppraisalPolicy.model_json_schema(), indent=2, ensure_ascii=False) + "\n"


def _table(headings: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [headings, tuple("---" for _ in headings), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', '&#124;') for cell in line)} |\n" for line in lines)


def _rows(folder: Path, found_in: Any) -> list[tuple[str, ...]]:
    """What the modules of a folder have, once each, by name."""
    rows: dict[tuple[str, str], tuple[str, ...]] = {}
    for path in sorted(folder.rglob("*.py")):
        where = path.relative_to(ROOT).as_posix()
        for name, *others in found_in(ast.parse(path.read_text(encoding="utf-8"))):
            rows.setdefault((name, where), (f"`{name}`", *others, f"`{where}`"))
    return [rows[key] for key in sorted(rows)]


def _failures(tree: ast.Module) -> Iterator[tuple[str, str]]:
    assigned = _assigned(tree)
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        position = FAILURES.get(_callee(call))
        if position is None or len(call.args) <= position:
            continue
        for name in _texts(call.args[position], assigned):
            reason = _texts(call.args[position + 1], {}, hidden="…") if len(call.args) > position + 1 else []
            if NAME.fullmatch(name) and name.strip("*."):
                yield name, reason[0] if reason else "…"


def _claims(tree: ast.Module) -> Iterator[tuple[str]]:
    """Names given to what makes a claim, or to a variable called `name`, and those that begin a row of a table."""
    for node in ast.walk(tree):
        found: list[str] = []
        if isinstance(node, ast.Call) and len(node.args) > CLAIMS.get(_callee(node), len(node.args)):
            found = _texts(node.args[CLAIMS[_callee(node)]], {})
        elif isinstance(node, ast.Assign):
            found = list(_named(node))
        elif isinstance(node, ast.Tuple) and len(node.elts) >= 3 and not _texts(node.elts[1], {}):
            found = [text for text in _texts(node.elts[0], {}) if re.search(r"[.0-9-]", text)]
        yield from ((name,) for name in found if NAME.fullmatch(name) and name.strip("*.") and len(name) > 2)


def _named(assignment: ast.Assign) -> Iterator[str]:
    (target, *_), value = assignment.targets, assignment.value
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        for one, other in zip(target.elts, value.elts, strict=False):
            if isinstance(one, ast.Name) and one.id == "name":
                yield from _texts(other, {})
    elif isinstance(target, ast.Name) and target.id in {"name", "NAME"}:
        yield from _texts(value, {})


def _callee(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _assigned(tree: ast.Module) -> dict[str, list[str]]:
    """Variable → the texts that it is given anywhere in the module."""
    found: dict[str, list[str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            found.setdefault(node.targets[0].id, []).extend(_texts(node.value, {}))
    return found


def _texts(node: ast.expr, assigned: dict[str, list[str]], hidden: str = "*") -> list[str]:
    """The texts that an expression can be, with `hidden` for what is not in the source."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    if isinstance(node, ast.JoinedStr):
        parts = [part.value if isinstance(part, ast.Constant) else hidden for part in node.values]
        return ["".join(map(str, parts))]
    if isinstance(node, ast.IfExp):
        return [*_texts(node.body, assigned, hidden), *_texts(node.orelse, assigned, hidden)]
    return assigned.get(node.id, []) if isinstance(node, ast.Name) else []


def _keys(model: type[BaseModel], prefix: str) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for name, field in model.model_fields.items():
        part = field.annotation
        if isinstance(part, type) and issubclass(part, BaseModel):
            rows += _keys(part, f"{prefix}{name}.")
        else:
            rows.append((f"`{prefix}{name}`", f"`{_default(field)}`", (field.description or "").replace("\n", " ")))
    return rows


def _default(field: FieldInfo) -> str:
    value = field.default if field.default_factory is None else field.get_default(call_default_factory=True)
    if value is PydanticUndefined:
        return "none: it must be given"
    if value is None:
        return "not looked at"
    if isinstance(value, frozenset | Mapping):
        return ", ".join(sorted(map(str, value))) or "none listed"
    return str(value).lower() if isinstance(value, bool) else str(value)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    SCHEMA.write_text(schema(), encoding="utf-8")
