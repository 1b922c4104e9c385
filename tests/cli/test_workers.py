"""Work in processes: answers in order, a cloud's tasks with one worker, a killed process costs its task only."""

import os
import signal
import threading
from collections.abc import Callable
from typing import Any

import pytest

from cli.workers import _give, in_processes

Task = tuple[str, str]


def work(task: Task) -> tuple[str, int]:
    name, _ = task
    if name == "deadly":
        os.kill(os.getpid(), signal.SIGKILL)
    return name, os.getpid()


def run(*tasks: Task) -> list[tuple[str, int]]:
    return in_processes(work, tasks, cloud_of=lambda task: task[1], lost=lambda task: (f"lost {task[0]}", 0))


@pytest.fixture(params=["forked", "spawned"])
def _start(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threading, "active_count", lambda: 1 if request.param == "forked" else 2)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)


@pytest.mark.usefixtures("_start")
def test_answers_come_in_the_order_of_the_tasks_and_from_other_processes() -> None:
    answers = run(("a", "azure"), ("b", "gcp"), ("c", "azure"), ("d", "azure"))
    assert [name for name, _ in answers] == ["a", "b", "c", "d"]
    assert os.getpid() not in {process for _, process in answers}


@pytest.mark.usefixtures("_start")
def test_a_killed_process_costs_its_own_task_and_no_other() -> None:
    answers = run(("a", "azure"), ("deadly", "gcp"), ("b", "gcp"), ("c", "azure"), ("deadly", "aws"), ("d", "aws"))
    assert [name for name, _ in answers] == ["a", "lost deadly", "b", "c", "lost deadly", "d"]


def test_the_stacks_of_a_cloud_go_to_one_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    order: list[str] = []
    monkeypatch.setattr("cli.workers._give", _noting(order))
    run(("a", "gcp"), ("b", "azure"), ("c", "gcp"), ("d", "azure"), ("e", "azure"))
    assert order == ["b", "d", "e", "a", "c"]


def _noting(order: list[str]) -> Callable[..., None]:
    def give(worker: Any, *others: Any) -> None:
        _give(worker, *others)
        if worker.task is not None:
            order.append(worker.task[0])

    return give
