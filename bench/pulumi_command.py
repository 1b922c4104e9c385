"""This repository's stacks under the `pulumi` command, over emulated clouds that are served from this process."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]


class PulumiCommand:
    """The project in a folder of its own, with a file backend, one stack and the providers at `debug_providers`."""

    def __init__(self, folder: Path, stack: str, debug_providers: str) -> None:
        self.project = folder / "project"
        self._stack = stack
        self.project.mkdir(parents=True)
        shutil.copy(ROOT / "Pulumi.yaml", self.project)
        shutil.copytree(ROOT / "stacks", self.project / "stacks", ignore=shutil.ignore_patterns("__pycache__"))
        (self.project / ".venv").symlink_to(sys.prefix)
        (folder / "backend").mkdir()
        self._environment = {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "PULUMI_BACKEND_URL": (folder / "backend").as_uri(),
            "PULUMI_HOME": str(folder / "home"),
            "PULUMI_CONFIG_PASSPHRASE": "bench",
            "PULUMI_DEBUG_PROVIDERS": debug_providers,
            "PULUMI_SKIP_UPDATE_CHECK": "1",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "1",
        }
        self("stack", "init", stack)

    def __call__(self, *arguments: str) -> str:
        """What `pulumi ARGUMENTS` printed; raises `RuntimeError` with its last words when it fails."""
        done = subprocess.run(
            ["pulumi", *arguments, "--non-interactive"],
            cwd=self.project,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"pulumi {arguments[0]} of {self._stack} failed: {(done.stdout + done.stderr)[-2000:]}")
        return done.stdout

    def checkpoint(self) -> dict[str, Any]:
        exported: dict[str, Any] = json.loads(self("stack", "export", "--stack", self._stack))
        return exported
