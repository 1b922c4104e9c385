"""`bailiwick check`: a policy verdict for stacks, with no credentials, no state and no hardware."""

from collections.abc import Callable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer

from cli.changed import stacks_changed_since
from cli.checking import Request, against, check_stacks
from cli.console import open_console
from cli.difference import Difference, differences
from cli.difference_view import SMALLEST
from cli.difference_view import render as render_differences
from cli.errors import EXIT_UNUSABLE, CliError
from cli.given import check_preview, check_state
from cli.options import RemediateOption
from cli.project import Project
from policies.report import github, junit, markdown, record, sarif, text
from policies.report.model import Report, StackReport
from policies.selection import Selection, remedial

app = typer.Typer(add_completion=False)


class Format(StrEnum):
    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"
    JUNIT = "junit"
    GITHUB = "github"
    MARKDOWN = "markdown"


_RENDERERS: Final[dict[Format, Callable[[Report], str]]] = {
    Format.TEXT: text.render,
    Format.JSON: record.render,
    Format.SARIF: sarif.render,
    Format.JUNIT: junit.render,
    Format.GITHUB: github.render,
    Format.MARKDOWN: markdown.render,
}


@app.command()
def check(
    stacks: Annotated[list[str] | None, typer.Argument(help="stacks to check", metavar="[STACK]...")] = None,
    every: Annotated[bool, typer.Option("--all", help="every stack that has a stack file")] = False,
    changed_since: Annotated[
        str | None, typer.Option(metavar="REF", help="the stacks that changed since this git reference")
    ] = None,
    diff: Annotated[
        str | None, typer.Option(metavar="REF", help="show what changed since this git reference too, as Markdown")
    ] = None,
    form: Annotated[Format, typer.Option("--format", help="how to write the verdicts")] = Format.TEXT,
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="write there, and the text to the terminal")
    ] = None,
    jurisdiction: Annotated[
        list[str] | None, typer.Option(help="only rules that a framework of this jurisdiction asks for, such as FR")
    ] = None,
    framework: Annotated[list[str] | None, typer.Option(help="only rules that a framework asks for")] = None,
    severity: Annotated[list[str] | None, typer.Option(help="only rules of this severity")] = None,
    theme: Annotated[list[str] | None, typer.Option(help="only rules of this theme, such as KEY")] = None,
    baseline: Annotated[
        Path | None, typer.Option(metavar="FILE", help="report only what this JSON report does not have")
    ] = None,
    state: Annotated[
        Path | None, typer.Option(metavar="FILE", help="judge a checkpoint or `pulumi stack export` instead")
    ] = None,
    preview_json: Annotated[
        Path | None, typer.Option(metavar="FILE", help="judge the output of `pulumi preview --json` instead")
    ] = None,
    config: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=VALUE", help="configuration of the file's stack, such as bailiwick:cloud=azure"),
    ] = None,
    remediate: RemediateOption = None,
    timeout: Annotated[float, typer.Option(min=1, max=86_400, help="seconds that one stack may take")] = 300,
) -> None:
    """Judge stacks against the policy pack. Exit code 0: pass, 1: violation, 2: could not check."""
    if (every or changed_since is not None) and (state or preview_json):
        raise CliError("--all and --changed-since choose stacks; --state and --preview-json judge one file instead")
    if diff is not None and (form not in (Format.TEXT, Format.MARKDOWN) or state or preview_json):
        raise CliError("--diff writes Markdown about stacks: leave --format, --state and --preview-json out")
    if remediate and (state or preview_json):
        raise CliError("--remediate changes what a program asks for; a file of --state or --preview-json is what it is")
    selection = Selection(tuple(jurisdiction or ()), tuple(framework or ()), tuple(severity or ()), tuple(theme or ()))
    ids, remedies = tuple(rule.id for rule in selection.rules()), remedial(remediate or ())
    known = _known(baseline)
    if state is not None or preview_json is not None:
        reports = [_given(stacks or [], state, preview_json, config or [], ids, timeout)]
    elif config:
        raise CliError("--config goes with --state or --preview-json; a stack has its own configuration")
    else:
        project = Project.find()
        option = "--diff" if changed_since is None else "--changed-since"
        changed_since = changed_since or (diff if not (stacks or every) else None)
        names = _names(project, stacks or [], changed_since, option, every=every)
        if not names:
            typer.echo(f"no stack changed since {changed_since}: nothing to check", err=form is not Format.TEXT)
            return
        reports = check_stacks([Request(project.root, name, ids, timeout, remedies) for name in names])
    report = Report(tuple(against(one, known) for one in reports), ids)
    code = report.exit_code
    if diff is None:
        write(report, form, output)
    elif _write_difference(report, differences(project, diff, None if changed_since else names, timeout), diff, output):
        code = EXIT_UNUSABLE
    if code:
        raise typer.Exit(code)


