"""`bailiwick check`: a policy verdict for stacks, with no credentials, no state and no hardware."""

import json
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from cli.console import open_console
from cli.display import policy_summary, print_verdicts
from cli.errors import EXIT_UNUSABLE, EXIT_VIOLATION, CliError
from cli.project import Project
from components.spec import RegionSpec
from policies import pack
from sandbox.clouds.azure import AzureCloud
from sandbox.clouds.hardware import NullHardware
from sandbox.engine import LocalEngine, Outcome, PolicyHost, StateFile

app = typer.Typer()


class Format(StrEnum):
    TEXT = "text"
    JSON = "json"


@app.command()
def check(
    stacks: Annotated[list[str] | None, typer.Argument(help="stacks to check", metavar="[STACK]...")] = None,
    every: Annotated[bool, typer.Option("--all", help="every stack that has a stack file")] = False,
    form: Annotated[Format, typer.Option("--format", help="how to print the verdicts")] = Format.TEXT,
) -> None:
    """Judge stacks against the policy pack. Exit code 0: pass, 1: violation, 2: could not check."""
    project, console = Project.find(), open_console()
    names = project.stack_names() if every else stacks or []
    if not names:
        raise CliError(f"name a stack, or use --all; stacks here: {', '.join(project.stack_names()) or 'none'}")
    outcomes = {name: judge(project, name) for name in names}
    if form is Format.JSON:
        console.print_json(json.dumps({name: _record(outcome) for name, outcome in outcomes.items()}))
    else:
        for name, outcome in outcomes.items():
            _print(console, name, outcome)
    codes = [_code(outcome) for outcome in outcomes.values()]
    if worst := max(codes):
        raise typer.Exit(worst)


def judge(project: Project, stack: str) -> Outcome:
    """Preview `stack` from nothing, in an emulated cloud that lasts as long as this call, under the policy pack."""
    RegionSpec.from_stack_file(project.stack_file(stack))
    with tempfile.TemporaryDirectory(prefix="bailiwick-check-") as scratch:
        cloud = AzureCloud(Path(scratch), NullHardware())
        engine = LocalEngine(
            project.root,
            stack,
            providers={cloud.package: cloud},
            state=StateFile(Path(scratch) / "state.json", passphrase=""),
            policy_pack=PolicyHost(pack.build()),
        )
        return engine.preview()


def _code(outcome: Outcome) -> int:
    if any(verdict.blocks for verdict in outcome.verdicts):
        return EXIT_VIOLATION
    return 0 if outcome.ok else EXIT_UNUSABLE


def _print(console: Console, stack: str, outcome: Outcome) -> None:
    result = {0: "[green]pass[/]", EXIT_VIOLATION: "[red]violation[/]", EXIT_UNUSABLE: "[red]could not check[/]"}
    console.print(f"[bold]{stack}[/]  {result[_code(outcome)]} in {outcome.duration_s:.1f} s")
    if _code(outcome) == EXIT_UNUSABLE:
        console.print(f"  {outcome.error}", markup=False)
    else:
        print_verdicts(console, outcome.verdicts)


def _record(outcome: Outcome) -> dict[str, object]:
    return {
        "exit_code": _code(outcome),
        "error": outcome.error,
        "summary": policy_summary(outcome.verdicts),
        "verdicts": _as_dicts(outcome.verdicts),
    }


def _as_dicts(verdicts: Sequence[object]) -> list[dict[str, object]]:
    return [asdict(verdict) for verdict in verdicts]  # type: ignore[call-overload]
