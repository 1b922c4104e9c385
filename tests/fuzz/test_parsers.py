"""No bytes make a parser crash, hang or take much memory: hostile inputs, and some random ones on every run.

A long run: `make fuzz`; its results are in docs/verifier/fuzzing.md.
"""

import os

import pytest

from tests.fuzz.harness import checked, explored, place_of
from tests.fuzz.hostile import HOSTILE
from tests.fuzz.targets import TARGETS

pytestmark = pytest.mark.fuzz

EXECUTIONS = int(os.environ.get("BAILIWICK_EXECUTIONS", "300"))
SEED = int(os.environ.get("BAILIWICK_SEED", "1"))

each_target = pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)


@each_target
def test_genuine_inputs_are_accepted(target):
    seeds = target.seeds()
    assert seeds
    assert [seed[:40] for seed in seeds if place_of(target, seed)] == []


@each_target
def test_hostile_inputs_are_refused_cheaply(target):
    found = [checked(target, make()) for make in HOSTILE.values()]
    assert [str(finding) for finding in found if finding is not None] == []


@each_target
def test_random_changes_are_refused_or_accepted(target):
    assert [str(finding) for finding in explored(target, EXECUTIONS, SEED).findings] == []
