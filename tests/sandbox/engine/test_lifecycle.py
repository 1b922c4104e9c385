"""create, same, update, replace, delete, destroy: what a user sees and what the cloud is asked to do."""

from sandbox.engine import Message, Planned, StepDone, StepFailed


def ops(bench):
    return [(event.step.op, event.step.name) for event in bench.of(StepDone) if event.step.op != "same"]


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


def test_a_preview_foretells_and_touches_nothing(bench):
    bench.program("""
        a = Thing("a", "one")
        Thing("b", a.address)
        pulumi.export("known", a.value)
        pulumi.export("later", a.address)
    """)
    outcome = bench.engine().preview()
    assert outcome.ok
    assert outcome.outputs == {"known": "one", "later": "[unknown]"}
    (planned,) = bench.of(Planned)
    assert [(step.op, step.name) for step in planned.steps] == [
        ("create", "bailiwick-dev"),
        ("create", "a"),
        ("create", "b"),
    ]
    assert bench.did() == []
    assert not bench.state.path.exists()


def test_an_update_names_the_property_and_its_values(bench):
    bench.program('Thing("a", "one")')
    bench.engine().up()
    bench.program('Thing("a", "two")')
    outcome = bench.engine().up()
    assert outcome.changes == {"same": 1, "update": 1}
    (step,) = [event.step for event in bench.of(StepDone) if event.step.op == "update"]
    assert (step.changed, step.old, step.new) == (("value",), {"value": "one"}, {"value": "two"})
    assert bench.did("update") == [("update", "a")]
    assert bench.resources()["a"]["outputs"]["value"] == "two"


def test_a_replacement_creates_first_updates_dependants_and_deletes_last(bench):
    program = """
        a = Thing("a", "one", kind="{kind}")
        Thing("b", a.id)
    """
    bench.program(program.format(kind="red"))
    bench.engine().up()
    bench.cloud.log.clear()
    bench.program(program.format(kind="blue"))
    outcome = bench.engine().up()
    assert outcome.ok
    assert outcome.changes == {"same": 1, "replace": 1, "update": 1}
    assert bench.did() == [("create", "a"), ("update", "b"), ("delete", "a")]
    (step,) = [event.step for event in bench.of(StepDone) if event.step.op == "replace"]
    assert step.replaces == ("kind",)
    assert step.old == {"kind": "red"}
    assert len(bench.cloud.things) == 2


def test_delete_before_replace_takes_along_what_would_be_replaced_too(bench):
    program = """
        a = Thing("a", "one", label="{label}")
        b = Thing("b", "x", kind=a.id)
        Thing("c", a.id)
        Thing("d", b.id)
    """
    bench.program(program.format(label="first"))
    bench.engine().up()
    bench.cloud.log.clear()
    bench.program(program.format(label="second"))
    outcome = bench.engine().up()
    assert outcome.ok, outcome.error
    assert outcome.changes == {"same": 1, "replace": 2, "update": 2}
    done = bench.did()
    assert done[:3] == [("delete", "b"), ("delete", "a"), ("create", "a")]
    assert sorted(done[3:]) == [("create", "b"), ("update", "c"), ("update", "d")]
    assert sorted(bench.resources()) == ["a", "b", "bailiwick-dev", "c", "d", "default"]
    assert bench.engine().up().changes == {"same": 5}


def test_the_option_decides_about_delete_before_replace(bench):
    program = 'Thing("a", kind="{kind}", opts=pulumi.ResourceOptions(delete_before_replace=True))'
    bench.program(program.format(kind="red"))
    bench.engine().up()
    bench.cloud.log.clear()
    bench.program(program.format(kind="blue"))
    assert bench.engine().up().ok
    assert bench.did() == [("delete", "a"), ("create", "a")]


def test_what_leaves_the_program_is_deleted_after_what_depends_on_it(bench):
    bench.program("""
        a = Thing("a", "one")
        b = Thing("b", a.address)
        Thing("c", b.address)
        Thing("d")
    """)
    bench.engine().up()
    bench.program('Thing("d")')
    outcome = bench.engine().up()
    assert outcome.changes == {"same": 2, "delete": 3}
    assert bench.did("delete") == [("delete", "c"), ("delete", "b"), ("delete", "a")]


