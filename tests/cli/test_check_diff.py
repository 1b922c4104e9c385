"""`bailiwick check --diff REF`: what a pull request changes in resources and in the jurisdiction graph."""

import subprocess
import time
from dataclasses import replace
from pathlib import Path

import pytest

from cli.difference import Difference, _difference, _Task
from cli.difference_view import SMALLEST, render
from cli.project import Project
from sandbox.engine.events import Step
from tests.cli.conftest import Cli

VM = Step(
    "update",
    "urn:vm",
    "azure-native:compute:VirtualMachine",
    "vm",
    changed=("size",),
    old={"size": "a|b"},
    new={"size": "<c>"},
)
EDGE = {
    "kind": "keys",
    "name": "vault",
    "endpoint": "https://vault.example.org",
    "location": "westeurope",
    "operator": "An operator",
    "jurisdiction": "NL",
    "legalReach": ["US"],
    "carries": "keys",
}
CHANGED = Difference("dev", "DE", (VM, replace(VM, op="same", name="other")), (), (EDGE,))


def git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    subprocess.run(["git", "-C", str(folder), *identity, *arguments], check=True, capture_output=True)


def test_a_pull_request_is_told_in_one_comment(cli: Cli) -> None:
    for stack in cli.project.glob("stacks/Pulumi.*.yaml"):
        if stack.name not in ("Pulumi.onprem-kubernetes.yaml", "Pulumi.azure-switzerland.yaml"):
            stack.unlink()
    git(cli.project, "init", "--quiet", "--initial-branch=main")
    git(cli.project, "add", ".")
    git(cli.project, "commit", "--quiet", "-m", "state")
    stack = cli.project / "stacks/Pulumi.onprem-kubernetes.yaml"
    text = stack.read_text()
    assert "replicas: 2" in text
    stack.write_text(text.replace("replicas: 2", "replicas: 3"))
    (cli.project / "stacks/Pulumi.azure-switzerland.yaml").unlink()

    told = cli("check", "--diff", "main")

    assert told.code == 0, told.err
    assert "| onprem-kubernetes | ✅ pass |" in told.out
    assert "1 to update" in told.out
    assert "spec.replicas: 2 → 3" in told.out
    assert "| + | compute verifier-2 |" in told.out
    assert "**The stack file is removed**" in told.out
    assert "17 removed" in told.out


def test_what_the_program_names_cannot_break_out_of_the_table() -> None:
    (row,) = [line for line in render([CHANGED], "main", 10_000).splitlines() if line.startswith("| ~")]
    assert row == r"| ~ | vm | compute:VirtualMachine | size: a\|b → \<c\> |"


def test_a_dependency_that_leaves_is_shouted() -> None:
    told = render([CHANGED], "main", 10_000)
    assert "1 added, 0 removed, 0 changed" in told
    assert "**westeurope, NL: leaves DE**" in told
    unknown = {**EDGE, "endpoint": "[unknown]"}
    assert "graph: unchanged" in render([replace(CHANGED, before=(EDGE,), after=(unknown,))], "main", 10_000)
    assert "1 changed" in render(
        [replace(CHANGED, before=(EDGE,), after=({**EDGE, "carries": "content"},))], "main", 10_000
    )


def test_a_long_change_is_cut_and_counted() -> None:
    many = replace(CHANGED, steps=(VM,) * 500)
    told = render([many], "main", SMALLEST)
    assert len(told) < SMALLEST + 200
    assert "more lines are left out here" in told


def test_a_program_that_never_ends_is_compared_no_longer_than_it_may(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cli.difference._deploy_base", lambda *_: time.sleep(60))
    project = Project(cli.project)
    found = _difference(_Task(project, project, "azure-germany", tmp_path / "scratch", timeout_s=0.1))
    assert (found.error or "").startswith("not done after 0.1 s")


def test_what_cannot_be_compared_is_said() -> None:
    assert "could not be compared: no such module" in render(
        [Difference("dev", error="no such module")], "main", 10_000
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--diff", "nowhere"), "--diff: git merge-base failed"),
        (("--diff", "HEAD", "--format", "sarif"), "--diff writes Markdown about stacks"),
        (("--diff", "-x", "azure-germany"), "is not a git reference"),
    ],
)
def test_what_cannot_be_asked(cli: Cli, arguments: tuple[str, ...], message: str) -> None:
    git(cli.project, "init", "--quiet", "--initial-branch=main")
    git(cli.project, "commit", "--quiet", "--allow-empty", "-m", "state")
    told = cli("check", *arguments)
    assert told.code == 2
    assert message in told.err
