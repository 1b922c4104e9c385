"""Operations at the same time, and operations that fail or are cut off half-way."""

import threading
import time

import pytest

from sandbox.engine import Message
from sandbox.provider import ProviderError


def test_independent_resources_are_created_at_the_same_time(bench):
    meeting = threading.Barrier(2, timeout=20)
    bench.cloud.before = lambda operation, _name: operation == "create" and meeting.wait()
    bench.program("""
        Thing("a")
        Thing("b")
    """)
    assert bench.engine().up().ok


def test_what_is_under_way_when_another_fails_is_finished_and_nothing_new_is_started(bench):
    meeting = threading.Barrier(2, timeout=20)

    def meet(operation, name):
        if operation == "create":
            meeting.wait()
            if name == "slow":
                time.sleep(0.2)

    bench.cloud.before = meet
    bench.program("""
        Thing("bad", "explode")
        slow = Thing("slow")
        Thing("later", slow.address)
    """)
    outcome = bench.engine().up()
    assert outcome.error == "memory:index:Thing bad: QuotaExceeded: no room for bad"
    assert sorted(bench.resources()) == ["bailiwick-dev", "default", "slow"]


def test_the_old_generation_that_could_not_be_deleted_is_deleted_by_the_next_run(bench):
    program = 'Thing("a", kind="{kind}")'
    bench.program(program.format(kind="red"))
    bench.engine().up()
    bench.program(program.format(kind="blue"))

    def locked(operation, _name):
        if operation == "delete":
            raise ProviderError("Locked: in use")

    bench.cloud.before = locked
    outcome = bench.engine().up()
    assert outcome.error == "memory:index:Thing a: Locked: in use"
    assert len(bench.cloud.things) == 2

    bench.cloud.before = lambda _operation, _name: None
    outcome = bench.engine().up()
    assert outcome.ok
    assert outcome.changes == {"same": 2}
    assert [outputs["kind"] for outputs in bench.cloud.things.values()] == ["blue"]


def test_a_resource_deleted_before_its_replacement_failed_is_created_by_the_next_run(bench):
    program = 'Thing("a", "{value}", label="{label}")'
    bench.program(program.format(value="one", label="first"))
    bench.engine().up()
    bench.program(program.format(value="explode", label="second"))
    assert bench.engine().up().error == "memory:index:Thing a: QuotaExceeded: no room for a"
    assert bench.cloud.things == {}
    assert bench.resources()["a"]["pendingReplacement"] is True

    bench.program(program.format(value="two", label="second"))
    outcome = bench.engine().up()
    assert outcome.ok, outcome.error
    assert outcome.changes == {"same": 1, "replace": 1}
    assert list(bench.cloud.things) == ["/things/second"]
    assert "pendingReplacement" not in bench.resources()["a"]


@pytest.mark.parametrize(
    ("operation", "program", "said", "changes"),
    [
        ("update", 'Thing("a", "two", label="a")', "was read back, what is missing will be updated", {"update": 1}),
        ("delete", "", "still exists", {"delete": 1}),
    ],
)
def test_an_interrupted_update_or_deletion_is_looked_into_and_repeated(bench, operation, program, said, changes):
    bench.program('Thing("a", "one", label="a")')
    bench.engine().up()
    bench.program(program)

    def cut_off(did, _name):
        if did == operation:
            raise KeyboardInterrupt

    bench.cloud.before = cut_off
    with pytest.raises(KeyboardInterrupt):
        bench.engine().up()
    bench.cloud.before = lambda _operation, _name: None
    assert len(bench.state.export()["deployment"]["pending_operations"]) == 1

    outcome = bench.engine().up()
    assert outcome.ok, outcome.error
    kind = {"update": "updating", "delete": "deleting"}[operation]
    assert [message.text for message in bench.of(Message)] == [
        f"a: {kind} was under way when the last run stopped; it {said}"
    ]
    assert {op: count for op, count in outcome.changes.items() if op != "same"} == changes


def test_a_pending_operation_that_cannot_be_looked_into_stops_the_run(bench):
    bench.program('Thing("a", "one", label="a")')

    def cut_off(operation, _name):
        if operation == "create":
            raise KeyboardInterrupt

    bench.cloud.before = cut_off
    with pytest.raises(KeyboardInterrupt):
        bench.engine().up()

    def down(_operation, _name):
        raise ProviderError("ServiceUnavailable: try later")

    bench.cloud.before = down
    assert bench.engine().up().error == (
        "a: creating was under way when the last run stopped, and the cloud cannot be asked what became of it:"
        " ServiceUnavailable: try later"
    )
