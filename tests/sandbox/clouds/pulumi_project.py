"""A project of the real `pulumi`, in a directory of its own with a file backend."""

import json
import os
import subprocess
import sys
from pathlib import Path


class Project:
    """A Pulumi project in a directory of its own, with a file backend."""

    def __init__(self, directory: Path, debug_providers: str, program: str) -> None:
        self._directory = directory
        runtime = {"name": "python", "options": {"toolchain": "pip", "virtualenv": sys.prefix}}
        (directory / "Pulumi.yaml").write_text(json.dumps({"name": "bench", "runtime": runtime}))
        (directory / "__main__.py").write_text(program)
        (directory / "backend").mkdir()
        self._environment = os.environ | {
            "PULUMI_BACKEND_URL": (directory / "backend").as_uri(),
            "PULUMI_HOME": str(directory / "home"),
            "PULUMI_CONFIG_PASSPHRASE": "x",
            "PULUMI_DEBUG_PROVIDERS": debug_providers,
            "PULUMI_SKIP_UPDATE_CHECK": "1",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "1",
        }
        self.run("stack", "init", "dev")

    def run(self, *arguments: str, fails: bool = False) -> str:
        """What the command printed; it must succeed, or fail where `fails`."""
        done = subprocess.run(
            ["pulumi", *arguments, "--non-interactive"],
            cwd=self._directory,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert (done.returncode != 0) is fails, done.stdout + done.stderr
        return done.stdout + done.stderr

    def up(self, *, fails: bool = False, **config: str) -> str:
        settings = [part for key, value in config.items() for part in ("--config", f"{key}={value}")]
        return self.run("up", "--yes", "--skip-preview", *settings, fails=fails)
