"""An emulated AWS account in a temporary folder, and a shorthand for what a program registers."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.clouds.aws import AwsCloud
from tests.sandbox.clouds.aws.bench import Bench, RecordingHardware


@pytest.fixture
def hardware() -> RecordingHardware:
    return RecordingHardware()


@pytest.fixture
def bench(tmp_path: Path, hardware: RecordingHardware) -> Iterator[Bench]:
    """An account in Ireland, where SNP comes on shared hosts."""
    cloud = AwsCloud(tmp_path, hardware)
    cloud.configure({"region": "eu-west-1"})
    yield Bench(cloud)
    cloud.close()


@pytest.fixture
def sovereign(tmp_path: Path, hardware: RecordingHardware) -> Iterator[Bench]:
    """An account in the European Sovereign Cloud."""
    cloud = AwsCloud(tmp_path, hardware)
    cloud.configure({"region": "eusc-de-east-1"})
    yield Bench(cloud)
    cloud.close()
