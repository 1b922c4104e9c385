"""The same stacks under both engines: how long each takes, and whether they do the same and leave the same."""

import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.essence import essence
from bench.measure import Row
from bench.pulumi_command import ROOT, PulumiCommand
from bench.recorder import recorded
from components.spec import RegionSpec
from sandbox.clouds import open_cloud
from sandbox.clouds.hardware import NullHardware
from sandbox.clouds.server import serve


@dataclass(frozen=True, slots=True)
class Deployed:
    """What one engine did with a stack: wall seconds, (act, URN) pairs in no order, and the state that it left."""

    seconds: float
    acts: list[list[str]]
    checkpoint: dict[str, Any]


def run() -> Iterator[Row]:
    """One row for each stack in the repository."""
    if shutil.which("pulumi") is None:
        yield Row("both engines on each stack", "left out", "no pulumi command on PATH", "", None, "")
        return
    for file in sorted((ROOT / "stacks").glob("Pulumi.*.yaml")):
        stack = file.name.removeprefix("Pulumi.").removesuffix(".yaml")
        with tempfile.TemporaryDirectory(prefix="bailiwick-bench-") as scratch:
            local, real = (
                deploy_locally(stack, Path(scratch, "local")),
                deploy_with_pulumi(stack, Path(scratch, "real")),
            )
        different = len(differences(local, real))
        resources = len(local.checkpoint["deployment"]["resources"])
        yield Row(
            f"{stack}: up by the local engine, preview first",
            f"{local.seconds:.1f} s ({resources / local.seconds:.0f}/s)",
            "pulumi up",
            f"{real.seconds:.1f} s",
            real.seconds / local.seconds,
            f"{resources} resources the same" if not different else f"{different} facts differ",
        )


def deploy_locally(stack: str, folder: Path) -> Deployed:
    """`up` from nothing in a process of its own, as a user would start it."""
    folder.mkdir(parents=True)
    began = time.perf_counter()
    command = [sys.executable, "-m", "bench.stack_up", stack, str(folder)]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    seconds = time.perf_counter() - began
    if done.returncode:
        raise RuntimeError(f"{stack} under the local engine: {done.stderr.strip()[-2000:]}")
    written = (json.loads((folder / name).read_text(encoding="utf-8")) for name in ("acts.json", "checkpoint.json"))
    return Deployed(seconds, *written)


def deploy_with_pulumi(stack: str, folder: Path) -> Deployed:
    """`pulumi up` from nothing over another cloud of the same kind."""
    folder.mkdir(parents=True)
    spec = RegionSpec.from_stack_file(ROOT / "stacks" / f"Pulumi.{stack}.yaml")
    cloud = open_cloud(spec.provider, folder / "cloud", NullHardware())
    providers, acts = recorded(cloud)
    served = serve(providers)
    try:
        pulumi = PulumiCommand(folder, stack, served.debug_providers)
        began = time.perf_counter()
        pulumi("up", "--yes", "--stack", stack)
        return Deployed(time.perf_counter() - began, acts, pulumi.checkpoint())
    finally:
        served.stop()
        cloud.close()


def differences(local: Deployed, real: Deployed) -> list[str]:
    """Acts that one engine did and the other did not, and facts that only one of the two states has."""
    acts = [set(map(tuple, deployed.acts)) for deployed in (local, real)]
    facts = [essence(deployed.checkpoint, two_clouds=True) for deployed in (local, real)]
    return sorted([*(f"{act} {urn}" for act, urn in acts[0] ^ acts[1]), *(facts[0] ^ facts[1])])
