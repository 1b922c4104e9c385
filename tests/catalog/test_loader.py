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
    assert list(catalog.load_from(data).everything()) == list(catalog.load_from(DATA).everything())


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
        ("azure/clouds.yaml", "operator_id: bleu", "operator_id: blue", "'azure-bleu': names 'blue'"),
        ("operators.yaml", "jurisdiction: US", "jurisdiction: UX", "operator 'microsoft': names 'UX'"),
        ("operators.yaml", "parents: [microsoft]", "parents: [macrosoft]", "names 'macrosoft'"),
        ("azure/clouds.yaml", "clouds:", "cluods:", "azure/clouds.yaml: 'cluods' is not a kind of fact"),
        (
            "gcp/machine-families.yaml",
            "europe-west3-c]",
            "europe-west3-d]",
            "zone of europe-west3: names 'europe-west3-d'",
        ),
        ("gcp/machine-families.yaml", "disputed: [europe-west3]", "disputed: [europe-west6]", "names 'europe-west6'"),
        ("gcp/regions.yaml", "operator_id: psn", "operator_id: pns", "boundary 'italy-psn': names 'pns'"),
        (
            "gcp/guardrails.yaml",
            "{EU: 'in:eu",
            "{EUU: 'in:eu",
            "guardrail 'resource-locations': names 'EUU'",
        ),
        ("gcp/guardrails.yaml", "service: google-cloud-attestation", "service: gca", "release claim 'hardware-model'"),
        ("azure/confidential.yaml", "families: [DCas_v5,", "families: [DCas_v55,", "names 'DCas_v55'"),
        (
            "azure/private-endpoints.yaml",
            "zones: [privatelink.vaultcore.azure.net]",
            "zones: []",
            "needs a private DNS",
        ),
        ("jurisdictions.yaml", "within: [EEA, EU-data-boundary]", "within: [EEEA]", "within: names 'EEEA'"),
        ("jurisdictions.yaml", "date: 2026-11-22\n", "", r"jurisdictions\[0\]: date"),
        ("jurisdictions.yaml", "jurisdictions:", "jurisdictions: [", "jurisdictions.yaml: not YAML"),
    ],
)
def test_a_broken_catalogue_is_refused(data: Path, file: str, old: str, new: str, message: str) -> None:
    edit(data / file, old, new)
    with pytest.raises(catalog.BadCatalog, match=message) as raised:
        catalog.load_from(data)
    assert "\n" not in str(raised.value)