def _write_difference(report: Report, found: Sequence[Difference], ref: str, output: Path | None) -> bool:
    """Write verdicts and differences as one comment; whether a difference could not be made."""
    verdicts = markdown.render(report)
    comment = verdicts + render_differences(found, ref, max(markdown.LARGEST - len(verdicts), SMALLEST))
    if output is None:
        open_console().file.write(comment)
    else:
        _save(comment, output)
        write(report, Format.TEXT, None)
    return any(one.error is not None for one in found)


def _known(baseline: Path | None) -> frozenset[str]:
    if baseline is None:
        return frozenset()
    try:
        return record.fingerprints(baseline.read_text(encoding="utf-8"))
    except (record.MalformedReport, UnicodeDecodeError) as error:
        reason = str(error) if isinstance(error, record.MalformedReport) else "is not UTF-8 text"
        raise CliError(f"--baseline {baseline}: {reason}") from None


def _names(project: Project, stacks: list[str], changed_since: str | None, option: str, *, every: bool) -> list[str]:
    chosen = [bool(stacks), every, changed_since is not None]
    if sum(chosen) > 1:
        raise CliError("name stacks, or use --all, or --changed-since: one of the three")
    if not project.stack_names():
        raise CliError(f"{project.stacks} holds no Pulumi.STACK.yaml: there is nothing to check")
    if changed_since is not None:
        return stacks_changed_since(project, changed_since, option)
    names = project.stack_names() if every else list(dict.fromkeys(stacks))
    if not names:
        raise CliError(f"name a stack, or use --all; stacks here: {', '.join(project.stack_names())}")
    for name in names:
        project.stack_file(name)
    return names


def _given(
    stacks: list[str],
    state: Path | None,
    preview_json: Path | None,
    config: list[str],
    rules: tuple[str, ...],
    timeout_s: float,
) -> StackReport:
    if len(stacks) > 1 or (state is not None and preview_json is not None):
        raise CliError("one file at a time: --state or --preview-json, and at most one stack for its configuration")
    stack_file = Project.find().stack_file(stacks[0]) if stacks else None
    if state is not None:
        return check_state(state, stack_file, config, rules, timeout_s)
    assert preview_json is not None
    return check_preview(preview_json, stack_file, config, rules, timeout_s)


def _save(text: str, output: Path) -> None:
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CliError(f"--output {output}: {error.strerror}") from None


def write(report: Report, form: Format, output: Path | None, *, quiet: bool = False) -> None:
    """Write `report` to `output` and, unless `quiet`, its text to the terminal; without `output` to the terminal."""
    console = open_console()
    if output is not None:
        _save(_RENDERERS[form](report), output)
        if quiet:
            return
    if output is not None or form is Format.TEXT:
        for style, line in text.lines(report):
            console.print(line, style=style, markup=False, soft_wrap=True)
    else:
        console.file.write(_RENDERERS[form](report))
