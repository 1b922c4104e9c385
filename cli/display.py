"""What a person sees while a region is planned, deployed, checked or taken down."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.tree import Tree

from policies.report.model import rule_id
from sandbox.engine.events import Event, Finished, Message, Outcome, Planned, Step, StepDone, StepFailed, Verdict
from sandbox.values import Value

_MARKS: Final = {
    "create": ("green", "+", "to create", "created"),
    "update": ("yellow", "~", "to update", "updated"),
    "replace": ("magenta", "±", "to replace", "replaced"),
    "delete": ("red", "-", "to delete", "deleted"),
    "delete-replaced": ("red", "-", "to delete after replacement", "deleted after replacement"),
    "discard": ("dim", "-", "to forget", "forgotten"),
    "import": ("cyan", "=", "to import", "imported"),
    "read": ("cyan", ">", "to read", "read"),
    "refresh": ("cyan", "~", "to refresh", "refreshed"),
    "same": ("dim", " ", "unchanged", "unchanged"),
}
_STATUSES: Final = ("pass", "fail", "unknown", "waived", "not_applicable")
_LONGEST_VALUE: Final = 48


def short_type(token: str) -> str:
    """A type token as a person reads it: `azure-native:network:Subnet` → `network:Subnet`."""
    package, _, rest = token.partition(":")
    if package == "bailiwick":
        return rest.removeprefix("index:")
    return token if package == "pulumi" else rest


class Display:
    """Prints engine events as they come: the plan, progress, what blocks, the outcome. Given to the engine whole."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._changes: Counter[str] = Counter()
        self._verdicts: list[Verdict] = []
        self._progress: Progress | None = None
        self._todo = 0
        self._failed = False
        self._bar = Progress(
            SpinnerColumn(),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.description}"),
            console=console,
            transient=True,
        )

    def __call__(self, event: Event) -> None:
        match event:
            case Verdict():
                self._verdicts.append(event)
            case Planned(steps=steps):
                self._plan(steps)
                self._judged()
            case StepDone(step=step):
                self._done(step)
            case StepFailed(step=step, error=error):
                self._failed = True
                self.console.print(f"[red bold]failed[/] {_label(step)}: {escape(error)}")
            case Message(severity=severity, text=text) if severity != "debug":
                self._failed |= severity == "error"
                style = {"error": "red", "warning": "yellow"}.get(severity, "default")
                self.console.print(f"[{style}]{escape(text)}[/]")
            case Finished(outcome=outcome):
                self._stop()
                self._report(outcome)

    def _plan(self, steps: Sequence[Step]) -> None:
        changes: Counter[str] = Counter(step.op for step in steps)
        changing = [step for step in steps if step.op != "same"]
        if not changing:
            self.console.print(
                f"[bold]Plan[/]  nothing changed: {changes['same']} resources are as the stack file says"
            )
            return
        self.console.print(f"[bold]Plan[/]  {summary(changes, done=False)}")
        for line in _created_by_component(changing, steps):
            self.console.print(line)
        for step in changing:
            if step.op != "create":
                self._explain(step)
        self._todo = len(changing)

    def _explain(self, step: Step) -> None:
        style, mark, *_ = _MARKS[step.op]
        is_component = step.type.startswith("bailiwick:")
        paths = [path for path in step.changed if not is_component or path.startswith("spec.")]
        if is_component and not paths:
            return  # its children say what changes
        self.console.print(f"  [{style}]{mark} {_label(step)}[/]")
        for path in paths:
            old, new = (shown(values.get(path)) for values in (step.old, step.new))
            change = f"{old} → {new}" if old != new else "changed"
            why = "  [magenta]forces replacement[/]" if path in step.replaces else ""
            self.console.print(f"      {escape(path)}: {change}{why}", soft_wrap=True)

    def _report(self, outcome: Outcome) -> None:
        """Why it stopped, unless that was said, and what has changed by then: after a preview, nothing."""
        if outcome.error and not self._failed:
            self.console.print(f"[red bold]error[/] {escape(outcome.error)}")
        if not outcome.ok:
            changed = summary(self._changes, done=True) if self._changes else "nothing was changed"
            self.console.print(f"[bold red]Stopped[/]  {changed}")
        elif self._changes:
            self.console.print(f"[bold]Done[/]  {summary(self._changes, done=True)} in {outcome.duration_s:.1f} s")

    def _done(self, step: Step) -> None:
        self._changes[step.op] += 1
        if step.op == "same":
            return
        style, mark, _, done = _MARKS[step.op]
        if not self.console.is_terminal:
            self.console.print(f"  [{style}]{mark}[/] {_label(step)} [dim]{done}[/]")
            return
        if self._progress is None:
            self._progress = self._bar
            self._task = self._bar.add_task("", total=self._todo or None)
            self._bar.start()
        self._progress.update(self._task, advance=1, description=_label(step))

    def _judged(self) -> None:
        """Print the verdicts so far and forget them: the deployment pass reports only what is new."""
        if self._verdicts:
            self._failed |= any(verdict.blocks for verdict in self._verdicts)
            print_verdicts(self.console, self._verdicts)
            self.console.print()
            self._verdicts.clear()

    def _stop(self) -> None:
        if self._progress is not None:
            self._progress.stop()
            self._progress = None
        if any(verdict.blocks for verdict in self._verdicts):
            self._judged()


