"""The state file: what it holds, and that nothing is lost when a run is killed, the disk is full or two runs meet."""

import errno
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.engine import EngineError, Message, StateFile
from sandbox.engine.resource import ResourceState
from sandbox.engine.secrets import SecretBox

ROOT = Path(__file__).parents[3]


def test_the_checkpoint_is_a_version_3_deployment_in_dependency_order(bench):
    bench.program("""
        a = Thing("a", "one")
        Thing("b", a.address, opts=pulumi.ResourceOptions(protect=True))
    """)
    bench.engine().up()
    document = json.loads(bench.state.path.read_text())
    assert document["version"] == 3
    assert document["deployment"]["secrets_providers"]["type"] == "passphrase"
    seen = set()
    for record in document["deployment"]["resources"]:
        needed = {record.get("parent"), *record.get("dependencies", [])} - {None}
        if record.get("provider"):
            needed.add(record["provider"].rpartition("::")[0])
        assert needed <= seen
        seen.add(record["urn"])
    b = bench.resources()["b"]
    assert b["protect"] is True
    assert b["propertyDependencies"]["value"] == [bench.resources()["a"]["urn"]]


def test_the_previous_checkpoint_is_the_backup(bench):
    bench.program('Thing("a", "one")')
    bench.engine().up()
    before = bench.state.path.read_bytes()
    bench.program('Thing("a", "two")')
    bench.engine().up()
    assert bench.backup.read_bytes() == before
    assert not bench.journal.exists()


def test_a_corrupt_state_is_refused_with_the_remedy_and_left_alone(bench):
    bench.program('Thing("a", "one")')
    bench.engine().up()
    bench.program('Thing("a", "two")')
    bench.engine().up()
    bench.state.path.write_text('{"version": 3, "deploy')
    error = bench.engine().up().error
    assert "corrupt state file" in error
    assert f"cp {bench.backup} {bench.state.path}" in error
    assert "\n" not in error
    assert bench.state.path.read_text() == '{"version": 3, "deploy'

    bench.backup.replace(bench.state.path)
    assert bench.engine().up().ok


def test_a_state_too_deep_to_read_is_corrupt(bench):
    bench.program("")
    bench.state.path.parent.mkdir(parents=True)
    bench.state.path.write_text("[" * 100_000)
    assert "corrupt state file" in bench.engine().up().error


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"version": 4, "deployment": {}}, "written by a newer program (deployment version 4, this one reads 3)"),
        ({"version": 3, "deployment": []}, "corrupt state file"),
        ({"version": 3, "deployment": {"resources": [{"type": "x"}]}}, "corrupt state file"),
        ([1], "corrupt state file"),
        (
            {"version": 3, "deployment": {"secrets_providers": {"type": "cloud", "state": {}}}},
            "secrets are kept by cloud, this engine reads passphrase",
        ),
    ],
)
def test_a_state_of_another_kind_is_refused(bench, document, expected):
    bench.program("")
    bench.state.path.parent.mkdir(parents=True)
    bench.state.path.write_text(json.dumps(document))
    outcome = bench.engine().up()
    assert not outcome.ok
    assert expected in outcome.error
    assert str(bench.state.path) in outcome.error


def test_a_wrong_passphrase_is_refused(bench):
    bench.program('Thing("a", pulumi.Output.secret("hunter22"))')
    bench.engine().up()
    bench.passphrase = "another"
    assert "wrong passphrase: set PULUMI_CONFIG_PASSPHRASE" in bench.engine().up().error


def test_the_sealed_format_is_pulumis(real_keys):
    """From a state that pulumi wrote with the passphrase x."""
    box = SecretBox.open("x", "v1:3MSCKJJYhnc=:v1:/TWZj3Tz20rhA1xg:I1213BqXAezjE3TOaDzo7EI4FkAEFw==")
    assert box.unseal("v1:G7B3AlBTMqscmBbB:Z91jqayQ2L7aMYofFDVftzwMayeV71R5f/VY") == "topsecret"


@pytest.mark.parametrize("stack", ["../other", "a/b", "", ".hidden", "x" * 101])
def test_a_stack_name_is_not_a_path(bench, stack):
    bench.program("")
    assert "not a stack name" in bench.engine(stack=stack).up().error


def test_two_runs_do_not_meet(bench):
    bench.program("")
    with bench.state.locked():
        outcome = bench.engine().up()
    assert outcome.error == f"stack dev is in use by another run (process {os.getpid()}): wait until it has ended"
    assert not outcome.began
    outcome = bench.engine().up()
    assert outcome.ok
    assert outcome.began


def test_a_state_that_cannot_be_written_says_what_would_help(bench):
    bench.program("")
    bench.state.path.parent.parent.mkdir()
    bench.state.path.parent.write_text("a file where the folder belongs")
    outcome = bench.engine().up()
    assert "make it a folder you may write to, then run the same command again" in outcome.error
    assert not outcome.began


def test_a_stack_whose_first_run_was_killed_exists(bench):
    assert not bench.state.exists()
    with bench.state.locked() as ledger:
        ledger.commit(put=ResourceState("urn:pulumi:dev::bailiwick::x:y:Z::kept", "x:y:Z"))
    assert not bench.state.path.exists()
    assert bench.state.exists()


