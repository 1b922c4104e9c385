"""`bailiwick evidence`: one signed file with which somebody else checks everything that was claimed."""

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from cli.console import open_console
from cli.errors import EXIT_VIOLATION, CliError
from cli.options import StackArgument
from cli.project import Project
from cli.times import read_time
from verifier import evidence
from verifier.signer import fingerprint

app = typer.Typer(add_completion=False, no_args_is_help=True)

SIGNING_KEY = "evidence-bundle"
"""Name, in the region's HSM, of the key that signs bundles."""

_MARKS = {"pass": "[green]✓[/]", "warning": "[yellow]![/]", "fail": "[red]✗[/]"}


@app.callback()
def evidence_() -> None:
    """Export or verify the signed evidence bundle."""


@app.command()
def export(
    stack: StackArgument,
    output: Annotated[Path, typer.Option(help="where to write the bundle")] = Path("bundle.json"),
) -> None:
    """Write one signed bundle: deployment, inputs, verdicts, jurisdiction graph, attestations, key releases."""
    # Pulumi and the sandbox, which an auditor's `verify` does not need.
    from cli.gathering import gather
    from cli.session import emulated
    from verifier.keystore import open_signer

    console, project = open_console(), Project.find()
    with emulated(project, stack, console) as session:
        inputs = gather(session)
        signer = open_signer(session.region.custody.keystore, SIGNING_KEY)
        content = evidence.to_bytes(evidence.build(inputs, signer))
    output.write_bytes(content)
    key = fingerprint(signer.public_key)
    console.print(
        f"[bold]Bundle[/]  {output}, {len(content):,} bytes, signed by a key in {inputs.keystore['description']}"
    )
    console.print("[bold]Key[/]     give the auditor this fingerprint by another way than the bundle:")
    console.print(f"        {key}", soft_wrap=True)
    sandbox = " --emulated" if inputs.sandbox_root else ""
    console.print(f"[bold]Next[/]    bailiwick evidence verify {output} --key {key}{sandbox}", soft_wrap=True)


@app.command()
def verify(
    bundle: Annotated[Path, typer.Argument(help="the bundle to check")],
    key: Annotated[str | None, typer.Option(help="the signer: a public key file (PEM) or a fingerprint")] = None,
    at: Annotated[str | None, typer.Option(help="time of the check, ISO 8601; default now")] = None,
    emulated: Annotated[bool, typer.Option("--emulated", help="accept evidence of emulated hardware")] = False,
    html: Annotated[Path | None, typer.Option(help="also write the bundle as a page")] = None,
) -> None:
    """Check a bundle offline. Exit code 0: everything holds, 1: something does not, 2: unreadable."""
    console = open_console()
    content = _read(bundle)
    result = evidence.verify(content, trusted_key=_trusted(key), at=read_time(at), emulated=emulated)
    for check in result.checks:
        console.print(f"  {_MARKS[check.status]} {escape(check.title)}  [dim]{escape(check.detail)}[/]")
    if html is not None:
        html.write_text(evidence.render_html(content, result), encoding="utf-8")
        console.print(f"[bold]Page[/]    {html}")
    if result.ok:
        console.print(f"[green bold]verified[/]  {escape(str(result.stack))}, exported {result.created_at}")
        return
    if result.only_unpinned:
        console.print("[yellow bold]not verified[/]  it agrees with itself, but --key does not say who may sign it")
    else:
        console.print(f"[red bold]not verified[/]  {len(result.failures)} of {len(result.checks)} checks failed")
    raise typer.Exit(EXIT_VIOLATION)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CliError(f"{path}: {error.strerror}") from None


def _trusted(key: str | None) -> str | None:
    if key is not None and Path(key).is_file():
        return _read(Path(key)).decode("ascii", "replace")
    return key
