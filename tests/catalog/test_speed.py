"""The whole catalogue loads in 100 ms of processor time."""

import time

from catalog.loader import DATA, load_from


def test_loading_takes_at_most_100_ms() -> None:
    def seconds() -> float:
        start = time.process_time()
        load_from(DATA)
        return time.process_time() - start

    assert min(seconds() for _ in range(5)) <= 0.1
