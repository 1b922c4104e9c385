"""Secrets are compared in constant time: `==` ends at the first byte that differs, and tells how good a guess was."""

import ast
from pathlib import Path

import pytest

VERIFIER = Path(__file__).parents[2] / "verifier"
SECRETS = frozenset({"pin", "passphrase", "password"})
"""Names of values that only their owner knows. Nonces, digests and REPORT_DATA are not: the guest has them."""


def named(node: ast.expr) -> str:
    """The last part of what an expression is called, `self.pin.encode()` for example `pin`."""
    match node:
        case ast.Call(func=ast.Attribute(value=inner, attr="encode" | "digest" | "strip")):
            return named(inner)
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
        case _:
            return ""


def compared(source: str) -> list[str]:
    """Names of secrets that `source` compares with `==` or `!=`."""
    return [
        name
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Compare) and any(isinstance(operator, ast.Eq | ast.NotEq) for operator in node.ops)
        for name in (named(operand).strip("_").lower() for operand in (node.left, *node.comparators))
        if name in SECRETS
    ]


@pytest.mark.parametrize("source", ["self._pin == pin", "given.pin.encode() != known", "password == b''"])
def test_such_a_comparison_is_found(source):
    assert compared(source)


def test_no_secret_is_compared_with_an_operator():
    found = {path.name: compared(path.read_text(encoding="utf-8")) for path in VERIFIER.rglob("*.py")}
    assert {name: names for name, names in found.items() if names} == {}
