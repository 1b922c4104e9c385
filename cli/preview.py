"""`bailiwick preview`: what `up` would change, and what the policy pack says of it."""

import typer

from cli.console import open_console
from cli.errors import EXIT_VIOLATION
from cli.options import EngineOption, RemediateOption, StackArgument
from cli.project import Project
from cli.pulumi_engine import Engine
from cli.session import carried_out, emulated, print_header

app = typer.Typer(add_completion=False)


@app.command()
def preview(stack: StackArgument, engine: EngineOption = Engine.AUTO, remediate: RemediateOption = None) -> None:
    """Show what `up` would change, and what the policy pack says of it. Changes nothing."""
    console = open_console()
    with emulated(Project.find(), stack, console, remediate=remediate or ()) as session:
        print_header(session, engine.chosen())
        if engine.chosen() is Engine.PULUMI:
            with session.pulumi_engine() as pulumi:
                ok = pulumi.run("preview") == 0
        else:
            ok = carried_out(session.local_engine().preview()).ok
    if not ok:
        raise typer.Exit(EXIT_VIOLATION)