def test_destroy_leaves_an_empty_checkpoint_and_an_empty_cloud(bench):
    bench.program("""
        box = Box("box")
        a = Thing("a", "one", opts=pulumi.ResourceOptions(parent=box))
        Thing("b", a.address)
    """)
    bench.engine().up()
    outcome = bench.engine().destroy()
    assert outcome.ok, outcome.error
    assert outcome.changes == {"delete": 4}
    assert bench.did("delete") == [("delete", "b"), ("delete", "a")]
    assert bench.resources() == {}
    assert bench.cloud.things == {}


def test_components_keep_their_inputs_outputs_and_children(bench):
    bench.program("""
        box = Box("box", {"size": 3})
        a = Thing("box-a", "one", opts=pulumi.ResourceOptions(parent=box))
        box.register_outputs({"address": a.address})
    """)
    bench.engine().up()
    box = bench.resources()["box"]
    assert (box["inputs"], box["outputs"]) == ({"size": 3}, {"address": "address of box-a"})
    child = bench.resources()["box-a"]
    assert child["urn"] == "urn:pulumi:dev::bailiwick::bailiwick:index:Box$memory:index:Thing::box-a"
    assert child["parent"] == box["urn"]


def test_a_failure_keeps_what_exists_and_the_next_up_goes_on(bench):
    program = """
        a = Thing("a", "one")
        b = Thing("b", "{value}", opts=pulumi.ResourceOptions(depends_on=[a]))
        Thing("c", b.address)
    """
    bench.program(program.format(value="explode"))
    outcome = bench.engine().up()
    assert not outcome.ok
    assert outcome.error == "memory:index:Thing b: QuotaExceeded: no room for b"
    (failed,) = bench.of(StepFailed)
    assert (failed.step.name, failed.error) == ("b", "QuotaExceeded: no room for b")
    assert sorted(bench.resources()) == ["a", "bailiwick-dev", "default"]

    bench.program(program.format(value="fine"))
    outcome = bench.engine().up()
    assert outcome.ok
    assert bench.did("create")[-2:] == [("create", "b"), ("create", "c")]
    assert bench.did("create").count(("create", "a")) == 1


def test_a_preview_reports_every_refused_input_and_up_then_creates_nothing(bench):
    bench.program("""
        Thing("a", "refused")
        Thing("b", "refused")
        Thing("c", "fine")
    """)
    outcome = bench.engine().up()
    assert not outcome.ok
    assert outcome.error == ("memory:index:Thing a: value: InvalidParameter: 'refused' is not allowed (and 1 more)")
    assert bench.did() == []


def test_a_resource_that_cannot_be_deleted_keeps_what_it_needs(bench):
    bench.program("""
        a = Thing("a", "one")
        Thing("b", "sticky", opts=pulumi.ResourceOptions(depends_on=[a]))
        Thing("c")
    """)
    bench.engine().up()
    outcome = bench.engine().destroy()
    assert outcome.error == "memory:index:Thing b: Locked: cannot be deleted"
    assert sorted(bench.resources()) == ["a", "b", "bailiwick-dev", "default"]


def test_refresh_finds_drift_and_up_repairs_it(bench):
    bench.program("""
        Thing("a", "one")
        Thing("b", "two")
    """)
    bench.engine().up()
    (a,) = [identity for identity in bench.cloud.things if "/a-" in identity]
    (b,) = [identity for identity in bench.cloud.things if "/b-" in identity]
    bench.cloud.things[a]["value"] = "meddled"
    del bench.cloud.things[b]

    outcome = bench.engine().refresh()
    assert outcome.ok
    assert outcome.changes == {"refresh": 1, "delete": 1}
    (refreshed,) = [event.step for event in bench.of(StepDone) if event.step.op == "refresh"]
    assert (refreshed.old, refreshed.new) == ({"value": "one"}, {"value": "meddled"})
    assert [message.text for message in bench.of(Message)] == ["no longer exists in the cloud"]

    assert bench.engine().up().changes == {"same": 1, "update": 1, "create": 1}
    assert bench.cloud.things[a]["value"] == "one"
