"""`bailiwick up`: bring a region up, attest its guests, show the proof."""

import time
from datetime import UTC, datetime
from typing import Annotated

import typer

from cli import attestation_view, fleet, records
from cli.checking import preview
from cli.console import open_console
from cli.display import print_outputs, resource_tree
from cli.errors import EXIT_VIOLATION, CliError
from cli.options import EngineOption, FaultsOption, RemediateOption
from cli.project import Project
from cli.pulumi_engine import Engine
from cli.session import Session, carried_out, emulated, print_header
from sandbox.engine import StateFile
from sandbox.engine.resource import ResourceState

app = typer.Typer(add_completion=False)


@app.command()
def up(
    stacks: Annotated[list[str] | None, typer.Argument(help="stacks to bring up", metavar="[STACK]...")] = None,
    every: Annotated[bool, typer.Option("--all", help="every stack that has a stack file")] = False,
    engine: EngineOption = Engine.AUTO,
    faults: FaultsOption = None,
    remediate: RemediateOption = None,
) -> None:
    """Bring regions up in the emulated cloud, attest their guests and show the proof.

    Several at once run in parallel under the local engine, and are summed up in one table.
    """
    project = Project.find()
    names = project.stack_names() if every else stacks or []
    if not names:
        raise CliError(f"name a stack, or use --all; stacks here: {', '.join(project.stack_names()) or 'none'}")
    if len(names) == 1:
        _one(project, names[0], engine, faults, remediate or [])
    elif engine is Engine.PULUMI:
        raise CliError("several stacks at once run under the local engine: leave --engine out, or name one stack")
    elif any(arrival.error for arrival in fleet.bring_up(project, names, open_console(), faults, remediate or [])):
        raise typer.Exit(EXIT_VIOLATION)


def _one(project: Project, stack: str, engine: Engine, faults: str | None, remediate: list[str]) -> None:
    started, began = time.monotonic(), datetime.now(UTC).isoformat()
    console = open_console()
    with emulated(project, stack, console, faults, remediate) as session:
        print_header(session, engine.chosen())
        ok = _with_pulumi(session) if engine.chosen() is Engine.PULUMI else _with_local_engine(session)
        if not ok:
            raise typer.Exit(EXIT_VIOLATION)
        outcomes = session.region.settle(fleet.GUEST_SECONDS)
        for outcome in outcomes:
            attestation_view.print_outcome(console, outcome, brief=outcome.started_at < began)
        for lack in session.spec.lacks:
            console.print(f"[bold yellow]Lacks[/]  {lack}")
        console.print(f"\n[bold]Took[/]  {time.monotonic() - started:.1f} s")
        console.print(
            "[bold]Next[/]  bailiwick preview | up | refresh | destroy | check | stack, and\n"
            f"      bailiwick evidence export {stack} --output bundle.json, which says how an auditor verifies it"
        )
        if any(outcome.status in ("refused", "failed") for outcome in outcomes):
            raise typer.Exit(EXIT_VIOLATION)


def _with_local_engine(session: Session) -> bool:
    outcome = carried_out(session.local_engine().up())
    records.save_verdicts(session.project, session.stack, Engine.LOCAL, outcome.verdicts)
    if outcome.ok and outcome.changes.total() != outcome.changes["same"]:
        state = StateFile(session.project.state_file(session.stack), session.project.passphrase()).read()
        session.console.print(
            resource_tree(session.stack, ((r.urn, r.parent, _exists_as(r)) for r in state.resources()))
        )
    if outcome.ok:
        print_outputs(session.console, outcome.outputs)
    return outcome.ok


def _with_pulumi(session: Session) -> bool:
    with session.pulumi_engine() as pulumi:
        if pulumi.run("up") != 0:
            return False
    # The engine enforced the pack and keeps no verdicts: the same rules on the same program give them again.
    outcome = preview(session.project, session.stack, remediate=session.remediate)
    records.save_verdicts(session.project, session.stack, Engine.PULUMI, outcome.verdicts)
    return True


def _exists_as(state: ResourceState) -> str:
    """The last part of the cloud's id, where it says more than the name does."""
    existing = (state.id or "").rsplit("/", 1)[-1]
    name = state.urn.rsplit("::", 1)[-1]
    return f"[dim italic]{existing}[/]" if existing and existing != name else ""
