"""What a change does to a stack: the program of a git reference is deployed into a scratch cloud, and today's previewed
over it. So the answer is an engine's plan, with replacements, and not a comparison of texts.

`python -m cli.difference STACK SCRATCH` is the first half, run by the reference's own code in a process of its own.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cli import git
from cli.checking import answered, cloud_of, scratch_engine
from cli.errors import CliError, in_one_line
from cli.project import Project
from cli.workers import in_processes
from components.spec import RegionSpec
from policies.edges import GRAPH
from sandbox.engine.events import UNKNOWN_SHOWN, Event, Planned, Step

OPTION: Final = "--diff"
_IDENTITY: Final = ("kind", "name")
"""Fields by which a dependency of the jurisdiction graph is the same one before and after."""

Edge = Mapping[str, Any]
"""One record of the jurisdiction graph, as `components.graph` exports it."""


@dataclass(frozen=True, slots=True)
class Difference:
    """What becomes of one stack. `before` and `after` are its jurisdiction graph; no `error`, no gaps.

    new, removed: the stack has its file on one side only.
    """

    stack: str
    jurisdiction: str = ""
    steps: tuple[Step, ...] = ()
    before: tuple[Edge, ...] = ()
    after: tuple[Edge, ...] = ()
    new: bool = False
    removed: bool = False
    error: str | None = None

    def edges(self) -> list[tuple[str, Edge]]:
        """Dependencies that come (`+`), go (`-`) or change (`~`, as they will be); what is unknown yet is no change."""
        before, after = (
            {tuple(edge[key] for key in _IDENTITY): edge for edge in side} for side in (self.before, self.after)
        )
        gone = [("-", edge) for key, edge in before.items() if key not in after]
        come = [
            ("+" if key not in before else "~", edge) for key, edge in after.items() if _differs(before.get(key), edge)
        ]
        return gone + come


def _differs(before: Edge | None, after: Edge) -> bool:
    return before is None or any(before.get(key) != value for key, value in after.items() if value != UNKNOWN_SHOWN)


@dataclass(frozen=True, slots=True)
class _Task:
    """One stack of the project as it is and as it was, and a folder for it."""

    project: Project
    base: Project
    stack: str
    scratch: Path
    timeout_s: float


def differences(project: Project, ref: str, stacks: Sequence[str] | None, timeout_s: float) -> list[Difference]:
    """How `stacks` change since the merge base with `ref`, each found within `timeout_s`; None means those that change,
    removed ones included."""
    commit = git.merge_base(project, ref, OPTION)
    with tempfile.TemporaryDirectory(prefix="bailiwick-diff-") as scratch:
        base = Project(Path(scratch) / "base")
        git.export(project, commit, base.root, OPTION)
        names = project.stack_names() if stacks is None else list(stacks)
        if stacks is None:
            names += [name for name in base.stack_names() if name not in names]
        tasks = [_Task(project, base, stack, Path(scratch) / stack, timeout_s) for stack in names]
        found = in_processes(_difference, tasks, lambda task: cloud_of(project, task.stack), _lost)
    return [one for one in found if stacks is not None or one.new or one.removed or one.error or _changes(one)]


def _lost(task: _Task) -> Difference:
    return Difference(task.stack, error="the process that compared it was killed, or ended by itself")


def _changes(one: Difference) -> bool:
    return bool(one.edges()) or any(step.op != "same" for step in one.steps)


def _difference(task: _Task) -> Difference:
    found, failure = answered(lambda: _compared(task.project, task.base, task.stack, task.scratch), task.timeout_s)
    return found or Difference(task.stack, error=failure)


def _compared(project: Project, base: Project, stack: str, scratch: Path) -> Difference:
    before: tuple[Edge, ...] = ()
    known_before, known_now = (stack in side.stack_names() for side in (base, project))
    scratch.mkdir()
    if known_before:
        before = _deploy_base(base, stack, scratch)
    if not known_now:
        return Difference(stack, before=before, removed=True)
    steps: list[Step] = []

    def listen(event: Event) -> None:
        if isinstance(event, Planned):
            steps.extend(event.steps)

    with scratch_engine(project, stack, scratch, listen) as engine:
        outcome = engine.preview()
    spec = RegionSpec.from_stack_file(project.stack_file(stack))
    after = tuple(outcome.outputs.get(GRAPH, ()))
    return Difference(stack, spec.jurisdiction, tuple(steps), before, after, not known_before, error=outcome.error)


def _deploy_base(base: Project, stack: str, scratch: Path) -> tuple[Edge, ...]:
    """Deploy the reference's stack with the reference's code; its jurisdiction graph."""
    done = subprocess.run(
        [sys.executable, "-m", "cli.difference", stack, str(scratch)],
        cwd=base.root,
        env={**os.environ, "PYTHONPATH": os.pathsep.join((str(base.root), os.environ.get("PYTHONPATH", "")))},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise CliError(f"as it was before, the stack could not be brought up: {reason}")
    return tuple(json.loads((scratch / "graph.json").read_text(encoding="utf-8")))


def _main(stack: str, scratch: Path) -> int:
    """Deploy `stack` of the project in the working directory, and leave its graph in `scratch`."""
    try:
        with scratch_engine(Project.find(), stack, scratch) as engine:
            outcome = engine.up()
    except Exception as failure:  # noqa: BLE001 - one line for the process that waits
        sys.stderr.write(f"{in_one_line(failure)}\n")
        return 1
    if outcome.error:
        sys.stderr.write(f"{' '.join(outcome.error.split())}\n")
        return 1
    (scratch / "graph.json").write_text(json.dumps(outcome.outputs.get(GRAPH, [])), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1], Path(sys.argv[2])))
