"""For pytest: `prove(rule)` fails with every flaw of a rule; `pytest_plugins = ["policies.pytest_plugin"]` loads it."""

from collections.abc import Collection
from typing import Protocol

import pytest

from policies.proving import flaws
from policies.rule import Rule


class Prove(Protocol):
    """What the fixture gives; the options are those of `policies.proving.flaws`."""

    def __call__(self, rule: Rule, *, irrelevant: Collection[str] = (), relational: bool = False) -> None: ...


@pytest.fixture
def prove() -> Prove:
    """Fails unless a rule shows on its examples what a rule must show."""

    def run(rule: Rule, *, irrelevant: Collection[str] = (), relational: bool = False) -> None:
        found = flaws(rule, irrelevant=irrelevant, relational=relational)
        if found:
            pytest.fail("\n".join(found), pytrace=False)

    return run
