"""`bailiwick check` against what a user has without it: the program alone under mocks, the real engine's preview."""

import json
import resource
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from bench.measure import Cost, Row, best_process, cost_of_process
from bench.pulumi_command import ROOT, PulumiCommand
from components.spec import RegionSpec
from policies import examples
from sandbox.clouds import open_cloud, providers_of
from sandbox.clouds.hardware import NullHardware
from sandbox.clouds.server import serve

_STACK = "azure-germany"
_RUN = "from cli.main import run; run()"
_CHECK = ["-c", _RUN, "check"]
_FINDING = """from cli.main import run
try:
    run()
except SystemExit as end:
    raise SystemExit(end.code == 2) from None
"""
_JUDGE = ["-c", _FINDING, "check"]
"""The same where findings (an exit code of 1) are what is to be expected."""
_CONFIG = [f"--config=bailiwick:{key}={value}" for key, value in examples.CONFIG.items()]
_FEW, _MANY = 1000, 4000
_GROUPS = """
import pulumi
from pulumi_azure_native import Provider, resources

provider = Provider(
    "more", location="germanywestcentral", environment="public", subscription_id="00000000-0000-0000-0000-000000000000"
)
for number in range({count}):
    resources.ResourceGroup(
        f"group-{{number}}",
        location="germanywestcentral",
        tags={{"jurisdiction": "DE", "data-class": "confidential"}},
        opts=pulumi.ResourceOptions(provider=provider),
    )
"""
"""What makes a large program of the stack's own, or is one by itself: then with the aliases of azure-native's versions,
which our components leave out."""
_KINDS = (
    examples.VM,
    examples.DISK_KEY,
    examples.INTERFACE,
    examples.SUBNET,
    examples.SECURITY_GROUP,
    examples.KEY,
    examples.AUDIT_STORE,
)
"""What a large stack is made of here, in turn."""


def run() -> Iterator[Row]:
    checked = best_process([*_CHECK, _STACK])
    mocked = best_process(["-m", "bench.mocked", _STACK])
    what = f"check of {_STACK}: program, emulated cloud, policies"
    yield Row(
        what,
        f"{checked:.2f} s",
        "the program under SDK mocks",
        f"{mocked:.2f} s",
        checked / mocked,
        "≤ 2 s, as near 1 as can be",
    )
    stacks = len(list((ROOT / "stacks").glob("Pulumi.*.yaml")))
    every = best_process([*_CHECK, "--all"], repeats=2)
    yield Row(f"check --all: {stacks} stacks", f"{every:.1f} s", "one stack", f"{checked:.2f} s", None, "≤ 10 s")
    with tempfile.TemporaryDirectory(prefix="bailiwick-bench-") as scratch:
        few, many = (_state(Path(scratch), count) for count in (_FEW, _MANY))
        yield from _of_states(few, many)
    own, groups = (ROOT / "stacks" / "__main__.py").read_text(encoding="utf-8"), _GROUPS.format(count=_FEW)
    yield from _side_by_side(f"check of {_STACK}", own)
    yield from _side_by_side(f"check of {_STACK} and {_FEW:,} azure-native resources more", own + groups)
    yield from _side_by_side(f"check of a plain program of {_FEW:,} azure-native resources", groups)


def _of_states(few: Path, many: Path) -> Iterator[Row]:
    short, long = (cost_of_process([*_JUDGE, "--state", str(file), *_CONFIG]) for file in (few, many))
    yield Row(
        f"the whole pack on {_MANY:,} azure-native resources",
        f"{long.seconds:.1f} s",
        f"on {_FEW:,}",
        f"{short.seconds:.1f} s",
        long.cpu_seconds / short.cpu_seconds,
        f"{_FEW:,} in ≤ 8 s; ≤ 4.5 (linear: 4)",
    )


def _state(folder: Path, count: int) -> Path:
    """A state of `count` resources, as `pulumi stack export` writes it."""
    resources = [
        {
            "urn": f"urn:pulumi:large::bench::{kind.type}::{kind.name}-{number}",
            "type": kind.type,
            "custom": True,
            "id": f"{kind.name}-{number}",
            "inputs": kind.props,
            "outputs": kind.props,
        }
        for number in range(count)
        for kind in (_KINDS[number % len(_KINDS)],)
    ]
    file = folder / f"{count}.json"
    file.write_text(json.dumps({"version": 3, "deployment": {"resources": resources}}), encoding="utf-8")
    return file


def _side_by_side(what: str, program: str) -> Iterator[Row]:
    """A check of `program` with the stack's configuration, and the program alone, as a unit test runs it; both against
    the real engine's preview over the same emulated cloud and with the same pack."""
    if missing := _missing():
        yield Row(what, "left out", "pulumi preview --policy-pack", missing, None, "≥ 10")
        return
    with tempfile.TemporaryDirectory(prefix="bailiwick-bench-") as scratch:
        spec = RegionSpec.from_stack_file(ROOT / "stacks" / f"Pulumi.{_STACK}.yaml")
        cloud = open_cloud(spec.provider, Path(scratch, "cloud"), NullHardware())
        served = serve(providers_of(cloud))
        try:
            pulumi = PulumiCommand(Path(scratch), _STACK, served.debug_providers)
            (pulumi.project / "stacks" / "__main__.py").write_text(program, encoding="utf-8")
            real = _cost(lambda: pulumi("preview", "--policy-pack", str(ROOT / "policies"), "--stack", _STACK))
            inside = f"import os, sys; sys.path.insert(0, {str(ROOT)!r}); os.chdir({str(pulumi.project)!r})\n{_RUN}"
            local = cost_of_process(["-c", inside, "check", _STACK])
            alone = cost_of_process(["-m", "bench.mocked", _STACK, str(pulumi.project)])
        finally:
            served.stop()
            cloud.close()
    for name, cost, goal in ((what, local, "≥ 10"), ("the program alone under SDK mocks", alone, "–")):
        yield Row(name, _of(cost), "pulumi preview --policy-pack", _of(real), real.seconds / cost.seconds, goal)


def _missing() -> str:
    """What a preview by the real engine lacks here; empty where it lacks nothing."""
    if shutil.which("pulumi") is None:
        return "no pulumi command on PATH"
    # Without an environment pulumi would install the pack's dependencies, and wait for a network.
    return "" if (ROOT / ".venv").exists() else "no .venv for the policy pack: make setup"


def _of(cost: Cost) -> str:
    return f"{cost.seconds:.1f} s ({cost.cpu_seconds:.1f} s of processor)"


def _cost(command: Callable[[], object]) -> Cost:
    """Of what `command` has other processes do, and of the emulated cloud that this one serves to them meanwhile."""

    def spent() -> float:
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        return time.process_time() + children.ru_utime + children.ru_stime

    began, before = time.perf_counter(), spent()
    command()
    return Cost(time.perf_counter() - began, spent() - before, 0)
