"""Emulated clouds opened by the name that a stack file gives."""

from pathlib import Path

import pytest

from sandbox.clouds import open_cloud
from sandbox.clouds.hardware import NullHardware
from sandbox.provider import ProviderError


@pytest.mark.parametrize(("name", "package"), [("azure", "azure-native"), ("gcp", "gcp")])
def test_a_cloud_is_opened_by_its_name(tmp_path: Path, name: str, package: str) -> None:
    cloud = open_cloud(name, tmp_path, NullHardware())
    assert cloud.package == package
    assert cloud.resolve("nowhere.internal", "network") == []
    cloud.close()
    assert (tmp_path / "cloud.db").exists()


def test_there_is_no_other_cloud(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"there is no emulated cloud 'ibm'; there is azure, gcp"):
        open_cloud("ibm", tmp_path, NullHardware())


def test_a_file_that_is_no_cloud_is_named_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "cloud.db").write_bytes(b"this is not a database " * 100)
    with pytest.raises(ProviderError, match=r"cloud\.db: the emulated cloud's file cannot be used \(file is not"):
        open_cloud("gcp", tmp_path, NullHardware())
    assert (tmp_path / "cloud.db").read_bytes().startswith(b"this is not a database")
