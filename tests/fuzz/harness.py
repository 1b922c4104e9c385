"""Runs a parser on inputs and says what it must never do: raise anything but its own errors, hang, or take much memory.

There is no instrumentation. What guides the search is where in the code an input was refused: one that is refused, or
accepted, in a new place is mutated further.
"""

from __future__ import annotations

import random
import resource
import signal
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from tests.fuzz.mutation import mutated
from tests.fuzz.targets import Target

HANG_SECONDS = 1.0
"""Of processor time, which a busy machine does not lengthen."""
MEMORY_BYTES = 64 << 20

_POOL = 512

Place = tuple[int, ...]


class Hang(BaseException):
    """One execution takes longer than it may; no parser catches it."""


@dataclass(frozen=True)
class Finding:
    """An input that a parser must handle better."""

    target: str
    data: bytes
    what: str

    def __str__(self) -> str:
        return f"{self.target}: {self.what} on {len(self.data)} bytes {self.data[:48].hex()}…"


@dataclass(frozen=True)
class Run:
    """What one target was given. places: distinct ways through the code to a verdict."""

    target: str
    executions: int
    accepted: int
    places: int
    cpu_seconds: float
    wall_seconds: float
    findings: tuple[Finding, ...]


def place_of(target: Target, data: bytes) -> Place:
    """Where the input was refused, () when it was accepted; whatever else is raised is a finding."""
    try:
        target.run(data)
    except target.errors as error:
        lines, frame = [], error.__traceback__
        while frame is not None:
            lines.append(frame.tb_lineno)
            frame = frame.tb_next
        return tuple(lines)
    return ()


def checked(target: Target, data: bytes) -> Finding | None:
    """One execution, with its peak of Python's memory; slow, for inputs made by hand."""
    tracemalloc.start()
    try:
        with watched():
            place_of(target, data)
        peak = tracemalloc.get_traced_memory()[1]
    except (Exception, Hang) as error:  # noqa: BLE001 - whatever it is, it is what is looked for
        return Finding(target.name, data, repr(error)[:200])
    finally:
        tracemalloc.stop()
    return Finding(target.name, data, f"{peak >> 20} MiB") if peak > MEMORY_BYTES else None


def explored(target: Target, executions: int, seed: int, seconds: float | None = None) -> Run:
    """Mutated inputs until one of the bounds is reached, or 10 findings are."""
    source = random.Random(seed)
    pool, places, findings, accepted = list(target.seeds()), set[Place](), list[Finding](), 0
    cpu, wall, count = time.process_time(), time.monotonic(), 0
    with watched() as watch:
        while count < executions and len(findings) < 10:
            data = mutated(source, pool, target.words)
            count += 1
            watch.executions = count
            try:
                place = place_of(target, data)
            except (Exception, Hang) as error:  # noqa: BLE001 - as above
                findings.append(Finding(target.name, data, repr(error)[:200]))
                continue
            accepted += not place
            if place not in places:
                places.add(place)
                if len(pool) < _POOL:
                    pool.append(data)
            if seconds is not None and not count % 256 and time.monotonic() - wall > seconds:
                break
    return Run(
        target.name,
        count,
        accepted,
        len(places),
        time.process_time() - cpu,
        time.monotonic() - wall,
        tuple(findings),
    )


class Watch:
    """Which execution is under way."""

    executions = 0
    _seen = -1

    def tick(self, number: int, frame: FrameType | None) -> None:
        """Twice in a row the same execution: it has taken more than the whole interval between."""
        if self._seen == self.executions:
            raise Hang
        self._seen = self.executions


@contextmanager
def watched() -> Iterator[Watch]:
    """Raise `Hang` in an execution that takes more than HANG_SECONDS, and less than twice that, of processor time."""
    watch = Watch()
    before = signal.signal(signal.SIGPROF, watch.tick)
    signal.setitimer(signal.ITIMER_PROF, HANG_SECONDS, HANG_SECONDS)
    try:
        yield watch
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def limit_memory() -> None:
    """Let every allocation fail that would make this process more than MEMORY_BYTES larger than it is."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    limit = pages * resource.getpagesize() + MEMORY_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
