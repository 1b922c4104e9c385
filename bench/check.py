"""`bailiwick check` against the least that a user has without it: the same program under the SDK's own mocks."""

from collections.abc import Iterator

from bench.measure import Row, best_process

_STACK = "azure-germany"


def run() -> Iterator[Row]:
    checked = best_process(["-c", "from cli.main import run; run()", "check", _STACK])
    mocked = best_process(["-m", "bench.mocked", _STACK])
    yield Row(
        f"check of {_STACK}: program, emulated cloud, policies",
        f"{checked:.2f} s",
        "the program under SDK mocks",
        f"{mocked:.2f} s",
        checked / mocked,
        "as near 1 as can be",
    )
