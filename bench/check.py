"""`bailiwick check` against what a user has without it: the program alone under mocks, the real engine's preview."""

import json
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench.measure import Row, best_process, cost_of_process
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
"""What is added to the stack's program, so that it is a large one."""
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
    for added in (0, _FEW):
        yield _side_by_side(added)


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


def _side_by_side(added: int) -> Row:
    """A check of the stack, with so many resource groups more, and the real engine's preview of the same program, over
    the same emulated cloud and with the same pack."""
    what = f"check of {_STACK}" + (f" and {added:,} azure-native resources more" if added else "")
    if shutil.which("pulumi") is None:
        return Row(what, "left out", "pulumi preview --policy-pack", "no pulumi command on PATH", None, "≥ 10")
    with tempfile.TemporaryDirectory(prefix="bailiwick-bench-") as scratch:
        spec = RegionSpec.from_stack_file(ROOT / "stacks" / f"Pulumi.{_STACK}.yaml")
        cloud = open_cloud(spec.provider, Path(scratch, "cloud"), NullHardware())
        served = serve(providers_of(cloud))
        try:
            pulumi = PulumiCommand(Path(scratch), _STACK, served.debug_providers)
            with (pulumi.project / "stacks" / "__main__.py").open("a", encoding="utf-8") as program:
                program.write(_GROUPS.format(count=added))
            began = time.perf_counter()
            pulumi("preview", "--policy-pack", str(ROOT / "policies"), "--stack", _STACK)
            real = time.perf_counter() - began
            inside = f"import os, sys; sys.path.insert(0, {str(ROOT)!r}); os.chdir({str(pulumi.project)!r})\n{_RUN}"
            local = cost_of_process(["-c", inside, "check", _STACK]).seconds
        finally:
            served.stop()
            cloud.close()
    return Row(what, f"{local:.1f} s", "pulumi preview --policy-pack", f"{real:.1f} s", real / local, "≥ 10")
