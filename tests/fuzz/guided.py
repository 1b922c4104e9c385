"""`python -m tests.fuzz.guided [--parser NAME …] [--seconds S]`: libFuzzer over the same targets, by way of atheris.

Here the code is instrumented, and an input that reaches a branch that none has reached is changed further: slower than
`python -m tests.fuzz`, and it sees what a place of refusal does not tell. atheris is no dependency of the project:
`pip install atheris` beside it. libFuzzer never returns, so each target has a process of its own.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

SECONDS_TO_HANG = 2
MEMORY_MIB = 64
"""Of one allocation."""
_EXECUTED = re.compile(r"stat::number_of_executed_units: +(\d+)")
_REACHED = re.compile(r"cov: (\d+)")


def main() -> int:
    """A row for each target: executions, edges reached, findings. 1 when a parser misbehaved."""
    options = _parser().parse_args()
    if options.corpus is not None:
        return _explore(options.parser[0], options.corpus, options.seconds)
    from tests.fuzz.targets import TARGETS

    failed = False
    for name in options.parser or TARGETS:
        with tempfile.TemporaryDirectory(prefix="bailiwick-fuzz-") as corpus:
            for number, seed in enumerate(TARGETS[name].seeds()):
                Path(corpus, str(number)).write_bytes(seed)
            command = [sys.executable, "-m", "tests.fuzz.guided", "--parser", name, "--corpus", corpus]
            command += ["--seconds", str(options.seconds)]
            done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
        executed, reached = _EXECUTED.findall(done.stderr) or ["0"], _REACHED.findall(done.stderr) or ["0"]
        failed |= done.returncode != 0
        sys.stdout.write(f"| {name} | {int(executed[-1]):,} | {int(reached[-1]):,} | {int(done.returncode != 0)} |\n")
        sys.stdout.write(done.stderr[-4000:] if done.returncode else "")
        sys.stdout.flush()
    return int(failed)


def _explore(name: str, corpus: Path, seconds: int) -> int:
    """libFuzzer on one target, in this process, which it ends; a finding leaves the input in the working directory."""
    import atheris

    with atheris.instrument_imports(include=["verifier"]):
        from tests.fuzz.targets import TARGETS
    target = TARGETS[name]

    def once(data: bytes) -> None:
        try:
            target.run(data)
        except target.errors:
            return

    bounds = (f"-max_total_time={seconds}", f"-timeout={SECONDS_TO_HANG}", f"-malloc_limit_mb={MEMORY_MIB}")
    atheris.Setup([sys.argv[0], "-print_final_stats=1", *bounds, str(corpus)], once)
    atheris.Fuzz()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.guided", description="Fuzzing guided by coverage.")
    parser.add_argument("--parser", action="append", help="repeatable; default: all")
    parser.add_argument("--seconds", type=int, default=60, help="for each parser")
    parser.add_argument("--corpus", type=Path, help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    sys.exit(main())
