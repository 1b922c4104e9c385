"""The pages in `docs/policies` say what the rules say."""

from pathlib import Path

import yaml

from policies import pack, reference


def test_the_pages_are_those_that_the_metadata_makes() -> None:
    written = {
        path.name: path.read_text(encoding="utf-8") for path in reference.DOCS.glob("*.md") if path.name != "testing.md"
    }
    assert written == dict(reference.pages()), "run: python -m policies.reference"


def test_writing_removes_the_page_of_a_rule_that_is_gone(tmp_path: Path) -> None:
    (tmp_path / "old-01.md").write_text("gone")
    reference.write(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {name for name, _ in reference.pages()}


def test_the_engine_and_the_pack_agree_on_its_version() -> None:
    project = yaml.safe_load((Path(pack.__file__).parent / "PulumiPolicy.yaml").read_text())
    assert project["version"] == pack.VERSION


def test_ids_are_unique_and_pages_are_linked_from_the_index() -> None:
    ids = [rule.id for rule in pack.RULES]
    assert len(ids) == len(set(ids))
    assert len({policy.name for policy in pack.build()}) == len(pack.build())
    assert all(f"({id_.lower()}.md)" in dict(reference.pages())["index.md"] for id_ in ids)