def summary(changes: Mapping[str, int], *, done: bool) -> str:
    """Counts by operation: `61 created, 2 unchanged` when `done`, `61 to create, 2 unchanged` before."""
    parts = (
        f"[{style}]{changes[op]} {after if done else before}[/]"
        for op, (style, _, before, after) in _MARKS.items()
        if changes.get(op)
    )
    return ", ".join(parts) or "no resources"


def policy_summary(verdicts: Sequence[Verdict]) -> str:
    """`17 rules, 1,020 verdicts: 188 pass, 0 fail, 0 unknown, 0 waived, 832 not applicable`."""
    counts = Counter(verdict.status for verdict in verdicts)
    rules = len({rule_id(verdict.rule) for verdict in verdicts})
    shown = ", ".join(f"{counts[status]:,} {status.replace('_', ' ')}" for status in _STATUSES)
    return f"{rules} rules, {len(verdicts):,} verdicts: {shown}"


def print_verdicts(console: Console, verdicts: Sequence[Verdict]) -> None:
    """The policy summary, and every verdict that is not a pass in full, those that block first."""
    console.print(f"[bold]Policy[/]  {policy_summary(verdicts)}")
    found = [verdict for verdict in verdicts if verdict.status in ("fail", "unknown", "waived")]
    for verdict in sorted(found, key=lambda verdict: (not verdict.blocks, verdict.rule, verdict.urn)):
        style = "red" if verdict.blocks else "yellow"
        console.print(f"  [{style}]{verdict.level} {verdict.status}[/] {escape(verdict.message)}")


def print_outputs(console: Console, outputs: Mapping[str, Value]) -> None:
    """Stack outputs, one per line; long structures by their size."""
    if outputs:
        console.print("[bold]Outputs[/]")
        width = max(map(len, outputs))
        for name, value in sorted(outputs.items()):
            console.print(f"  {name:<{width}}  {shown(value, limit=None)}", soft_wrap=True)


def resource_tree(stack: str, resources: Iterable[tuple[str, str, str]]) -> Tree:
    """Resources as a tree; `resources` are (urn, parent urn, what to add after the name)."""
    children: dict[str, list[tuple[str, str]]] = defaultdict(list)
    roots: list[tuple[str, str]] = []
    known: set[str] = set()
    for urn, parent, note in resources:
        known.add(urn)
        (children[parent] if parent in known else roots).append((urn, note))
    tree = Tree(f"[bold]{escape(stack)}[/]")

    def grow(branch: Tree, nodes: list[tuple[str, str]]) -> None:
        for urn, note in nodes:
            token = urn.split("::")[2].rsplit("$", 1)[-1]
            name = urn.split("::", 3)[3]
            grow(branch.add(f"{escape(name)} [dim]{escape(short_type(token))}[/] {note}".rstrip()), children[urn])

    stack_urns = [urn for urn, _ in roots if "::pulumi:pulumi:Stack::" in urn]
    grow(tree, [node for node in roots if node[0] not in stack_urns])
    for urn in stack_urns:
        grow(tree, children[urn])
    return tree


def _created_by_component(changing: Sequence[Step], steps: Sequence[Step]) -> Iterable[str]:
    """New resources, counted under the component that makes them, so that sixty lines become ten."""
    components = {step.urn: step for step in steps if step.type.startswith("bailiwick:")}
    counts: Counter[str] = Counter()
    alone: list[Step] = []
    for step in changing:
        if step.op != "create" or step.type == "pulumi:pulumi:Stack":
            continue
        if step.urn in components:
            counts[step.urn] += 0
        elif step.parent in components:
            counts[step.parent] += 1
        else:
            alone.append(step)
    for urn, count in counts.items():
        if count:
            yield f"  [green]+[/] {_label(components[urn])}  [dim]{count} resource{'s' * (count != 1)}[/]"
    for step in alone:
        yield f"  [green]+[/] {_label(step)}"


def _label(step: Step) -> str:
    return f"{escape(step.name)} [dim]{escape(short_type(step.type))}[/]"


def shown(value: Value, limit: int | None = _LONGEST_VALUE) -> str:
    """A value on one line: text up to `limit` characters, structures by their size."""
    match value:
        case None:
            return "[dim]none[/]"
        case bool():
            return str(value).lower()
        case list() if all(isinstance(item, str) for item in value):
            text = ", ".join(value) or "none"
        case list():
            text = f"{len(value)} items"
        case dict() if all(isinstance(item, str) for item in value.values()):
            return escape(", ".join(f"{key} {item}" for key, item in value.items()))
        case dict():
            text = f"{len(value)} entries"
        case float() if value.is_integer():
            text = str(int(value))
        case _:
            text = str(value)
    return escape(text if limit is None or len(text) <= limit else f"{text[: limit - 1]}…")
