"""The questions that are asked of a jurisdiction graph."""

import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.graph import Carries, Dependency, Kind, as_records, blocking, leaving, reached_by_foreign_law

VAULT = Dependency(
    kind=Kind.KEYS,
    name="vault",
    endpoint="https://vault.example",
    location="germanywestcentral",
    operator="Example GmbH",
    jurisdiction="DE",
    legal_reach=("DE",),
    carries=Carries.KEYS,
    source="test",
)


def _edge(jurisdiction: str, carries: Carries = Carries.CONTENT, reach: tuple[str, ...] = ("DE",)) -> Dependency:
    return dataclasses.replace(VAULT, jurisdiction=jurisdiction, carries=carries, legal_reach=reach)


def test_inside_a_union_is_not_inside_a_member() -> None:
    french = _edge("FR")
    assert leaving([VAULT, french], "EU") == []
    assert leaving([VAULT, french], "DE") == [french]
    assert leaving([_edge("EU")], "DE") == [_edge("EU")]


def test_metadata_may_leave_and_nothing_else() -> None:
    edges = [_edge("US", carries) for carries in Carries]
    assert leaving(edges, "DE") == edges
    assert blocking(edges, "DE") == [edge for edge in edges if edge.carries is not Carries.METADATA]


def test_a_foreign_parent_is_seen_wherever_the_thing_runs() -> None:
    american = _edge("DE", reach=("DE", "US"))
    assert leaving([american], "DE") == []
    assert reached_by_foreign_law([VAULT, american], "DE") == [american]


def test_an_unknown_jurisdiction_is_an_error_not_a_pass() -> None:
    with pytest.raises(KeyError, match="unknown jurisdiction 'Atlantis'"):
        leaving([_edge("Atlantis")], "DE")


@given(st.permutations([VAULT, _edge("US"), dataclasses.replace(VAULT, kind=Kind.DNS), _edge("FR", Carries.EVIDENCE)]))
def test_records_are_plain_and_in_one_order(graph: list[Dependency]) -> None:
    records = as_records(graph)
    assert [record["kind"] for record in records] == ["dns", "keys", "keys", "keys"]
    assert set(records[0]) == {
        "kind",
        "name",
        "endpoint",
        "location",
        "operator",
        "jurisdiction",
        "legalReach",
        "carries",
        "source",
    }
    assert json.loads(json.dumps(records)) == records