def test_a_full_disk_at_the_end_leaves_the_old_state_and_the_journal(bench, monkeypatch):
    bench.program('Thing("a", "one")')
    bench.engine().up()
    before = bench.state.path.read_bytes()
    bench.program("""
        Thing("a", "one")
        Thing("b", "two")
    """)
    real_open = os.open

    def full(path, flags, *args, **kwargs):
        if str(path).endswith(".json.new"):
            raise OSError(errno.ENOSPC, "No space left on device")
        return real_open(path, flags, *args, **kwargs)

    monkeypatch.setattr("os.open", full)
    outcome = bench.engine().up()
    monkeypatch.undo()
    assert not outcome.ok
    assert "No space left on device" in outcome.error
    assert bench.state.path.read_bytes() == before
    monkeypatch.setattr("sandbox.engine.secrets.ITERATIONS", 10)
    assert bench.engine().up().changes == {"same": 3}
    assert bench.did("create") == [("create", "a"), ("create", "b")]


def test_a_full_disk_on_the_way_starts_nothing_more(bench, monkeypatch):
    bench.program("""
        a = Thing("a", "one")
        b = Thing("b", a.address)
        Thing("c", b.address)
    """)
    real_sync = os.fdatasync
    synced = []

    def full_after_a(descriptor):
        if len(synced) == 4:  # the stack, the provider, a begun, a created
            raise OSError(errno.ENOSPC, "No space left on device")
        synced.append(descriptor)
        real_sync(descriptor)

    monkeypatch.setattr("os.fdatasync", full_after_a)
    outcome = bench.engine().up()
    assert not outcome.ok
    assert "No space left on device" in outcome.error
    assert bench.did() == [("create", "a")]
    monkeypatch.setattr("os.fdatasync", real_sync)
    assert bench.engine().up().ok
    assert bench.did() == [("create", "a"), ("create", "b"), ("create", "c")]


def test_an_unfinished_line_of_the_journal_is_ignored_and_a_damaged_one_is_not(bench):
    bench.program('Thing("a", "one")')
    with bench.state.locked() as ledger:
        ledger.commit(put=ResourceState("urn:pulumi:dev::bailiwick::x:y:Z::kept", "x:y:Z"))
    complete = bench.journal.read_bytes()
    bench.journal.write_bytes(complete + b'[["put", 1, {"urn": "hal')
    assert list(bench.resources()) == ["kept"]
    bench.journal.write_bytes(complete + b"\x00\x00\n" + complete.splitlines(keepends=True)[1])
    assert "the journal of an interrupted run is damaged" in bench.engine().up().error


def test_a_journal_of_another_checkpoint_is_not_applied(bench):
    bench.program('Thing("a", "one")')
    bench.engine().up()
    bench.journal.write_text('{"journal": 1, "base": "abc", "salt": ""}\n[]\n')
    assert "belongs to another version of dev.json" in bench.engine().up().error


KILLED = """
import os, signal, sys, time
from pathlib import Path
import importlib.util
spec = importlib.util.spec_from_file_location("bench", sys.argv[1])
module = importlib.util.module_from_spec(spec)
sys.modules["bench"] = module
spec.loader.exec_module(module)
import sandbox.engine.secrets
sandbox.engine.secrets.ITERATIONS = 10
operation, name, when = sys.argv[3:]
log = open("cloud.log", "a")

class Cloud(module.MemoryCloud):
    def _did(self, did, urn):
        result = super()._did(did, urn)
        if (did, result) == (operation, name) and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        return result
    def create(self, urn, inputs, *, preview):
        created = super().create(urn, inputs, preview=preview)
        if not preview:
            print(created.id, created.outputs, sep="\\t", file=log, flush=True)
            if (operation, urn.split("::")[-1]) == ("create", name):
                os.kill(os.getpid(), signal.SIGKILL)
        return created

bench = module.Workbench(Path(sys.argv[2]), Cloud())
bench.engine().up()
"""


def kill_during(bench, operation, name, when):
    """Run `up` in a process of its own, which is killed at the given moment; the cloud then has what it made."""
    script = [sys.executable, "-c", KILLED, str(Path(__file__).with_name("conftest.py")), str(bench.directory)]
    done = subprocess.run(
        [*script, operation, name, when],
        cwd=bench.directory,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=False,
        text=True,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    for line in (bench.directory / "cloud.log").read_text().splitlines():
        identity, outputs = line.split("\t")
        bench.cloud.things[identity] = eval(outputs)


PROGRAM = """
    a = Thing("a", "one", label="a")
    b = Thing("b", a.address, label="b")
    Thing("c", b.address, label="c")
"""


@pytest.mark.parametrize(("when", "said"), [("before", "does not exist"), ("after", "was created, and is kept")])
def test_a_killed_run_resumes_with_nothing_lost_and_nothing_made_twice(bench, when, said):
    bench.program(PROGRAM)
    kill_during(bench, "create", "b", when)
    assert sorted(bench.cloud.things) == (["/things/a"] if when == "before" else ["/things/a", "/things/b"])

    outcome = bench.engine().up()
    assert outcome.ok, outcome.error
    assert [message.text for message in bench.of(Message)] == [
        f"b: creating was under way when the last run stopped; it {said}"
    ]
    made = [("create", "b"), ("create", "c")] if when == "before" else [("create", "c")]
    assert bench.did() == made
    assert sorted(bench.cloud.things) == ["/things/a", "/things/b", "/things/c"]
    assert bench.engine().up().changes == {"same": 4}


def test_a_preview_after_a_kill_looks_but_writes_nothing(bench):
    bench.program(PROGRAM)
    kill_during(bench, "create", "b", "after")
    before = bench.journal.read_bytes()
    outcome = bench.engine().preview()
    assert outcome.changes == {"same": 3, "create": 1}
    assert bench.journal.read_bytes() == before
    assert "pending_operations" in bench.state.export()["deployment"]


def test_a_state_that_cannot_be_read_says_so(tmp_path):
    path = tmp_path / "dev.json"
    path.mkdir()
    with pytest.raises(EngineError, match=r"cannot read .*dev\.json: Is a directory"):
        StateFile(path, "x").export()
