"""An emulated cluster for each test."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandbox.clouds.kubernetes import KubernetesCloud
from tests.sandbox.clouds.kubernetes.cluster import Bench, RecordingHardware


@pytest.fixture
def hardware() -> RecordingHardware:
    return RecordingHardware()


@pytest.fixture
def open_cluster(tmp_path: Path, hardware: RecordingHardware) -> Iterator[Callable[[], KubernetesCloud]]:
    """Opens the cluster in this test's directory; called again, it is the same cluster in another process."""
    opened: list[KubernetesCloud] = []

    def make() -> KubernetesCloud:
        opened.append(KubernetesCloud(tmp_path, hardware, patience=0.0))
        return opened[-1]

    yield make
    for cloud in opened:
        cloud.close()


@pytest.fixture
def bench(open_cluster: Callable[[], KubernetesCloud], hardware: RecordingHardware) -> Bench:
    return Bench(open_cluster(), hardware)
