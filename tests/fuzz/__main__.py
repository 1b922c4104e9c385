"""`python -m tests.fuzz [--parser NAME …] [--executions N] [--seconds S]`: a long run, one line for each parser."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.fuzz.harness import Run, explored, limit_memory
from tests.fuzz.targets import TARGETS


def main() -> int:
    """1 when a parser misbehaved; the inputs are then in the folder that --findings names."""
    options = _parser().parse_args()
    limit_memory()
    failed = False
    for name in options.parser or TARGETS:
        run = explored(TARGETS[name], options.executions, options.seed, options.seconds)
        sys.stdout.write(line(run) + "\n")
        sys.stdout.flush()
        for number, finding in enumerate(run.findings):
            failed = True
            sys.stdout.write(f"  {finding}\n")
            if options.findings is not None:
                options.findings.mkdir(parents=True, exist_ok=True)
                (options.findings / f"{name}-{number}").write_bytes(finding.data)
    return int(failed)


def line(run: Run) -> str:
    """A row of docs/verifier/fuzzing.md."""
    return (
        f"| {run.target} | {run.executions:,} | {run.accepted:,} | {run.places:,} "
        f"| {run.cpu_seconds:,.0f} | {run.wall_seconds:,.0f} | {len(run.findings)} |"
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Random testing of what reads evidence.")
    parser.add_argument("--parser", action="append", choices=sorted(TARGETS), help="repeatable; default: all")
    parser.add_argument("--executions", type=int, default=100_000, help="for each parser")
    parser.add_argument("--seconds", type=float, help="for each parser at most")
    parser.add_argument("--seed", type=int, default=20261123)
    parser.add_argument("--findings", type=Path, help="folder for inputs that a parser mishandles")
    return parser


if __name__ == "__main__":
    sys.exit(main())
