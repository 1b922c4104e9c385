"""The whole project under the real engine: same program, same emulated providers, same policy pack."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.conftest import ROOT, Cli, make_project
from tests.cli.test_readme import blocks

pytestmark = [
    pytest.mark.pulumi,
    pytest.mark.skipif(
        shutil.which("pulumi") is None, reason="no pulumi command on PATH: see https://www.pulumi.com/docs/install"
    ),
]


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Cli:
    cli = make_project(tmp_path_factory.mktemp("project"))
    (cli.project / ".venv").symlink_to(sys.prefix)
    (cli.project / "policies").symlink_to(ROOT / "policies")
    return cli


def _run(cli: Cli, *arguments: str) -> tuple[int, str]:
    result = cli(*arguments, "--engine", "pulumi", env={"PATH": os.environ["PATH"]})
    return result.code, result.out + result.err


def test_up_preview_refresh_and_destroy(real: Cli) -> None:
    stack_file = real.stack_file.read_text()
    code, text = _run(real, "up", "azure-germany")
    assert code == 0, text
    assert "bailiwick@v" in text  # the pack ran
    assert "(inference-guest/1.0.0): attested" in text
    assert real.stack_file.read_text() == stack_file
    (created,) = re.findall(r"(\d+) created$", text, re.MULTILINE)

    for verb in ("preview", "refresh", "up"):
        code, text = _run(real, verb, "azure-germany")
        assert code == 0, text
        assert f"{created} unchanged" in text

    bundle = real.project / "bundle.json"
    exported = real("evidence", "export", "azure-germany", "--output", str(bundle), env={"PATH": os.environ["PATH"]})
    assert exported.code == 0, exported.err
    assert "--key" in exported.out

    code, text = _run(real, "destroy", "azure-germany")
    assert code == 0, text
    assert f"{created} deleted" in text


@pytest.mark.parametrize(
    ("stack", "guest"),
    [
        ("gcp-germany", "gcp-germany-inference"),
        ("aws-ireland", "aws-ireland-inference"),
        ("onprem-kubernetes", "inference-"),
    ],
)
def test_every_other_cloud_comes_up_stays_and_goes(real: Cli, stack: str, guest: str) -> None:
    code, text = _run(real, "up", stack)
    assert code == 0, text
    assert "bailiwick@v" in text  # the pack ran
    attested = re.search(rf"^Attestation +{guest}\S* \(inference-guest/1.0.0\): attested$", text, re.MULTILINE)
    assert attested is not None, text
    (created,) = re.findall(r"(\d+) created$", text, re.MULTILINE)

    for verb in ("preview", "refresh"):
        code, text = _run(real, verb, stack)
        assert code == 0, text
        assert f"{created} unchanged" in text

    code, text = _run(real, "destroy", stack)
    assert code == 0, text
    assert f"{created} deleted" in text


def test_plain_pulumi_over_the_served_cloud(real: Cli) -> None:
    """What the README says: `sandbox serve` in another terminal, its line exported, then the README's own command."""
    (_, block) = blocks("sh")
    command = block.split()
    stack, before = command[command.index("--stack") + 1], real.stack_file.read_text()
    backend = real.project / ".bailiwick" / "plain"
    backend.mkdir(parents=True)
    with _serving(real, stack) as line:
        environment = _pulumi_environment(real, "one of the reader's own") | {
            "PULUMI_DEBUG_PROVIDERS": line.removeprefix("export PULUMI_DEBUG_PROVIDERS="),
            "PULUMI_BACKEND_URL": backend.as_uri(),
            "PYTHONPATH": str(ROOT),
        }
        _pulumi(real, environment, "stack", "init", stack)
        assert "bailiwick@v" in _pulumi(real, environment, *command[1:], "--yes")
        _pulumi(real, environment, "destroy", "--yes", "--stack", stack)
    real.stack_file.write_text(before)


@contextmanager
def _serving(cli: Cli, stack: str) -> Iterator[str]:
    """`bailiwick sandbox serve` while the context lasts; gives the line that it says to export."""
    command = ["-u", "-c", "from cli.main import run; run()", "sandbox", "serve", stack, "--minutes", "5"]
    environment = {"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"], "HOME": str(cli.project)}
    with subprocess.Popen(
        [sys.executable, *command], cwd=cli.project, env=environment, stdout=subprocess.PIPE, text=True
    ) as serving:
        assert serving.stdout is not None
        try:
            yield next(line.strip() for line in serving.stdout if line.startswith("export PULUMI_DEBUG_PROVIDERS="))
        finally:
            serving.terminate()


def _pulumi(cli: Cli, environment: dict[str, str], *arguments: str) -> str:
    done = subprocess.run(
        ["pulumi", *arguments, "--non-interactive"],
        cwd=cli.project,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_violating_stack_does_not_deploy(real: Cli) -> None:
    program = real.project / "stacks" / "__main__.py"
    original = program.read_text()
    program.write_text(
        original
        + "\nimport pulumi_azure_native as azure\n"
        + 'azure.resources.ResourceGroup("elsewhere", location="eastus", opts=pulumi.ResourceOptions('
        + 'provider=azure.Provider("elsewhere", location="eastus", '
        + 'subscription_id="00000000-0000-0000-0000-000000000000", environment="public")))\n'
    )
    try:
        code, text = _run(real, "preview", "azure-germany")
    finally:
        program.write_text(original)
    assert code == 1
    assert "RES-01" in text
    assert "elsewhere" in text


def test_a_state_of_the_local_engine_previews_as_unchanged(real: Cli, tmp_path: Path) -> None:
    _run(real, "preview", "azure-germany")  # makes the stack in the file backend
    local = real("up", "azure-germany", "--engine", "local")
    assert local.code == 0, local.out + local.err
    state = tmp_path / "state.json"
    assert real("stack", "export", "azure-germany", "--file", str(state)).code == 0
    environment = _pulumi_environment(real, (real.project / ".bailiwick" / "passphrase").read_text())
    _pulumi(real, environment, "stack", "import", "--stack", "azure-germany", "--file", str(state), "--force")
    code, text = _run(real, "preview", "azure-germany")
    assert code == 0, text
    assert f"{len(json.loads(state.read_text())['deployment']['resources'])} unchanged" in text


def _pulumi_environment(cli: Cli, passphrase: str) -> dict[str, str]:
    home = cli.project / ".bailiwick" / "pulumi"
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(cli.project),
        "PULUMI_BACKEND_URL": (home / "backend").as_uri(),
        "PULUMI_HOME": str(home / "home"),
        "PULUMI_CONFIG_PASSPHRASE": passphrase,
        "PULUMI_SKIP_UPDATE_CHECK": "1",
    }
