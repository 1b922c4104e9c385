"""For a person at a terminal: each line with the style that shows how bad it is."""

from collections.abc import Iterator

from policies.report.model import EXIT_PASS, EXIT_UNUSABLE, Report, StackReport, printable, summary

_VERDICTS = {EXIT_PASS: ("green", "pass"), EXIT_UNUSABLE: ("red", "could not check")}


def lines(report: Report) -> Iterator[tuple[str, str]]:
    """Style (a colour of the terminal) and text of every line."""
    for stack in report.stacks:
        for style, line in _stack(stack, len(report.rules)):
            yield style, printable(line)


def _stack(stack: StackReport, rules: int) -> Iterator[tuple[str, str]]:
    style, verdict = _VERDICTS.get(stack.exit_code, ("red", "violation"))
    yield style, f"{stack.stack}  {verdict} in {stack.seconds:.1f} s"
    if stack.error is not None:
        yield "default", f"  {stack.error}"
        if not stack.results:
            return
    yield "default", f"  {rules} rules, {len(stack.results):,} verdicts: {summary(stack)}"
    for line in stack.remedied:
        yield "yellow", f"  {line}"
    for result in stack.found():
        where = f"{result.place}: " if result.place else ""
        text = f"  {result.level} {result.status} {where}{result.message}"
        yield "red" if result.blocks else "yellow", text


def render(report: Report) -> str:
    return "".join(f"{text}\n" for _, text in lines(report))
