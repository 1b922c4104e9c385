"""Each argument that weakens a component trips a rule: generated from the components' own words."""

import ast
import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic.alias_generators import to_camel

import components
from policies import pack
from policies.examples import aws, gcp, kubernetes
from policies.rule import Example, ExampleResource
from policies.testing import judge

ROOT = Path(components.__file__).parent
CONFIG = {
    "azure": {},
    "gcp": gcp.CONFIG,
    "aws": aws.CONFIG,
    "kubernetes": kubernetes.CONFIG,
}
WITHOUT_A_RULE = {"gcp/confidential_cluster.py destroyable": "what a cluster runs is kept elsewhere"}
"""Weaknesses that no rule refuses, and why."""


def weaknesses() -> Iterator[tuple[str, str, str]]:
    """File, type token and argument of every argument whose description begins with "Weakness:"."""
    for cloud in CONFIG:
        for path in sorted((ROOT / cloud).glob("*.py")):
            tree = ast.parse(path.read_text())
            token = next(filter(None, map(_token, tree.body)), "")
            for body in [node.body for node in tree.body if isinstance(node, ast.ClassDef)]:
                for field, text in itertools.pairwise(body):
                    if isinstance(field, ast.AnnAssign) and _words(text).startswith("Weakness:"):
                        yield f"{cloud}/{path.name}", token, ast.unparse(field.target)


def _token(node: ast.stmt) -> str:
    """The value of `TYPE = "…"`, empty for any other statement."""
    is_type = isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == ["TYPE"]
    return str(ast.literal_eval(node.value)) if is_type and isinstance(node, ast.Assign) else ""


def _words(node: ast.stmt) -> str:
    """The text of a string that stands alone, empty for any other statement."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return str(node.value.value)
    return ""


def broken(file: str, token: str, argument: str, *, given: bool) -> set[str]:
    """The rules that a component breaks with the argument, or without, in a stack that is real."""
    resource = ExampleResource(token, "one", {to_camel(argument): given})
    config = {**CONFIG[file.partition("/")[0]], "emulated": "false"}
    outcome = judge(pack.build(), Example("", (resource,), config))
    return {violation.rule for violation in outcome.violations if violation.urn}


@pytest.mark.parametrize(("file", "token", "argument"), list(weaknesses()))
def test_a_weakness_is_refused_and_its_absence_is_not(file: str, token: str, argument: str) -> None:
    if f"{file} {argument}" in WITHOUT_A_RULE:
        assert broken(file, token, argument, given=True) == set(), "a rule refuses it now: take it off the list"
        return
    assert broken(file, token, argument, given=False) == set()
    assert broken(file, token, argument, given=True)


def test_there_are_weaknesses_and_every_exception_exists() -> None:
    found = {f"{file} {argument}" for file, _, argument in weaknesses()}
    assert len(found) > len(WITHOUT_A_RULE)
    assert set(WITHOUT_A_RULE) <= found
