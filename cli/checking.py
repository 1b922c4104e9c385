"""Judges one stack, in this process or in one of its own, and says so in the words of a report."""

import contextlib
import gc
import re
import signal
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType
from typing import Any, TypeVar

from cli.errors import CliError, in_one_line
from cli.project import Project
from cli.workers import in_processes
from components.spec import RegionSpec
from policies import pack
from policies.edges import GRAPH
from policies.report.model import Result, StackReport, rule_id
from policies.waivers import FILE, WaiverError
from sandbox.clouds import open_cloud, providers_of
from sandbox.clouds.hardware import NullHardware
from sandbox.engine import LocalEngine, Outcome, PolicyHost, StateFile
from sandbox.engine.events import Emit, Event, Message, StepFailed, Verdict
from sandbox.engine.project import load_project

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Request:
    """What one worker needs: the project's root, a stack, the ids of the rules, how long it may take, and the ids of
    the rules that may put right what they find."""

    root: Path
    stack: str
    rules: tuple[str, ...]
    timeout_s: float
    remediate: tuple[str, ...] = ()
    alone: bool = False
    """Whether it is the only one: its process ends with it, and a second processor has nothing else to do."""


class OutOfTime(BaseException):
    """The time that a check may take is over. Not an `Exception`: the engine would take it for the program's own."""


def check_stacks(requests: Sequence[Request]) -> list[StackReport]:
    """Judge every stack, several at a time, in other processes: a program that ends its process is no pass."""
    tasks = [replace(request, alone=len(requests) == 1) for request in requests]
    return in_processes(check_stack, tasks, lambda task: cloud_of(Project(task.root), task.stack), _lost)


def cloud_of(project: Project, stack: str) -> str:
    """The cloud of a stack as its file says, right or wrong; nothing where it says none."""
    try:
        text = project.stack_file(stack).read_text(encoding="utf-8", errors="replace")
    except (OSError, CliError):
        return ""
    stated = re.search(r"bailiwick:cloud: *([\w-]+)", text)
    return stated[1] if stated else ""


def _lost(request: Request) -> StackReport:
    error = "the process that checked it was killed, or ended by itself; nothing is known of this stack"
    return StackReport(request.stack, Project(request.root).named(request.stack), error=error)


def check_stack(request: Request) -> StackReport:
    """Preview the stack from nothing, in an emulated cloud that lasts as long as this call, under the pack."""
    project = Project(request.root)
    remedied: list[str] = []
    laws: set[str] = set()

    def judge() -> tuple[Sequence[Verdict], str | None]:
        failures: list[str] = []

        def listen(event: Event) -> None:
            match event:
                case StepFailed(step=step, error=text):
                    failures.append(f"{step.type} {step.name}: {text}")
                case Message(severity="error", text=text):
                    failures.append(text)
                case Message(severity="warning", text=text) if text.startswith(request.remediate):
                    remedied.append(text)

        _refuse_astray(project)
        outcome = preview(project, request.stack, request.rules, listen, request.remediate, apart=request.alone)
        laws.update(_laws(outcome.outputs.get(GRAPH)))
        more = f" (and {len(failures) - 1} more)" if len(failures) > 1 else ""
        error = f"{failures[0]}{more}" if failures else None
        if error is None and not outcome.ok and not any(verdict.blocks for verdict in outcome.verdicts):
            error = outcome.error
        return outcome.verdicts, error

    report = guarded(request.stack, project.named(request.stack), judge, request.timeout_s, last=request.alone)
    return replace(report, remedied=tuple(sorted(remedied)), laws=tuple(sorted(laws)) or None)


def _laws(graph: Any) -> Iterator[str]:
    """Whose law reaches the operators of a jurisdiction graph, as regions export it; nothing of anything else."""
    for edge in graph if isinstance(graph, list) else ():
        reach = edge.get("legalReach") if isinstance(edge, dict) else None
        yield from (law for law in reach if isinstance(law, str)) if isinstance(reach, list) else ()


