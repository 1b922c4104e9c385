"""The ready-made checks for CI, run as their services would run them, with a `bailiwick` that writes down its calls."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from tests.policies import published

ROOT = Path(__file__).parents[2]
FAKE = """#!/bin/sh
echo "$@" >> "$CALLS"
previous=
for argument in "$@"; do
  if [ "$previous" = --output ]; then echo '{}' > "$argument"; fi
  previous="$argument"
done
case "$1" in report) echo "rendered" ;; check) exit "${EXIT:-0}" ;; esac
"""


@pytest.fixture
def run(tmp_path: Path) -> Any:
    (tmp_path / "bin").mkdir()
    fake = tmp_path / "bin" / "bailiwick"
    fake.write_text(FAKE)
    fake.chmod(0o755)

    def run(script: str, **environment: str) -> tuple[int, list[str]]:
        calls = tmp_path / "calls"
        calls.write_text("")
        files = {
            "RUNNER_TEMP": str(tmp_path),
            "GITHUB_OUTPUT": str(tmp_path / "output"),
            "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
            "CALLS": str(calls),
        }
        path = f"{tmp_path / 'bin'}:{os.environ['PATH']}"
        done = subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", script],
            cwd=tmp_path,
            env={"PATH": path, **files, **environment},
            capture_output=True,
            text=True,
            check=False,
        )
        assert "unbound variable" not in done.stderr
        return done.returncode, calls.read_text().splitlines()

    return run


def action() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((ROOT / "policies/ci/github/action.yml").read_text())
    return document


@pytest.mark.parametrize(
    ("inputs", "asked"),
    [
        ({"STACKS": "one two", "BASE": "origin/main"}, "check one two"),
        ({"STACKS": "", "BASE": "origin/main"}, "check --changed-since origin/main"),
        ({"STACKS": "", "BASE": ""}, "check --all"),
        ({"STACKS": "$(touch pwned)", "BASE": ""}, "check $(touch pwned)"),
    ],
)
@pytest.mark.parametrize("code", ["0", "1", "2"])
def test_the_github_action(run: Any, tmp_path: Path, inputs: dict[str, str], asked: str, code: str) -> None:
    (step,) = action()["runs"]["steps"]
    returned, calls = run(step["run"], COMMAND="bailiwick", EXIT=code, **inputs)
    assert returned == int(code)
    assert calls[0].startswith(f"{asked} --format json --output ")
    assert [call.split(" --format ")[1].split()[0] for call in calls[1:]] == ["github", "sarif", "markdown"]
    assert (tmp_path / "output").read_text() == f"sarif={tmp_path}/bailiwick.sarif\n"
    assert (tmp_path / "summary").read_text() == "rendered\n"
    assert not (tmp_path / "pwned").exists()


def test_the_github_action_names_no_file_where_no_stack_changed(run: Any, tmp_path: Path) -> None:
    """A later step that uploads would fail on a file that is not there, or take an earlier step's for this one's."""
    (tmp_path / "bailiwick.json").write_text("{}")
    (tmp_path / "bailiwick.sarif").write_text("{}")
    (tmp_path / "bin" / "bailiwick").write_text('#!/bin/sh\necho "$@" >> "$CALLS"\n')
    (step,) = action()["runs"]["steps"]
    returned, calls = run(step["run"], COMMAND="bailiwick", STACKS="", BASE="main")
    assert (returned, len(calls)) == (0, 1)
    assert not (tmp_path / "output").exists()
    assert not (tmp_path / "bailiwick.sarif").exists()


def test_the_github_action_passes_inputs_by_environment_only() -> None:
    """An expression inside the script would let the title of a branch run as a command."""
    (step,) = action()["runs"]["steps"]
    assert "${{" not in step["run"]
    assert set(action()["outputs"]) == {"sarif"}


@pytest.mark.parametrize(("base", "asked"), [("", "check --all"), ("0a1b2c3", "check --changed-since 0a1b2c3")])
def test_the_gitlab_template(run: Any, base: str, asked: str) -> None:
    job = yaml.safe_load((ROOT / "policies/ci/gitlab.yml").read_text())["policy-check"]
    returned, calls = run(
        "\n".join(job["script"]), BAILIWICK="bailiwick", CI_MERGE_REQUEST_DIFF_BASE_SHA=base, EXIT="1"
    )
    assert returned == 1
    assert calls == [f"{asked} --format junit --output bailiwick.xml"]
    assert job["artifacts"]["reports"] == {"junit": "bailiwick.xml"}
    assert job["artifacts"]["when"] == "always"


@pytest.mark.parametrize(
    ("file", "schema"), [("github/action.yml", "github-action.json"), ("gitlab.yml", "schema/ci.json")]
)
def test_each_service_would_accept_the_file(file: str, schema: str) -> None:
    document = yaml.safe_load((ROOT / "policies/ci" / file).read_text())
    jsonschema.Draft7Validator(published.schema(schema)).validate(document)


def test_the_pre_commit_hook(run: Any) -> None:
    pytest.importorskip("pre_commit", reason="needs the extra `dev`")
    manifest = ROOT / ".pre-commit-hooks.yaml"
    valid = subprocess.run(
        [sys.executable, "-m", "pre_commit", "validate-manifest", str(manifest)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert valid.returncode == 0, valid.stdout + valid.stderr
    (hook,) = yaml.safe_load(manifest.read_text())
    assert hook["language"] == "system"
    assert all(re.search(hook["files"], path) for path in ("stacks/Pulumi.dev.yaml", "policies/pack.py", "Pulumi.yaml"))
    assert not re.search(hook["files"], "docs/stacks/index.md")
    assert run(hook["entry"]) == (0, ["check --changed-since HEAD"])
