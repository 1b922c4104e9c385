"""Fixtures of the Google Cloud components' tests."""

from pathlib import Path

import pytest

from components.gcp import Placement
from tests.components.gcp import region
from tests.components.recorder import Recording


@pytest.fixture(scope="session")
def reference_values(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the reference values of every image that the tests name."""
    return region.write_reference_values(tmp_path_factory.mktemp("reference-values"))


@pytest.fixture(scope="session")
def germany(reference_values: Path) -> Recording:
    """The region of `region.GERMANY`, recorded once."""
    return region.deploy(region.GERMANY, reference_values)


@pytest.fixture(scope="session")
def netherlands(reference_values: Path) -> Recording:
    """The region of `region.NETHERLANDS`, recorded once: an H100, a group and a cluster."""
    return region.deploy(region.NETHERLANDS, reference_values)


@pytest.fixture
def placement() -> Placement:
    return region.placement()
