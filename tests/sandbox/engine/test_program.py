"""The user's program: its configuration, its errors, and that one run leaves nothing behind for the next."""

import sys
from pathlib import Path

import pulumi
import pytest

from sandbox.engine import Message
from sandbox.engine.secrets import SecretBox


def failure(bench, body):
    """The error of a program that never gets to create anything."""
    bench.program(body)
    outcome = bench.engine().up()
    assert not outcome.ok
    assert bench.did() == []
    return outcome.error


def line_of(bench, text):
    source = (bench.directory / "stacks" / "__main__.py").read_text().splitlines()
    return 1 + next(number for number, line in enumerate(source) if text in line)


def test_an_exception_is_shown_with_the_users_own_line(bench):
    error = failure(
        bench,
        """
        Thing("a")
        raise ValueError("no such region")
    """,
    )
    assert error == f"stacks/__main__.py:{line_of(bench, 'raise ValueError')}: ValueError: no such region"


def test_an_exception_in_an_apply_is_shown_with_its_line(bench):
    error = failure(
        bench,
        """
        def broken(value):
            raise LookupError(f"cannot use {value}")
        Thing("a", "one").value.apply(broken)
    """,
    )
    line = line_of(bench, "raise LookupError")
    assert error == f"stacks/__main__.py:{line}: LookupError: cannot use one"


def test_a_run_error_is_shown_as_it_is(bench):
    assert failure(bench, 'raise pulumi.RunError("bailiwick:location: unknown region")') == (
        "bailiwick:location: unknown region"
    )


def test_a_syntax_error_names_the_line(bench):
    error = failure(bench, "x = = 1")
    assert error == f"stacks/__main__.py:{line_of(bench, 'x = = 1')}: SyntaxError: invalid syntax"


def test_an_exit_of_the_program_is_a_failure(bench):
    assert failure(bench, "raise SystemExit(3)") == "the program exited with 3"


def test_two_resources_of_one_name_are_refused(bench):
    error = failure(
        bench,
        """
        Thing("a")
        Thing("a")
    """,
    )
    assert error == (
        "memory:index:Thing a: two resources have this type, parent and name: give one of them another name"
    )


def test_a_cycle_is_refused(bench):
    error = failure(
        bench,
        """
        box = Box("box")
        a = Thing("a", opts=pulumi.ResourceOptions(parent=box, depends_on=[box]))
        b = Thing("b", a.id, opts=pulumi.ResourceOptions(parent=a))
        Thing("c", opts=pulumi.ResourceOptions(depends_on=[a], parent=b))
    """,
    )
    assert "circular dependency involving a resource of type memory:index:Thing named a" in error
    assert "\n" not in error


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('pulumi.StackReference("other")', "stack reference other: the local engine knows one stack at a time"),
        ('Thing("a", pulumi.FileAsset("x"))', "property value: assets and archives are not deployed to the sandbox"),
        (
            'Thing("a", opts=pulumi.ResourceOptions(replacement_trigger="x"))',
            "replacement_trigger is not supported by the local engine; use replace_on_changes",
        ),
    ],
)
def test_what_the_local_engine_does_not_do_is_refused_by_name(bench, body, expected):
    assert expected in failure(bench, body)


def test_no_program_and_no_stack_are_named(bench):
    assert "no program: " in bench.engine().up().error
    bench.program("")
    assert "no stack other: " in bench.engine(stack="other").up().error


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("name: [", "not YAML"),
        ('name: "\xff"', "not YAML"),
        ("name: 2027-02-30", "not YAML: day is out of range"),
        ("- a", "expected a mapping, found list"),
        ("name: a\nmain: 5", "main must be text"),
        ("name: a\nstackConfigDir: [a]", "stackConfigDir must be text"),
        ("name: a\nconfig: [a]", "config must be a mapping"),
    ],
)
def test_a_project_file_that_is_none_is_named(bench, text, says):
    (bench.directory / "Pulumi.yaml").write_bytes(text.encode("latin-1"))
    assert f"Pulumi.yaml: {says}" in bench.engine().up().error


def test_the_program_gets_the_stack_files_configuration(bench):
    box = SecretBox.new(bench.passphrase)
    (bench.directory / "Pulumi.yaml").write_text(
        "name: bailiwick\nruntime: python\nmain: stacks\nstackConfigDir: stacks\n"
        "config:\n  bailiwick:replicas: {type: integer, default: 2}\n"
    )
    (bench.directory / "stacks" / "Pulumi.dev.yaml").write_text(
        f"encryptionsalt: {box.salt}\n"
        "config:\n"
        "  bailiwick:owner: me@example.org\n"
        "  bailiwick:emulated: true\n"
        "  bailiwick:machines: [{name: inference, zone: '1'}]\n"
        f"  bailiwick:token: {{secure: '{box.seal_text('hunter22')}'}}\n"
    )
    bench.program("""
        config = pulumi.Config()
        pulumi.export("owner", config.require("owner"))
        pulumi.export("emulated", config.require_bool("emulated"))
        pulumi.export("machines", config.require_object("machines"))
        pulumi.export("replicas", config.require_int("replicas"))
        pulumi.export("token", config.require_secret("token"))
        pulumi.export("stack", pulumi.get_stack())
    """)
    outcome = bench.engine().up()
    assert outcome.ok, outcome.error
    assert outcome.outputs == {
        "owner": "me@example.org",
        "emulated": True,
        "machines": [{"name": "inference", "zone": "1"}],
        "replicas": 2,
        "token": "[secret]",
        "stack": "dev",
    }
    assert "hunter22" not in bench.state.path.read_text()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("config:\n  a:b: {day: 2026-01-01}", "a:b: cannot be written as JSON: Object of type date"),
        ("config:\n  a:b: &loop [*loop]", "a:b: cannot be written as JSON: Circular reference"),
        ("config:\n  a:b: {secure: x}", "a:b is secure: encryptionsalt and secure must both be there, as text"),
        ("encryptionsalt: 5\nconfig:\n  a:b: {secure: x}", "a:b is secure: encryptionsalt and secure must both"),
        ("encryptionsalt: v1:AA==\nconfig:\n  a:b: {secure: [x]}", "a:b is secure: encryptionsalt and secure must"),
    ],
)
def test_a_value_of_the_stack_file_that_is_none_is_named(bench, text, says):
    bench.program("")
    (bench.directory / "stacks" / "Pulumi.dev.yaml").write_text(text)
    outcome = bench.engine().up()
    assert f"Pulumi.dev.yaml: {says}" in outcome.error
    assert not outcome.began


