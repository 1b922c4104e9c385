"""`bailiwick stack`: the stacks of the project, and their state."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from cli.console import open_console
from cli.display import print_outputs, resource_tree
from cli.errors import CliError
from cli.options import StackArgument
from cli.project import Project
from components.spec import RegionSpec, SpecError
from sandbox.engine import StateFile
from sandbox.engine.wire import shown

app = typer.Typer(add_completion=False, no_args_is_help=True)


@app.callback()
def stack() -> None:
    """List stacks; show or export their state."""


@app.command("ls")
def list_stacks() -> None:
    """Every stack of the project: where it is, and how many resources its state holds."""
    project, console = Project.find(), open_console()
    table = Table("stack", "cloud", "location", "jurisdiction", "resources")
    for name in project.stack_names():
        state = _state(project, name)
        count = str(len(state.read().resources())) if state.exists() else "not deployed"
        try:
            spec = RegionSpec.from_stack_file(project.stack_file(name))
        except SpecError as error:
            table.add_row(name, "[red]invalid[/]", f"{len(error.problems)} problems", "", count)
            continue
        table.add_row(name, spec.cloud, spec.location, spec.jurisdiction, count)
    console.print(table)


@app.command()
def show(stack: StackArgument) -> None:
    """The resources of a deployed stack as a tree, and its outputs."""
    project, console = Project.find(), open_console()
    resources = _deployed(project, stack).read().resources()
    console.print(resource_tree(stack, ((state.urn, state.parent, state.id) for state in resources)))
    for state in resources:
        if state.type == "pulumi:pulumi:Stack":
            print_outputs(console, {name: shown(value) for name, value in state.outputs.items()})


@app.command()
def export(
    stack: StackArgument,
    file: Annotated[Path | None, typer.Option(help="where to write it; default standard output")] = None,
) -> None:
    """The state as `pulumi stack import` reads it. Secrets stay encrypted."""
    document = json.dumps(_deployed(Project.find(), stack).export(), indent=2)
    if file is None:
        typer.echo(document)
    else:
        file.write_text(document + "\n", encoding="utf-8")


def _deployed(project: Project, stack: str) -> StateFile:
    project.stack_file(stack)
    state = _state(project, stack)
    if not state.exists():
        raise CliError(f"{stack} has no state under the local engine: run `bailiwick up {stack} --engine local` first")
    return state


def _state(project: Project, stack: str) -> StateFile:
    return StateFile(project.state_file(stack), project.passphrase())
