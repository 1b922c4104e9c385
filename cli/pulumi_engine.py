"""Runs the real `pulumi` over the emulated clouds: same program, same providers, same policy pack.

The state goes to a file backend in the project's data folder unless the user has chosen one. `pulumi stack init` writes
the salt of the passphrase into the stack file; so that a stack file under version control does not change because
somebody tried the sandbox, the salt lives in a copy of the stack file which `--config-file` names.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path

import yaml

from cli.errors import CliError
from cli.project import Project

INSTALL_HINT = "install Pulumi (https://www.pulumi.com/docs/install) and put it on PATH, or use --engine local"


def find_pulumi() -> Path | None:
    """The `pulumi` command on PATH, if there is one."""
    found = shutil.which("pulumi")
    return Path(found) if found else None


class Engine(StrEnum):
    """Which engine runs the program. `auto` is `pulumi` where the command is on PATH, else `local`."""

    AUTO = "auto"
    LOCAL = "local"
    PULUMI = "pulumi"

    def chosen(self) -> "Engine":
        """What `auto` means here."""
        if self is Engine.AUTO:
            return Engine.PULUMI if find_pulumi() else Engine.LOCAL
        return self


class PulumiEngine:
    """One stack under the real engine, its providers attached at `debug_providers` (`azure-native:PORT,…`).

    `remediate` are the rules that may put right what they find.
    """

    def __init__(self, project: Project, stack: str, debug_providers: str, remediate: Sequence[str] = ()) -> None:
        self.project = project
        self.stack = stack
        self._remediate = remediate
        command = find_pulumi()
        if command is None:
            raise CliError(f"no pulumi command on PATH: {INSTALL_HINT}")
        if not (project.root / ".venv" / "bin" / "python").exists():  # pulumi would wait for the policy pack for ever
            raise CliError(f"{project.root / '.venv'} has no Python, and Pulumi.yaml names it: run `make setup`")
        self.command = command
        self._home = project.data / "pulumi"
        self._environment = self._make_environment(debug_providers)

    def run(self, verb: str, *options: str) -> int:
        """Run `pulumi VERB` on the stack, its output going straight to the terminal; returns its exit code."""
        arguments = ["--stack", self.stack, "--config-file", str(self._config_file()), *options]
        if verb in {"preview", "up"}:
            arguments += ["--policy-pack", str(self.project.policies), *self._policy_config()]
        if verb != "preview":
            arguments += ["--yes"]
        return self._call([verb, *arguments, "--non-interactive"], cwd=self.project.root)

    def _policy_config(self) -> list[str]:
        """The option with which rules are let to put right what they find, if any are."""
        if not self._remediate:
            return []
        file = self._home / "policy-config.json"
        file.write_text(json.dumps(dict.fromkeys(self._remediate, "remediate")), encoding="utf-8")
        return ["--policy-pack-config", str(file)]

    def export(self) -> str:
        """The stack's checkpoint as `pulumi stack export` prints it, secrets encrypted."""
        return self._capture(["stack", "export", "--stack", self.stack], cwd=self.project.root)

    def _config_file(self) -> Path:
        """The stack file with the salt of this project's passphrase, made with the stack if there is none yet."""
        folder = self._home / "stacks"
        salted = folder / f"Pulumi.{self.stack}.yaml"
        if not salted.exists():
            folder.mkdir(parents=True, exist_ok=True)
            shell = {"name": "bailiwick", "runtime": "python"}
            (folder / "Pulumi.yaml").write_text(yaml.safe_dump(shell), encoding="utf-8")
            self._capture(["stack", "init", self.stack, "--secrets-provider", "passphrase"], cwd=folder)
        salt = yaml.safe_load(salted.read_text(encoding="utf-8"))["encryptionsalt"]
        config = yaml.safe_load(self.project.stack_file(self.stack).read_text(encoding="utf-8"))
        merged = folder / f"{self.stack}.yaml"
        merged.write_text(yaml.safe_dump({**config, "encryptionsalt": salt}, sort_keys=False), encoding="utf-8")
        return merged

    def _make_environment(self, debug_providers: str) -> Mapping[str, str]:
        backend = self._home / "backend"
        backend.mkdir(parents=True, exist_ok=True)
        defaults = {"PULUMI_BACKEND_URL": backend.as_uri(), "PULUMI_HOME": str(self._home / "home")}
        return {
            **defaults,
            **os.environ,
            "PULUMI_CONFIG_PASSPHRASE": self.project.passphrase(),
            "PULUMI_DEBUG_PROVIDERS": debug_providers,
            "PULUMI_SKIP_UPDATE_CHECK": "1",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "1",
            # The language host looks for the project's interpreter first, then on PATH.
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
        }

    def _call(self, arguments: Sequence[str], cwd: Path) -> int:
        return subprocess.run([self.command, *arguments], cwd=cwd, env=self._environment, check=False).returncode

    def _capture(self, arguments: Sequence[str], cwd: Path) -> str:
        done = subprocess.run(
            [self.command, *arguments],
            cwd=cwd,
            env=self._environment,
            check=False,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            reason = (done.stderr.strip() or done.stdout.strip()).splitlines()
            raise CliError(f"pulumi {' '.join(arguments[:2])} failed: {reason[-1] if reason else 'no message'}")
        return done.stdout
