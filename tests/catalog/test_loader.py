"""A catalogue that contradicts its schema or itself is refused, and the message names the place."""

import shutil
from pathlib import Path

import pytest

import catalog
from catalog.loader import DATA


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return Path(shutil.copytree(DATA, tmp_path / "data"))


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))


def test_a_copy_of_the_data_is_the_same_catalogue(data: Path) -> None:
    assert list(catalog.load_from(data).regions()) == list(catalog.load().regions())


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("azure/regions.yaml", "paired_region: germanynorth", "paired_region: germanysouth", "'germanysouth'"),
        ("azure/regions.yaml", "jurisdiction: AU", "jurisdiction: OZ", "region 'australiacentral': names 'OZ'"),
        ("azure/regions.yaml", "source: [az_regions", "source: [az_region", r"regions\[0\]: source 'az_region'"),
        ("azure/regions.yaml", "country: AU", "country: Australia", r"regions\[0\]: country"),
        ("azure/regions.yaml", "name: Australia Central", "nmae: Australia Central", r"regions\[0\]: (name|nmae)"),
        ("azure/regions.yaml", "id: australiacentral2", "id: australiacentral", "is there twice"),
        ("azure/regions.yaml", "cloud: azure\n", "cloud: azur\n", "region 'australiacentral': names 'azur'"),
        ("azure/machine-families.yaml", "centralindia,", "marscentral,", "names 'marscentral'"),
        ("azure/services.yaml", "private_endpoint: key-vault", "private_endpoint: vault", "names 'vault'"),
        ("azure/clouds.yaml", "operator_jurisdiction: FR", "operator_jurisdiction: XX", "cloud 'azure-bleu'"),
        ("jurisdictions.yaml", "within: [EEA, EU-data-boundary]", "within: [EEEA]", "within 'EEEA'"),
        ("jurisdictions.yaml", "date: 2026-11-22", "dated: 2026-11-22", r"jurisdictions\[0\]: date"),
        ("jurisdictions.yaml", "jurisdictions:", "jurisdictions: [", "jurisdictions.yaml: not YAML"),
    ],
)
def test_a_broken_catalogue_is_refused(data: Path, file: str, old: str, new: str, message: str) -> None:
    edit(data / file, old, new)
    with pytest.raises(catalog.BadCatalog, match=message) as raised:
        catalog.load_from(data)
    assert "\n" not in str(raised.value)
