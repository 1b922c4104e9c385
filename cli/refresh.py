"""`bailiwick refresh`: compare state with what exists, and take over what differs."""

import typer

from cli.console import open_console
from cli.errors import EXIT_VIOLATION
from cli.options import EngineOption, FaultsOption, StackArgument
from cli.project import Project
from cli.pulumi_engine import Engine
from cli.session import carried_out, emulated, print_header

app = typer.Typer(add_completion=False)


@app.command()
def refresh(stack: StackArgument, engine: EngineOption = Engine.AUTO, faults: FaultsOption = None) -> None:
    """Read every resource back from the cloud and take what differs into the state."""
    console = open_console()
    with emulated(Project.find(), stack, console, faults) as session:
        print_header(session, engine.chosen())
        if engine.chosen() is Engine.PULUMI:
            with session.pulumi_engine() as pulumi:
                ok = pulumi.run("refresh") == 0
        else:
            ok = carried_out(session.local_engine().refresh()).ok
    if not ok:
        raise typer.Exit(EXIT_VIOLATION)
