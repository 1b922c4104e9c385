"""`bailiwick destroy`: take a region down, and leave nothing."""

import typer

from cli import records
from cli.console import open_console
from cli.errors import EXIT_VIOLATION
from cli.options import EngineOption, FaultsOption, StackArgument
from cli.project import Project
from cli.pulumi_engine import Engine
from cli.session import carried_out, emulated, print_header

app = typer.Typer(add_completion=False)


@app.command()
def destroy(stack: StackArgument, engine: EngineOption = Engine.AUTO, faults: FaultsOption = None) -> None:
    """Delete every resource of the region, its keys included, and the emulated region itself."""
    project, console = Project.find(), open_console()
    with emulated(project, stack, console, faults) as session:
        print_header(session, engine.chosen())
        if engine.chosen() is Engine.PULUMI:
            with session.pulumi_engine() as pulumi:
                ok = pulumi.run("destroy") == 0
        else:
            ok = carried_out(session.local_engine().destroy()).ok
        if ok:
            session.erase()
            records.forget(project, stack)
    if not ok:
        raise typer.Exit(EXIT_VIOLATION)
