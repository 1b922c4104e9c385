"""`make bench`: every claim of speed, as a ratio within one run, against what a user would otherwise have.

Machines are shared and noisy, so each figure is the best of several repetitions, both sides of a ratio are measured in
turn in the same process or in processes of their own, and nothing here passes or fails.
"""

import sys
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.table import Table

from bench import check, engine, facts, fleet, imports, memory, nvidia, parity, service, snp, start, tdx
from bench.measure import Row

BENCHES: dict[str, Callable[[], Iterator[Row]]] = {
    "snp": snp.run,
    "tdx": tdx.run,
    "nvidia": nvidia.run,
    "start": start.run,
    "service": service.run,
    "facts": facts.run,
    "imports": imports.run,
    "check": check.run,
    "fleet": fleet.run,
    "engine": engine.run,
    "parity": parity.run,
}
ON_DEMAND: dict[str, Callable[[], Iterator[Row]]] = {"memory": memory.run}
"""Too long to be part of every run."""


def main(names: list[str]) -> int:
    known = BENCHES | ON_DEMAND
    unknown = [name for name in names if name not in known]
    if unknown:
        sys.stderr.write(f"no benchmark {unknown[0]!r}: choose from {', '.join(known)}\n")
        return 2
    table = Table("what", "measured", "against", "measured", "ratio", "goal", title="bailiwick bench")
    for name in names or BENCHES:
        for row in known[name]():
            ratio = "–" if row.ratio is None else f"{row.ratio:.2f}"
            table.add_row(row.what, row.measured, row.against, row.baseline, ratio, row.goal)
    Console(width=150).print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
