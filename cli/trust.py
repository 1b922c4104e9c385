"""`bailiwick trust`: whom the verifier believes, and whether the shipped roots are the pinned ones."""

import json
from typing import Annotated

import typer

from cli.console import open_console
from cli.errors import CliError
from cli.times import read_time
from verifier.anchors import pinned

app = typer.Typer(add_completion=False)


@app.command()
def trust(
    at: Annotated[str | None, typer.Option(help="validity as of this time, ISO 8601; default now")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="as JSON")] = False,
) -> None:
    """Print every pinned trust anchor and compute its fingerprint again. Exit code 2: one is not what is pinned."""
    when = read_time(at)
    found = list(pinned())
    if as_json:
        typer.echo(json.dumps([pin.as_json(when) for pin in found], indent=2))
    else:
        from cli.trust_view import anchors_table

        open_console().print(anchors_table(found, when))
    problems = [pin.problem for pin in found if not pin.holds]
    if problems:
        raise CliError(f"{len(problems)} of {len(found)} pinned certificates differ: {'; '.join(problems)}")