@pytest.mark.parametrize(
    ("raised", "says"),
    [
        ('ValueError("one\\ntwo")', "ValueError has risen: one two"),
        ('BaseException("base")', "BaseException: base"),
        ('SystemExit("one\\ntwo")', "the program exited with one two"),
    ],
)
def test_whatever_a_program_raises_half_way_is_one_line_and_what_was_made_is_in_the_state(bench, raised, says):
    bench.program(f"""
        a = Thing("a", "one")
        async def wait():
            await a.id.future()
            if not pulumi.runtime.is_dry_run():
                raise {raised}
        pulumi.export("done", pulumi.Output.from_input(wait()))
    """)
    outcome = bench.engine().up()
    assert outcome.began
    assert says in outcome.error
    assert "\n" not in outcome.error
    assert "a" in bench.resources()


def test_given_configuration_replaces_the_stack_file(bench):
    bench.program('pulumi.export("owner", pulumi.Config().require("owner"))')
    assert bench.engine(config={"bailiwick:owner": "you"}).up().outputs == {"owner": "you"}


def test_a_run_leaves_the_process_as_it_was_and_the_next_one_starts_afresh(bench):
    (bench.directory / "stacks" / "helper.py").write_text('VALUE = "one"\n')
    bench.program("""
        import helper
        pulumi.export("value", helper.VALUE)
    """)
    before = (Path.cwd(), list(sys.path), list(sys.argv), pulumi.get_stack(), sys.modules["__main__"])
    assert bench.engine().up().outputs == {"value": "one"}
    assert before == (Path.cwd(), list(sys.path), list(sys.argv), pulumi.get_stack(), sys.modules["__main__"])

    (bench.directory / "stacks" / "helper.py").write_text('VALUE = "three"\n')
    assert bench.engine().up().outputs == {"value": "three"}


def test_an_asynchronous_program_is_awaited(bench):
    bench.program("""
        async def main():
            a = Thing("a", "one")
            return {"address": a.address}
        pulumi.run(main)
    """)
    assert bench.engine().up().outputs == {"address": "address of a"}


def test_what_the_program_prints_and_logs_comes_through(bench, capsys):
    bench.program("""
        print("hello from the program")
        pulumi.log.warn("beware")
    """)
    bench.engine().preview()
    assert "hello from the program" in capsys.readouterr().out
    assert Message("warning", "beware") in bench.of(Message)


def test_planted_secrets_are_in_no_state_event_or_error(bench):
    """The provider copies one secret under another name and fails with the other in its message."""
    planted = ("hunter22-one", "hunter22-two", "hunter22-three")
    box = SecretBox.new(bench.passphrase)
    (bench.directory / "stacks" / "Pulumi.dev.yaml").write_text(
        f"encryptionsalt: {box.salt}\nconfig:\n  bailiwick:one: {{secure: '{box.seal_text('hunter22-one')}'}}\n"
    )
    bench.program("""
        one = pulumi.Config().require_secret("one")
        a = Thing("a", one, nested={"list": [pulumi.Output.secret("hunter22-two")]})
        box = Box("box", {"token": pulumi.Output.secret("hunter22-three")})
        box.register_outputs({"token": one})
        b = Thing("b", pulumi.Output.concat("x-", one), opts=pulumi.ResourceOptions(depends_on=[a]))
        pulumi.export("b", b.value)
        pulumi.log.info("logged hunter22-one")
    """)

    def leak(operation, name):
        if name == "b":
            raise RuntimeError("while sending x-hunter22-one")

    bench.cloud.before = leak
    outcome = bench.engine().up()
    assert (
        outcome.error == "memory:index:Thing b: defect of the emulated provider: RuntimeError: while sending [secret]"
    )
    bench.cloud.before = lambda _operation, _name: None
    written = "".join(path.read_text() for path in bench.state.path.parent.iterdir())
    assert all(secret not in written + repr(bench.events) + repr(outcome) for secret in planted)

    assert bench.engine().up().ok
    written = "".join(path.read_text() for path in bench.state.path.parent.iterdir())
    assert all(secret not in written + repr(bench.events) for secret in planted)
    assert bench.engine().up().changes == {"same": 4}
