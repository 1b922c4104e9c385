"""create, same, update, replace, delete, destroy: what a user sees and what the cloud is asked to do."""

from sandbox.engine import StepDone


def ops(bench, kind=StepDone):
    return [(event.step.op, event.step.name) for event in bench.of(kind)]


def test_up_creates_and_a_second_up_changes_nothing(bench):
    bench.program("""
        a = Thing("a", "one")
        b = Thing("b", a.address)
        pulumi.export("address", b.address)
        pulumi.export("number", 3)
    """)
    outcome = bench.engine().up()
    assert outcome.ok, outcome.error
    assert outcome.outputs == {"address": "address of b", "number": 3}
    assert outcome.changes == {"create": 3}
    assert bench.did() == [("create", "a"), ("create", "b")]
    before = bench.state.path.read_bytes()

    outcome = bench.engine().up()
    assert outcome.ok
    assert outcome.changes == {"same": 3}
    assert len(bench.did()) == 2
    assert bench.state.path.read_bytes() == before
