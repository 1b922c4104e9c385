"""The readers of CEL and Rego against real engines: whom an engine lets in, the reading lets in too."""

import json
from typing import Any

from cel_expr_python import cel as engine  # type: ignore[import-untyped]
from hypothesis import given, settings
from hypothesis import strategies as st
from regopy import Interpreter

from policies.release import cel, rego
from policies.release.asks import Alternatives, Ask, Kind

NAMES = ("a", "b")
VALUES = ("x", "y", "z")
CLAIMS = st.fixed_dictionaries(
    {},
    optional={
        "a": st.sampled_from(VALUES),
        "b": st.sampled_from(VALUES),
        "n": st.integers(0, 3),
        "l": st.lists(st.sampled_from(VALUES), max_size=3),
    },
)
ENVIRONMENT = engine.NewEnv(variables={"c": engine.Type.DYN})


def lets_in(alternatives: Alternatives, root: str, claims: dict[str, Any]) -> bool:
    """Whether claims satisfy everything that one of the alternatives is understood to ask."""
    return any(all(_satisfied(ask, root, claims) for ask in alternative) for alternative in alternatives)


def _satisfied(ask: Ask, root: str, claims: dict[str, Any]) -> bool:
    if ask.path[0] != root:
        return True
    found: Any = claims
    for key in ask.path[1:]:
        present = key in found if isinstance(key, str) else key < len(found)
        if not present:
            return False
        found = found[key]
    if ask.kind is Kind.IS:
        return found in ask.values
    if ask.kind is Kind.HAS:
        return any(value in found for value in ask.values)
    if ask.kind is Kind.STARTS:
        return any(found.startswith(str(value)) for value in ask.values)
    return all(isinstance(least, int) and isinstance(found, int) and found >= least for least in ask.values)


LIST = st.lists(st.sampled_from(VALUES), max_size=2).map(json.dumps)
COMPARED = st.one_of(
    st.builds("{}.{} == {}".format, st.just("c"), st.sampled_from(NAMES), st.sampled_from(VALUES).map(json.dumps)),
    st.builds("{1} == c.{0}".format, st.sampled_from(NAMES), st.sampled_from(VALUES).map(json.dumps)),
    st.builds("c.{} in {}".format, st.sampled_from(NAMES), LIST),
    st.builds("{} in c.l".format, st.sampled_from(VALUES).map(json.dumps)),
    st.builds("c.n >= {}".format, st.integers(0, 3)),
    st.builds('c["{}"] != {}'.format, st.sampled_from(NAMES), st.sampled_from(VALUES).map(json.dumps)),
)
CEL = st.recursive(
    st.one_of(
        COMPARED,
        st.builds("{}.exists(it, it in c.l)".format, LIST),
        st.builds("{}.exists(it, c.a.startsWith(it))".format, LIST),
        st.builds("{}.exists(it, it == c.a && c.b == it)".format, LIST),
        st.builds("c.a.startsWith({})".format, st.sampled_from(VALUES).map(json.dumps)),
        st.sampled_from(["true", "false", "has(c.a)", "c.l.size() > 1"]),
    ),
    lambda inner: st.one_of(
        st.builds("({} && {})".format, inner, inner),
        st.builds("({} || {})".format, inner, inner),
        st.builds("{} && {} || {}".format, inner, inner, inner),
        st.builds("!({})".format, inner),
        st.builds("({} ? {} : {})".format, inner, inner, inner),
    ),
    max_leaves=5,
)


@settings(deadline=None, max_examples=300)
@given(condition=CEL, claims=st.lists(CLAIMS, min_size=3, max_size=3))
def test_whom_cel_lets_in_the_reading_lets_in(condition: str, claims: list[dict[str, Any]]) -> None:
    compiled = ENVIRONMENT.compile(condition)
    for one in claims:
        value = compiled.eval(data={"c": one})
        if value.type() != engine.Type.ERROR and value.plain_value() is True:
            assert lets_in(cel.alternatives(condition), "c", one)


HELPERS = """package p

import rego.v1

default allow := false

c := input

same(value) if c.a == value

same(value) if c.b == value

both if {
  c.a == "x"
  c.b == "y"
}

either if c.a == "x"

either if c.b == "x"

limit := 2

good := ["x", "y"]

"""
STATEMENT = st.one_of(
    COMPARED,
    st.sampled_from(
        [
            "both",
            "either",
            'same("x")',
            "not both",
            "not either",
            "c.a in good",
            "c.n >= limit",
            "some c in [1]",
            'd := c.a\n  d == "y"',
            'd := input\n  d.b in ["y", "z"]',
            'c.a == "x" with input as {"a": "x", "b": "x"}',
            'c.b == "x"\n  with input as {"b": "x"}',
            'count(c.l) > 1; c.l[0] == "x"',
            'e := {"a": "x"}\n  e.a == "x"',
            "true",
            "false",
        ]
    ),
)
RULE = st.builds(
    lambda body, more: "allow if {\n  " + "\n  ".join(body) + "\n}" + more + "\n",
    st.lists(STATEMENT, min_size=1, max_size=3, unique=True),
    st.sampled_from(["", "", ' else := true if {\n  c.b == "z"\n}']),
)


@settings(deadline=None, max_examples=100)
@given(rules=st.lists(RULE, min_size=1, max_size=2), claims=st.lists(CLAIMS, min_size=3, max_size=3))
def test_whom_rego_lets_in_the_reading_lets_in(rules: list[str], claims: list[dict[str, Any]]) -> None:
    source = HELPERS + "\n".join(rules)
    for one in claims:
        if _allowed(source, one):
            assert lets_in(rego.read(source).alternatives("allow"), "input", one)


def _allowed(source: str, claims: dict[str, Any]) -> bool:
    """What the engine says."""
    interpreter = Interpreter()
    interpreter.add_module("p", source)
    interpreter.set_input(claims)
    (answer,) = json.loads(str(interpreter.query("allowed := data.p.allow")))["bindings"].values()
    return answer is True
