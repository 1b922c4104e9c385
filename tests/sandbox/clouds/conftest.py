"""An emulated Azure and an emulated Google Cloud for each test that asks for one."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandbox.clouds.azure import AzureCloud
from sandbox.clouds.gcp import GcpCloud
from tests.sandbox.clouds import project
from tests.sandbox.clouds.region import Bench, RecordingHardware


@pytest.fixture
def hardware() -> RecordingHardware:
    return RecordingHardware()


@pytest.fixture
def clock() -> list[float]:
    """The time that the cloud sees; a test moves it by writing to it."""
    return [1_800_000_000.0]


@pytest.fixture
def open_cloud(tmp_path: Path, hardware: RecordingHardware, clock: list[float]) -> Iterator[Callable[[], AzureCloud]]:
    """Opens the cloud in this test's directory; called again, it is the same cloud in another process."""
    opened: list[AzureCloud] = []

    def make() -> AzureCloud:
        opened.append(AzureCloud(tmp_path, hardware, clock=lambda: clock[0]))
        return opened[-1]

    yield make
    for cloud in opened:
        cloud.close()


@pytest.fixture
def bench(open_cloud: Callable[[], AzureCloud], hardware: RecordingHardware) -> Bench:
    return Bench(open_cloud(), hardware)


@pytest.fixture
def google(tmp_path: Path, clock: list[float]) -> Iterator[project.Bench]:
    hardware = project.ImageHardware()
    cloud = GcpCloud(tmp_path, hardware, clock=lambda: clock[0])
    yield project.Bench(cloud, hardware)
    cloud.close()
