"""A component in each emulated cloud, for the tests that deploy one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.components.emulated import CLOUDS, Bench


@pytest.fixture(params=CLOUDS)
def deployed(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    """One emulated cloud; the test runs once in each."""
    made = Bench(request.param, tmp_path)
    yield made
    made.cloud.close()
