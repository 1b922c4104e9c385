"""A project of its own for each test: this repository's stacks, state and region in a temporary folder."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Cli:
    """Runs `bailiwick` as a user does: a process, in a project folder, without the `pulumi` command on PATH."""

    project: Path

    def __call__(self, *arguments: str, env: dict[str, str] | None = None) -> Result:
        done = subprocess.run(
            [sys.executable, "-c", "from cli.main import run; run()", *arguments],
            cwd=self.project,
            env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "HOME": str(self.project), **(env or {})},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        return Result(done.returncode, done.stdout, done.stderr)

    @property
    def stack_file(self) -> Path:
        return self.project / "stacks" / "Pulumi.azure-germany.yaml"

    def edit(self, old: str, new: str) -> None:
        text = self.stack_file.read_text()
        assert old in text
        self.stack_file.write_text(text.replace(old, new))


def make_project(folder: Path) -> Cli:
    shutil.copy(ROOT / "Pulumi.yaml", folder)
    shutil.copytree(ROOT / "stacks", folder / "stacks", ignore=shutil.ignore_patterns("__pycache__"))
    return Cli(folder)


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    return make_project(tmp_path)


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Cli:
    """A region that is up; tests that share it leave it as it is."""
    cli = make_project(tmp_path_factory.mktemp("project"))
    result = cli("up", "azure-germany")
    assert result.code == 0, result.out + result.err
    return cli


Run = Callable[..., Result]
