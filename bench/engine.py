"""The local engine over each emulated cloud against itself at a quarter of the size: is `up` linear?

Processor time, because minutes on a shared machine measure its other users.
"""

from collections.abc import Iterator

from bench.measure import Row, cost_of_process

_CLOUDS = ("azure", "gcp", "aws", "kubernetes")
_FEW, _MANY = 1000, 4000


def run() -> Iterator[Row]:
    for cloud in _CLOUDS:
        few, many = (cost_of_process(["-m", "bench.local_up", cloud, str(count)]) for count in (_FEW, _MANY))
        yield Row(
            f"{cloud}: up of {_MANY:,} resources by the local engine",
            f"{many.cpu_seconds:.1f} s CPU ({_MANY / many.cpu_seconds:.0f}/s), {many.peak_mib:.0f} MiB",
            f"up of {_FEW:,}",
            f"{few.cpu_seconds:.1f} s CPU, {few.peak_mib:.0f} MiB",
            many.cpu_seconds / few.cpu_seconds,
            "≤ 4.5 (linear: 4)",
        )
