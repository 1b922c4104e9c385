"""`bailiwick graph`: what a region consists of and what it depends on, drawn before anything exists."""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

import catalog
from cli.checking import preview
from cli.display import short_type
from cli.errors import EXIT_UNUSABLE, CliError
from cli.options import StackArgument
from cli.project import Project
from components.spec import RegionSpec
from policies.edges import GRAPH
from sandbox.engine.events import Event, Planned, Step
from verifier.evidence import render_svg

app = typer.Typer(add_completion=False)


class Form(StrEnum):
    """What to draw, and how."""

    SVG = "svg"
    MERMAID = "mermaid"
    RESOURCES = "resources"


@app.command()
def graph(
    stack: StackArgument,
    form: Annotated[
        Form, typer.Option("--format", help="the jurisdiction graph as svg or mermaid, or the resources as mermaid")
    ] = Form.MERMAID,
    output: Annotated[Path | None, typer.Option(help="file to write; default standard output")] = None,
) -> None:
    """Draw the jurisdiction graph or the resources of a stack, from its program alone."""
    project, steps = Project.find(), list[Step]()

    def listen(event: Event) -> None:
        if isinstance(event, Planned):
            steps.extend(event.steps)

    outcome = preview(project, stack, on_event=listen)
    if not outcome.outputs:
        raise CliError(outcome.error or f"{stack} exports no jurisdiction graph", code=EXIT_UNUSABLE)
    spec = RegionSpec.from_stack_file(project.stack_file(stack))
    jurisdiction = spec.jurisdiction
    dependencies: list[dict[str, Any]] = outcome.outputs[GRAPH]
    match form:
        case Form.SVG:
            facts = catalog.load()
            inside = [name for name in facts.jurisdictions if facts.within(name, jurisdiction)]
            centre = f"{stack}: keys and log" if spec.lacks else stack
            statement = {"jurisdiction": jurisdiction, "inside": inside, "dependencies": dependencies}
            drawn = render_svg(centre, {**statement, "lacks": spec.lacks})
        case Form.MERMAID:
            drawn = "\n".join(jurisdiction_mermaid(stack, jurisdiction, dependencies, spec.lacks))
        case Form.RESOURCES:
            drawn = "\n".join(resources_mermaid(steps))
    if output is None:
        typer.echo(drawn)
    else:
        output.write_text(drawn + "\n", encoding="utf-8")


def jurisdiction_mermaid(
    stack: str, jurisdiction: str, dependencies: Sequence[dict[str, Any]], lacks: Sequence[str] = ()
) -> Iterable[str]:
    """The dependencies as a flowchart: those inside the jurisdiction in one box, dashed edges to the others, and what
    the region lacks with no arrow at its end."""
    facts = catalog.load()
    inside = [facts.within(edge["jurisdiction"], jurisdiction) for edge in dependencies]
    yield "flowchart LR"
    yield f"  stack([{_quoted(stack)}])"
    yield f"  subgraph inside [{_quoted(jurisdiction)}]"
    for number, edge in enumerate(dependencies):
        if inside[number]:
            yield f"    d{number}[{_quoted(_caption(edge))}]"
    yield "  end"
    for number, edge in enumerate(dependencies):
        if not inside[number]:
            yield f"  d{number}[{_quoted(_caption(edge))}]"
    for number, edge in enumerate(dependencies):
        arrow = "-->" if inside[number] else "-.->"
        yield f"  stack {arrow}|{edge['kind']}| d{number}"
    for number, lack in enumerate(lacks):
        yield f"  stack -.-|lacks| n{number}[{_quoted(lack)}]"


def resources_mermaid(steps: Sequence[Step]) -> Iterable[str]:
    """The resources as a flowchart, each under its parent."""
    names = {step.urn: f"r{number}" for number, step in enumerate(steps)}
    yield "flowchart LR"
    for step in steps:
        shape = ("([", "])") if step.type.startswith("bailiwick:") else ("[", "]")
        yield f"  {names[step.urn]}{shape[0]}{_quoted(f'{step.name}<br/>{short_type(step.type)}')}{shape[1]}"
    for step in steps:
        if step.parent in names:
            yield f"  {names[step.parent]} --> {names[step.urn]}"


def _caption(edge: dict[str, Any]) -> str:
    return f"{edge['name']}<br/>{edge['location']}, {edge['operator']}"


def _quoted(text: str) -> str:
    return '"' + text.replace('"', "#quot;") + '"'
