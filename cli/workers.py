"""Several checks at a time, each worker a process that takes the stacks of one cloud after another.

Importing a cloud's SDK takes as long as judging a stack of it, so that a worker stays with a cloud while it has stacks.
"""

import contextlib
import multiprocessing
import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection, wait
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from typing import Generic, TypeVar

from sandbox.engine.analyzer_process import can_fork

Task = TypeVar("Task")
Answer = TypeVar("Answer")


@dataclass(slots=True)
class _Worker(Generic[Task]):
    process: BaseProcess
    connection: Connection
    cloud: str = ""
    task: Task | None = None


def in_processes(
    work: Callable[[Task], Answer],
    tasks: Sequence[Task],
    cloud_of: Callable[[Task], str],
    lost: Callable[[Task], Answer],
) -> list[Answer]:
    """`work` of every task, in their order; `lost` of one whose process was killed on the way. The process of a lone
    task may have children of its own."""
    clouds = {id(task): cloud_of(task) for task in tasks}
    waiting, answers = list(tasks), dict[int, Answer]()
    context = _context()
    start = partial(_start, context, work, daemon=len(tasks) > 1)
    workers = [start() for _ in range(min(len(tasks), os.cpu_count() or 1))]
    try:
        for worker in workers:
            _give(worker, waiting, clouds)
        while busy := {worker.connection: worker for worker in workers if worker.task is not None}:
            for connection in wait(list(busy)):
                worker = busy[connection]  # type: ignore[index]
                assert worker.task is not None
                try:
                    answers[id(worker.task)] = worker.connection.recv()
                except (EOFError, ConnectionResetError):
                    answers[id(worker.task)] = lost(worker.task)
                    workers[workers.index(worker)] = worker = start()
                _give(worker, waiting, clouds)
    finally:
        for worker in workers:
            with contextlib.suppress(OSError):
                worker.connection.send(None)
    return [answers[id(task)] for task in tasks]


def _context() -> BaseContext:
    return multiprocessing.get_context("fork" if can_fork() else "spawn")


def _start(context: BaseContext, work: Callable[[Task], Answer], *, daemon: bool) -> _Worker[Task]:
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(work, theirs, ours), daemon=daemon)  # type: ignore[attr-defined]
    process.start()
    theirs.close()
    return _Worker(process, ours)


def _serve(work: Callable[[Task], Answer], connection: Connection, other_end: Connection) -> None:
    """Work until there is nothing more, or until whoever asks is gone."""
    other_end.close()
    with contextlib.suppress(EOFError, KeyboardInterrupt):
        while (task := connection.recv()) is not None:
            connection.send(work(task))


def _give(worker: _Worker[Task], waiting: list[Task], clouds: dict[int, str]) -> None:
    """The next task: of the worker's cloud, else of the one with the most to do."""
    counted = Counter(clouds[id(task)] for task in waiting)
    if worker.cloud not in counted:
        worker.cloud = max(counted, key=counted.__getitem__, default="")
    worker.task = next((task for task in waiting if clouds[id(task)] == worker.cloud), None)
    if worker.task is not None:
        waiting.remove(worker.task)
        worker.connection.send(worker.task)
