"""`bailiwick sandbox`: the emulated clouds as providers for the real engine."""

import signal
import threading
from pathlib import Path
from typing import Annotated

import typer

from cli import attestation_view
from cli.console import open_console
from cli.errors import CliError
from cli.options import StackArgument
from cli.project import Project
from cli.session import emulated
from sandbox.clouds import providers_of
from sandbox.clouds.server import serve as serve_providers

app = typer.Typer(add_completion=False, no_args_is_help=True)


@app.callback()
def sandbox() -> None:
    """Work with the emulated region itself."""


@app.command("activate-hsm")
def activate_hsm(
    stack: StackArgument,
    certificates: Annotated[list[Path], typer.Argument(help="certificates of three to ten officers")],
    quorum: Annotated[int, typer.Option(help="how many officers can open the security domain")] = 2,
) -> None:
    """Activate the emulated Managed HSM, as its officers do in Azure; `up` then goes on."""
    from sandbox.clouds.azure import AzureCloud, officers

    console = open_console()
    with emulated(Project.find(), stack, console) as session:
        if not isinstance(session.cloud, AzureCloud):
            raise CliError(f"{stack} is on {session.spec.cloud}: only Azure has a Managed HSM to activate")
        name = officers.activate(session.cloud, certificates, quorum)
    console.print(f"{name} is active: {len(certificates)} officers, any {quorum} of whom open its security domain")


@app.command()
def serve(
    stack: StackArgument,
    minutes: Annotated[float, typer.Option(help="stop by itself after this long")] = 60.0,
) -> None:
    """Serve the emulated clouds to the real `pulumi` on loopback, and print the line to export."""
    console = open_console()
    with emulated(Project.find(), stack, console) as session:
        served = serve_providers(providers_of(session.cloud))
        stop = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        console.print(f"export PULUMI_DEBUG_PROVIDERS={served.debug_providers}", highlight=False)
        console.print(f"[dim]serving {stack} for {minutes:g} minutes; Ctrl-C ends it[/]")
        shown: set[str] = set()
        try:
            waited = 0.0
            while not stop.wait(1.0) and (waited := waited + 1.0) < minutes * 60:
                for outcome in session.region.outcomes():
                    if outcome.started_at not in shown:
                        shown.add(outcome.started_at)
                        attestation_view.print_outcome(console, outcome)
        finally:
            served.stop()
