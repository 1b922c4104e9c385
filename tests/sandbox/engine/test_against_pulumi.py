"""The local engine against the real one: the same programs, the same providers, the same outcome."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bench.essence import essence
from sandbox.clouds.server import serve

pytestmark = [
    pytest.mark.pulumi,
    pytest.mark.skipif(shutil.which("pulumi") is None, reason="install the pulumi command: pulumi.com/docs/install"),
]

FIRST = """
    box = Box("box", {"size": 3})
    a = Thing("a", "one", opts=pulumi.ResourceOptions(parent=box))
    b = Thing("b", a.address, label="b", kind="red")
    c = Thing("c", b.id, token=pulumi.Output.secret("hunter22"), opts=pulumi.ResourceOptions(ignore_changes=["tag"]))
    d = Thing("d", "x", label="d", kind=b.id)
    h = Thing("h", "safe", opts=pulumi.ResourceOptions(protect=True))
    Thing("e", "gone", opts=pulumi.ResourceOptions(depends_on=[c], retain_on_delete=True))
    Thing("f", "gone", opts=pulumi.ResourceOptions(depends_on=[c]))
    box.register_outputs({"address": a.address, "thing": a})
    pulumi.export("address", b.address)
    pulumi.export("token", c.token)
"""
SECOND = """
    box = Box("box", {"size": 4})
    a = Thing("renamed", "two", opts=pulumi.ResourceOptions(parent=box, aliases=[pulumi.Alias(name="a")]))
    b = Thing("b", a.address, label="bee", kind="red")
    c = Thing("c", b.id, kind="new", token=pulumi.Output.secret("hunter23"),
              opts=pulumi.ResourceOptions(ignore_changes=["tag"]))
    d = Thing("d", "x", label="d", kind=b.id)
    h = Thing("h", "safe")
    g = Thing("g", c.address, opts=pulumi.ResourceOptions(delete_before_replace=True))
    box.register_outputs({"address": a.address, "thing": a})
    pulumi.export("address", b.address)
"""


TRANSFORMED = """
    def stack_wide(args):
        if args.type_ == "memory:index:Thing":
            path = args.props.get("path", "") + "/stack"
            return pulumi.ResourceTransformResult({**args.props, "path": path}, args.opts)

    def tagged(tag):
        def transform(args):
            props = {**args.props, "path": f"{args.props.get('path', '')}/{tag}", "size": "large"}
            return pulumi.ResourceTransformResult(
                props, pulumi.ResourceOptions.merge(args.opts, pulumi.ResourceOptions(ignore_changes=["kind"]))
            )
        return transform

    def asked(args):
        return pulumi.InvokeTransformResult({"value": args.args["value"] + "!"}, args.opts)

    pulumi.runtime.register_resource_transform(stack_wide)
    pulumi.runtime.register_invoke_transform(asked)
    outer = Box("outer", {"size": 1}, pulumi.ResourceOptions(transforms=[tagged("outer")]))
    inner = Box("inner", {}, pulumi.ResourceOptions(parent=outer, transforms=[tagged("inner")]))
    first = Thing("first", "one", opts=pulumi.ResourceOptions(parent=inner))
    own = pulumi.ResourceOptions(parent=inner, transforms=[tagged("own")])
    secret = pulumi.Output.secret("hunter22")
    Thing("second", first.address, token=secret, both=pulumi.Output.all(first.id, secret), kind="red", opts=own)
    Thing("third", first.id, token=secret, opts=pulumi.ResourceOptions(depends_on=[outer]))
    pulumi.export("asked", pulumi.runtime.invoke("memory:index:ask", {"value": "hello"}).value["echo"])
"""


class RealEngine:
    """The pulumi command on a bench's project, with a state, a home and a cloud of its own."""

    def __init__(self, bench: Any, debug_providers: str, directory: Path) -> None:
        self._project = bench.directory
        (directory / "state").mkdir(parents=True)
        self._environment = {
            **os.environ,
            "PULUMI_BACKEND_URL": f"file://{directory / 'state'}",
            "PULUMI_HOME": str(directory / "home"),
            "PULUMI_CONFIG_PASSPHRASE": bench.passphrase,
            "PULUMI_DEBUG_PROVIDERS": debug_providers,
            "PULUMI_SKIP_UPDATE_CHECK": "1",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "1",
        }
        self("stack", "init", "dev")

    def __call__(self, *arguments: str) -> str:
        done = subprocess.run(
            ["pulumi", "--non-interactive", *arguments],
            cwd=self._project,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def export(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self("stack", "export", "-s", "dev"))
        return document


@pytest.fixture
def real(bench: Any, tmp_path: Path) -> Iterator[RealEngine]:
    """The real engine over a second cloud, so that the two do not meet."""
    (tmp_path / "Pulumi.yaml").write_text(
        "name: bailiwick\nmain: stacks\nstackConfigDir: stacks\n"
        f"runtime: {{name: python, options: {{toolchain: pip, virtualenv: '{sys.prefix}'}}}}\n"
    )
    bench.real_cloud = type(bench.cloud)()
    served = serve({"memory": bench.real_cloud})
    try:
        yield RealEngine(bench, served.debug_providers, tmp_path / "real")
    finally:
        served.stop()


def test_both_engines_do_the_same_and_leave_the_same_state(bench, real):
    for program in (FIRST, FIRST, SECOND, SECOND, ""):
        bench.program(program)
        bench.cloud.log.clear()
        bench.real_cloud.log.clear()
        real("up", "--yes", "-s", "dev")
        outcome = bench.engine().up()
        assert outcome.ok, outcome.error
        asked = sorted(entry for entry in bench.real_cloud.log if entry[0] != "read")
        assert sorted(bench.did()) == asked
        local, theirs = essence(bench.state.export()), essence(real.export())
        assert local ^ theirs == set()


def test_transforms_of_a_resource_its_parents_and_the_stack_leave_the_same_state(bench, real):
    bench.program(TRANSFORMED)
    for _ in range(2):
        real("up", "--yes", "-s", "dev")
        outcome = bench.engine().up()
        assert outcome.ok, outcome.error
        assert essence(bench.state.export()) ^ essence(real.export()) == set()


def test_a_state_of_the_local_engine_is_taken_over_by_the_real_one_unchanged(bench, real, tmp_path):
    bench.program(FIRST)
    assert bench.engine().up().ok
    exported = tmp_path / "exported.json"
    exported.write_text(json.dumps(bench.state.export()))
    real("stack", "import", "-s", "dev", "--file", str(exported))
    real("preview", "-s", "dev", "--expect-no-changes")


def test_a_state_of_the_real_engine_is_taken_over_by_the_local_one_unchanged(bench, real):
    bench.program(FIRST)
    real("up", "--yes", "-s", "dev")
    bench.state.path.parent.mkdir(parents=True)
    bench.state.path.write_text(json.dumps(real.export()))
    bench.cloud = bench.real_cloud
    outcome = bench.engine().preview()
    assert outcome.ok, outcome.error
    assert set(outcome.changes) == {"same"}
