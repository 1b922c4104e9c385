"""Fixtures of the Kubernetes components' tests."""

from pathlib import Path

import pytest

from components.kubernetes import Placement
from tests.components.kubernetes import region
from tests.components.recorder import Recording


@pytest.fixture(scope="session")
def reference_values(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the reference values of every image that the tests name."""
    return region.write_reference_values(tmp_path_factory.mktemp("reference-values"))


@pytest.fixture(scope="session")
def berlin(reference_values: Path) -> Recording:
    """The region of `region.SPEC`, recorded once."""
    return region.deploy(reference_values)


@pytest.fixture
def placement() -> Placement:
    return region.placement()
