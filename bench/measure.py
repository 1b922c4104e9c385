"""Timing, and one line of the report."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """`ratio` is what the goal speaks of, None without one; the two measurements stand beside it, with their units."""

    what: str
    measured: str
    against: str
    baseline: str
    ratio: float | None
    goal: str


@dataclass(frozen=True, slots=True)
class Cost:
    """What a process took: wall seconds, processor seconds, and the most memory that it held (resident, MiB)."""

    seconds: float
    cpu_seconds: float
    peak_mib: float


def best_per_call(call: Callable[[], object], *, calls: int = 50, repeats: int = 7) -> float:
    """Seconds of one `call`, the best mean over `repeats` rounds of `calls`."""
    call()
    return min(_round(call, calls) for _ in range(repeats))


def interleaved(
    first: Callable[[], object], second: Callable[[], object], *, calls: int = 50, repeats: int = 7
) -> tuple[float, float]:
    """`best_per_call` of both, their rounds taken in turn so that noise falls on both alike."""
    first(), second()
    rounds = [(_round(first, calls), _round(second, calls)) for _ in range(repeats)]
    return min(left for left, _ in rounds), min(right for _, right in rounds)


def in_short_rounds(first: Callable[[], object], second: Callable[[], object]) -> tuple[float, float]:
    """`interleaved` for calls of less than a millisecond: rounds so short that some pass without an interruption."""
    return interleaved(first, second, calls=10, repeats=200)


def best_process(arguments: Sequence[str], *, repeats: int = 3) -> float:
    """Wall seconds of `python ARGUMENTS` from a cold interpreter, the best of `repeats`."""
    return min(cost_of_process(arguments).seconds for _ in range(repeats))


def cost_of_process(arguments: Sequence[str]) -> Cost:
    """One run of `python ARGUMENTS` from a cold interpreter; raises `RuntimeError` with its last words if it fails."""
    started = time.perf_counter()
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen([sys.executable, *arguments], stdout=subprocess.DEVNULL, stderr=errors)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        elapsed = time.perf_counter() - started
        errors.seek(0)
        if process.returncode:
            said = errors.read().strip()[-500:]
            raise RuntimeError(f"{' '.join(arguments)} exited with {process.returncode}: {said}")
    return Cost(elapsed, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def _round(call: Callable[[], object], calls: int) -> float:
    started = time.perf_counter()
    for _ in range(calls):
        call()
    return (time.perf_counter() - started) / calls