def _refuse_astray(project: Project) -> None:
    """Raise `WaiverError` for a waiver of a stack that this project does not have: its author means another one."""
    name, stacks = load_project(project.root).name, project.stack_names()
    for waiver in pack.held().entries:
        if waiver.is_astray(name, stacks):
            raise WaiverError(
                f"{FILE.name}: the waiver of {waiver.rule} for {waiver.urn!a} is of no stack here; "
                f"allowed: {', '.join(stacks)}"
            )


def guarded(
    stack: str, file: str, judge: Callable[[], tuple[Sequence[Verdict], str | None]], timeout_s: float, *, last: bool
) -> StackReport:
    """The report of `judge` (verdicts, error); whatever goes wrong ends in a report that says so.

    last: whether this process judges nothing after it.
    """
    began = time.perf_counter()
    with _without_garbage_collection(last=last):
        judged, failure = answered(judge, timeout_s)
    verdicts, error = judged or ((), failure)
    results = tuple(sorted((result(one, file) for one in verdicts), key=lambda one: (one.urn, one.rule, one.message)))
    return StackReport(stack, file, results, error, time.perf_counter() - began)


def preview(
    project: Project,
    stack: str,
    rules: Sequence[str] | None = None,
    on_event: Emit = lambda _event: None,
    remediate: Sequence[str] = (),
    *,
    apart: bool = False,
) -> Outcome:
    """The engine's outcome of previewing `stack` in a cloud that has nothing yet. apart: as for `PolicyHost`."""
    with tempfile.TemporaryDirectory(prefix="bailiwick-check-") as scratch:
        pack_host = PolicyHost(pack.build(rules), remediate, apart=apart)
        with scratch_engine(project, stack, Path(scratch), on_event, pack_host) as engine:
            return engine.preview()


@contextlib.contextmanager
def scratch_engine(
    project: Project,
    stack: str,
    directory: Path,
    on_event: Emit = lambda _event: None,
    policy_pack: PolicyHost | None = None,
) -> Iterator[LocalEngine]:
    """The local engine on `stack`, whose state and emulated cloud are in `directory`, on hardware that is not there."""
    spec = RegionSpec.from_stack_file(project.stack_file(stack))
    cloud = open_cloud(spec.provider, directory, NullHardware())
    try:
        yield LocalEngine(
            project.root,
            stack,
            providers=providers_of(cloud),
            state=StateFile(directory / "state.json", project.stated_passphrase() or ""),
            policy_pack=policy_pack,
            on_event=on_event,
        )
    finally:
        cloud.close()


def result(verdict: Verdict, file: str) -> Result:
    """`verdict` in the words of a report; what has no place of its own is in the stack's `file`."""
    place, _, line = verdict.position.rpartition(":")
    return Result(
        rule=rule_id(verdict.rule),
        urn=verdict.urn,
        status=verdict.status,
        level=verdict.level,
        severity=verdict.severity,
        message=verdict.message,
        file=place or file,
        line=int(line) if line.isdigit() else 0,
    )


def against(report: StackReport, known: frozenset[str]) -> StackReport:
    """`report` with the findings of a baseline marked as known."""
    if not known:
        return report
    return replace(report, results=tuple(replace(one, known=one.fingerprint in known) for one in report.results))


def answered(work: Callable[[], Answer], timeout_s: float) -> tuple[Answer | None, str | None]:
    """What `work` returns, or why it returned nothing in time: whatever a program under check raises is an answer."""
    try:
        with _deadline(timeout_s):
            return work(), None
    except KeyboardInterrupt:
        raise
    except BaseException as failure:  # noqa: BLE001 - as above
        return None, in_one_line(failure)


@contextlib.contextmanager
def _deadline(seconds: float) -> Iterator[None]:
    """Raise `OutOfTime` in the main thread after this long: a program may wait for something that never comes."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise OutOfTime(f"not done after {seconds:g} s: a resource may wait for itself; --timeout gives more time")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextlib.contextmanager
def _without_garbage_collection(*, last: bool) -> Iterator[None]:
    """A check is short and frees nothing that matters; going over an SDK's classes takes a third of its time.

    last: what it leaves behind is never collected.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if last:
            gc.freeze()
        if was_on:
            gc.enable()
