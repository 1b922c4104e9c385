"""The local engine against itself at another size: is `up` linear in the number of resources?"""

from collections.abc import Iterator

from bench.measure import Row, best_process

_FEW, _MANY = 250, 1000


def run() -> Iterator[Row]:
    few, many = (best_process(["-m", "bench.local_up", str(count)], repeats=2) for count in (_FEW, _MANY))
    yield Row(
        f"local engine, up of {_MANY:,} resources",
        f"{many:.1f} s ({_MANY / many:.0f}/s)",
        f"up of {_FEW}",
        f"{few:.1f} s",
        many / few,
        "≤ 4.5 (linear: 4)",
    )
