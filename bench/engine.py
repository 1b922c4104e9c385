"""The local engine over each emulated cloud against itself at a quarter of the size: is `up` linear?"""

from collections.abc import Iterator

from bench.measure import Row, cost_of_process

_CLOUDS = ("azure", "gcp", "aws", "kubernetes")
_FEW, _MANY = 1000, 4000


def run() -> Iterator[Row]:
    for cloud in _CLOUDS:
        few, many = (cost_of_process(["-m", "bench.local_up", cloud, str(count)]) for count in (_FEW, _MANY))
        yield Row(
            f"{cloud}: up of {_MANY:,} resources by the local engine",
            f"{many.seconds:.1f} s ({_MANY / many.seconds:.0f}/s), {many.peak_mib:.0f} MiB",
            f"up of {_FEW:,}",
            f"{few.seconds:.1f} s, {few.peak_mib:.0f} MiB",
            many.seconds / few.seconds,
            "≤ 4.5 (linear: 4)",
        )
