"""`bailiwick up --all` from nothing: every stack previewed, judged, deployed, its guests attested."""

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench.measure import Row

ROOT = Path(__file__).parents[1]
_TOOK = re.compile(r"^Took +([0-9.]+) s for (\d+) resources", re.MULTILINE)


def run() -> Iterator[Row]:
    with tempfile.TemporaryDirectory(prefix="bailiwick-bench-") as scratch:
        shutil.copy(ROOT / "Pulumi.yaml", scratch)
        shutil.copytree(ROOT / "stacks", Path(scratch, "stacks"), ignore=shutil.ignore_patterns("__pycache__"))
        stacks = len(list(Path(scratch, "stacks").glob("Pulumi.*.yaml")))
        command = [
            sys.executable,
            "-c",
            f"import sys; sys.path.insert(0, {str(ROOT)!r}); from cli.main import run; run()",
        ]
        done = subprocess.run([*command, "up", "--all"], cwd=scratch, check=False, capture_output=True, text=True)
    took = _TOOK.search(done.stdout)
    if done.returncode or took is None:
        raise RuntimeError(f"up --all exited with {done.returncode}: {(done.stdout + done.stderr).strip()[-500:]}")
    seconds, resources = float(took[1]), int(took[2])
    what = f"up --all: {stacks} stacks, {resources} resources, guests attested"
    yield Row(what, f"{seconds:.1f} s ({resources / seconds:.0f}/s)", "", "", None, "")
