"""`bailiwick report`: a check's JSON report in another format, without checking again."""

from pathlib import Path
from typing import Annotated

import typer

from cli.check import Format, write
from cli.errors import CliError
from policies.report.record import MalformedReport, read

app = typer.Typer(add_completion=False)


@app.command()
def report(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="what `bailiwick check --format json` wrote")],
    form: Annotated[Format, typer.Option("--format", help="how to write the verdicts")] = Format.TEXT,
    output: Annotated[Path | None, typer.Option(metavar="FILE", help="write there instead of to the terminal")] = None,
) -> None:
    """Write a report in another format. The exit code is 0 whatever the verdict was: the check has given it."""
    try:
        found = read(file.read_text(encoding="utf-8"))
    except UnicodeDecodeError:
        raise CliError(f"{file}: is not UTF-8 text") from None
    except MalformedReport as error:
        raise CliError(f"{file}: {error}") from None
    write(found, form, output, quiet=True)
