"""A customer states the facts of sites of its own, and of nothing else."""

from pathlib import Path

import pytest

import catalog
from catalog.loader import DATA, STATED_FACTS, load_from, stated_facts

SITE = """
date: 2026-11-01
sources: {ops: 'Example AG, statement of the operations office'}
operators: [{id: example-ag, name: Example AG, jurisdiction: CH, source: [ops]}]
regions:
  - {id: basel, cloud: kubernetes, name: Basel, country: CH, jurisdiction: CH, zone_names: [a, b],
     confidential_vm: true, operator_id: example-ag, source: [ops]}
machine_families:
  - {family: rack, cloud: kubernetes, tee: snp, zones: {basel: [a]}, offered: confirmed, status: ga, source: [ops],
     sizes: [{size: rack-64, vcpu: 64, memory_gib: 512}]}
"""


def site(folder: Path, text: str = SITE) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "site.yaml").write_text(text)
    return folder


def test_a_stated_site_is_a_region_like_any_other(tmp_path: Path) -> None:
    facts = load_from(DATA, stated=site(tmp_path))
    region = facts.region("kubernetes", "basel")
    assert (region.operator, region.legal_reach, region.jurisdictions[:2]) == ("Example AG", ("CH",), ("CH", "EFTA"))
    assert [machine.size for machine in facts.machine_types("kubernetes", region="basel", tee="snp")] == ["rack-64"]
    findings = {one.subject: one for one in catalog.assess(facts, "kubernetes", "basel").findings}
    assert findings["operator"].verdict == "can"
    assert findings["machines with AMD SEV-SNP"].reasons == ("some-zones-only",)


def test_without_a_statement_there_is_no_site() -> None:
    facts = load_from(DATA)
    assert facts.regions(cloud="kubernetes") == ()
    assert facts.cloud("kubernetes").legal_reach is None


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "cloud: kubernetes, name",
            "cloud: azure, name",
            r"regions\[0\]: facts of cloud 'azure' cannot be stated here",
        ),
        ("operator_id: example-ag", "operator_id: exmple", "names 'exmple'"),
        ("jurisdiction: CH, zone", "jurisdiction: CHH, zone", "region 'basel': names 'CHH'"),
        ("zones: {basel: [a]}", "zones: {basel: [c]}", "zone of basel: names 'c'"),
        ("sources: {ops:", "sources: {general:", "source 'general' is there twice"),
        ("id: example-ag", "id: aws", "operator 'aws' is there twice"),
    ],
)
def test_a_wrong_statement_is_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in SITE
    with pytest.raises(catalog.BadCatalog, match=message):
        load_from(DATA, stated=site(tmp_path, SITE.replace(old, new, 1)))


def test_statements_are_found_beside_the_stacks_of_the_project(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").touch()
    below = tmp_path / "stacks"
    below.mkdir()
    assert stated_facts(below) is None
    folder = site(tmp_path / "stacks" / "facts")
    assert stated_facts(below) == folder
    assert stated_facts(tmp_path) == folder


def test_the_environment_names_another_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(STATED_FACTS, str(tmp_path))
    assert stated_facts(Path("/")) == tmp_path
    monkeypatch.setenv(STATED_FACTS, str(tmp_path / "none"))
    with pytest.raises(catalog.BadCatalog, match=r"BAILIWICK_FACTS: .*none is not a directory"):
        stated_facts(Path("/"))


def test_the_example_of_the_repository_loads() -> None:
    example = Path(__file__).parents[2] / "stacks" / "facts"
    facts = load_from(DATA, stated=example)
    assert facts.region("kubernetes", "onprem-berlin").legal_reach == ("DE",)
