"""Regions for tests; they share one emulated hardware, because its RSA-4096 keys take seconds."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.region import Region
from tests.sandbox.region.scenario import KEK, Scenario, guest, verifier


@pytest.fixture(scope="session")
def hardware_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hardware")


@pytest.fixture
def scenario(tmp_path: Path, hardware_dir: Path) -> Scenario:
    return Scenario(tmp_path / "region" / "test", hardware_dir)


@pytest.fixture
def region(scenario: Scenario) -> Iterator[Region]:
    """A region with its key and its verifier."""
    region = scenario.open()
    region.create_key("vault", KEK, {})
    region.boot(verifier())
    yield region
    region.close()


@pytest.fixture(scope="module")
def attested(tmp_path_factory: pytest.TempPathFactory, hardware_dir: Path) -> Iterator[tuple[Scenario, Region]]:
    """A region whose guest has been attested; tests only look at it."""
    scenario = Scenario(tmp_path_factory.mktemp("attested") / "region" / "test", hardware_dir, patience=10)
    region = scenario.open()
    region.create_key("vault", KEK, {})
    region.boot(verifier())
    region.boot(guest())
    region.settle(30)
    yield scenario, region
    region.close()
