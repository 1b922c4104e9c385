"""Timing, and one line of the report."""

import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """`ratio` is what the goal speaks of; the two measurements are shown beside it, with their units."""

    what: str
    measured: str
    against: str
    baseline: str
    ratio: float
    goal: str


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


def best_process(arguments: Sequence[str], *, repeats: int = 3) -> float:
    """Wall seconds of `python ARGUMENTS` from a cold interpreter, the best of `repeats`."""
    return min(_process(arguments) for _ in range(repeats))


def _round(call: Callable[[], object], calls: int) -> float:
    started = time.perf_counter()
    for _ in range(calls):
        call()
    return (time.perf_counter() - started) / calls


def _process(arguments: Sequence[str]) -> float:
    started = time.perf_counter()
    done = subprocess.run([sys.executable, *arguments], check=False, capture_output=True, text=True)
    elapsed = time.perf_counter() - started
    if done.returncode:
        raise RuntimeError(f"{' '.join(arguments)} exited with {done.returncode}: {done.stderr.strip()[-500:]}")
    return elapsed
