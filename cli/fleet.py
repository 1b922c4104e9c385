"""Brings several regions up at once: one process each, one display for all."""

import multiprocessing
import os
import time
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing.managers import SyncManager
from pathlib import Path
from queue import Empty, Queue
from typing import Any, Final

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from cli import records
from cli.errors import as_user_error
from cli.project import Project
from cli.pulumi_engine import Engine
from cli.session import emulated
from sandbox.engine.events import Event, Planned, StepDone

GUEST_SECONDS: Final = 60.0
"""How long guests may take to attest and fetch their keys."""

_POLL_SECONDS: Final = 0.1


@dataclass(frozen=True, slots=True)
class Arrival:
    """How one region came up.

    guests: (attested, all). error: one line, None when everything holds.
    """

    stack: str
    resources: int
    changed: int
    guests: tuple[int, int]
    seconds: float
    error: str | None


def bring_up(
    project: Project, stacks: Sequence[str], console: Console, faults: str | None, remediate: Sequence[str]
) -> list[Arrival]:
    """Bring every stack up with the local engine, as many at a time as there are cores, and print a line for each."""
    started = time.monotonic()
    context = multiprocessing.get_context("spawn")
    project.passphrase()  # made once, before several processes ask for it
    with (
        context.Manager() as manager,
        ProcessPoolExecutor(min(len(stacks), os.cpu_count() or 1), mp_context=context) as pool,
    ):
        arrivals = _watched(manager, pool, project, stacks, console, faults, remediate)
    _print(console, arrivals, time.monotonic() - started)
    return arrivals


def _watched(
    manager: SyncManager,
    pool: ProcessPoolExecutor,
    project: Project,
    stacks: Sequence[str],
    console: Console,
    faults: str | None,
    remediate: Sequence[str],
) -> list[Arrival]:
    """Run the stacks in `pool` while one progress display follows what they tell."""
    news: Queue[tuple[str, str, int]] = manager.Queue()
    running: dict[str, Future[Arrival]] = {
        stack: pool.submit(_bring_up_one, project.root, stack, news, faults, remediate) for stack in stacks
    }
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        tasks = {stack: progress.add_task(stack, total=None) for stack in stacks}
        while not all(future.done() for future in running.values()):
            try:
                stack, kind, count = news.get(timeout=_POLL_SECONDS)
            except Empty:
                continue
            if kind == "planned":
                progress.update(tasks[stack], total=count)
            else:
                progress.update(tasks[stack], advance=count)
    return [future.result() for future in running.values()]


def _bring_up_one(
    root: Path, stack: str, news: "Queue[tuple[str, str, int]]", faults: str | None, remediate: Sequence[str]
) -> Arrival:
    """One region, in a process of its own; every failure is in the result."""
    started = time.monotonic()

    def tell(event: Event) -> None:
        match event:
            case Planned(steps=steps):
                news.put((stack, "planned", len(steps)))
            case StepDone():
                news.put((stack, "done", 1))

    def arrival(
        resources: int = 0,
        changed: int = 0,
        guests: tuple[int, int] = (0, 0),
        error: Any = None,
    ) -> Arrival:
        return Arrival(stack, resources, changed, guests, time.monotonic() - started, error)

    project = Project(root)
    try:
        with emulated(project, stack, Console(quiet=True), faults, remediate) as session:
            outcome = session.local_engine(tell).up()
            if outcome.began:
                records.save_verdicts(project, stack, Engine.LOCAL, outcome.verdicts)
            total, changed = outcome.changes.total(), outcome.changes.total() - outcome.changes["same"]
            if not outcome.ok:
                return arrival(total, changed, error=outcome.error)
            guests = session.region.settle(GUEST_SECONDS)
    except Exception as error:  # noqa: BLE001 - one region's defect must not take the others down; it is reported
        return arrival(error=as_user_error(error) or f"{type(error).__name__}: {error}")
    attested = sum(guest.status == "attested" for guest in guests)
    reasons = [f"{guest.machine}: {guest.reason}" for guest in guests if guest.status in ("refused", "failed")]
    return arrival(total, changed, (attested, len(guests)), "; ".join(reasons) or None)


def _print(console: Console, arrivals: Sequence[Arrival], seconds: float) -> None:
    table = Table("stack", "result", "resources", "changed", "guests attested", "seconds")
    for arrival in arrivals:
        result = "[green]up[/]" if arrival.error is None else "[red]failed[/]"
        guests = "{} of {}".format(*arrival.guests) if arrival.guests[1] else "none"
        counts = (str(arrival.resources), str(arrival.changed), guests, f"{arrival.seconds:.1f}")
        table.add_row(arrival.stack, result, *counts)
    console.print(table)
    for arrival in arrivals:
        if arrival.error is not None:
            console.print(f"[red]{escape(arrival.stack)}[/] {escape(arrival.error)}")
    resources = sum(arrival.resources for arrival in arrivals)
    console.print(f"[bold]Took[/]  {seconds:.1f} s for {resources} resources ({resources / seconds:.0f}/s)")
