"""`bailiwick score`: what a stack can show for a framework, and what nobody can read off its code."""

from pathlib import Path
from typing import Annotated, Final

import typer
from rich.table import Table

import catalog
from cli.checking import Request, check_stacks
from cli.console import open_console
from cli.errors import CliError
from cli.options import StackArgument
from cli.project import Project
from policies.controls import Framework, frameworks
from policies.pack import RULES
from policies.report.model import StackReport
from policies.score import Scorecard, Scored, score

app = typer.Typer(add_completion=False)

_STYLES: Final = {"evidenced": "green", "broken": "red", "asserted": "yellow", "not expressible": "dim"}
_TIMEOUT_S: Final = 300.0


@app.command("score")
def show(
    stack: StackArgument,
    framework: Annotated[str, typer.Option(help="a framework of policies/frameworks")] = "sov",
) -> None:
    """Show the scorecard of a stack. Exit code 0: every rule that counts holds, 1: one does not, 2: no answer."""
    chosen, console = _framework(framework), open_console()
    report = _check(Project.find(), stack)
    if report.error is not None:
        raise CliError(f"{stack} could not be checked: {report.error}")
    card = score(chosen, report.results, report.laws)
    console.print(_table(card, f"{chosen.name}: {stack}"))
    console.print("° the mapping must still be confirmed by a person who knows the framework", style="dim")
    _conclude(card)
    if any(one.broken for one in card.requirements):
        raise typer.Exit(1)


def _framework(key: str) -> Framework:
    known = frameworks()
    if key not in known:
        raise CliError(f"no framework {key!r}; did you mean {catalog.nearest(key, known) or ' or '.join(known)}?")
    return known[key]


def _check(project: Project, stack: str) -> StackReport:
    project.stack_file(stack)
    rules = tuple(rule.id for rule in RULES)
    (report,) = check_stacks([Request(Path(project.root), stack, rules, _TIMEOUT_S)])
    return report


def _table(card: Scorecard, title: str) -> Table:
    """Weights and levels have a column where the framework has them."""
    weighted, levelled = card.ceiling is not None, bool(card.framework.levels)
    names = ("requirement", *["weight"] * weighted, "standing", *["at most"] * levelled, "evidence")
    table = Table(*names, title=title)
    for one in card.requirements:
        mark = "°" if one.must_be_confirmed and one.evidence else ""
        standing = f"[{_STYLES[one.standing]}]{one.standing}{mark}[/]"
        weight, level = [f"{one.weight} %"] * weighted, [_short(card.level(one))] * levelled
        table.add_row(f"{one.requirement} {one.title}", *weight, standing, *level, _evidence(one))
    return table


def _evidence(one: Scored) -> str:
    parts = []
    if one.broken:
        parts.append(f"[red]broken: {', '.join(one.broken)}[/]")
    if one.evidence:
        parts.append(", ".join(one.evidence))
    if one.silent:
        parts.append(f"[dim]nothing to judge: {', '.join(one.silent)}[/]")
    return "; ".join(parts) or "[dim]infrastructure as code cannot show it[/]"


def _conclude(card: Scorecard) -> None:
    console = open_console()
    if card.ceiling is not None:
        console.print(f"[bold]Ceiling[/]  {card.ceiling} % of the score is what this evidence supports at most")
    if card.capped_by:
        names = ", ".join(one.requirement for one in card.capped_by)
        console.print(f"[bold]Without evidence[/]  {names}: where the lowest requirement decides, these decide")
    if card.lowest is not None:
        console.print(f"[bold]Level[/]  {card.lowest} at most, once others have shown what has no evidence here")
        for limit in dict.fromkeys(limit for one in card.requirements for limit in one.limits):
            level = _short(card.framework.levels[limit.level])
            console.print(f"[dim]{', '.join(limit.requirements)}: {level} at most, because {limit.reason}[/]")


def _short(level: str | None) -> str:
    """A level's name without its title."""
    return level.split(" (")[0] if level else ""
