"""The component pages say what the code says."""

import runpy
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"
GENERATED = runpy.run_path(str(DOCS / "generate.py"))


def test_pages_are_what_the_code_says_now() -> None:
    written = {page.name: page.read_text(encoding="utf-8") for page in (DOCS / "components").glob("*.md")}
    assert written == GENERATED["pages"](), "run: python docs/generate.py"


def test_every_input_and_output_is_described() -> None:
    for name, page in GENERATED["pages"]().items():
        for row in page.splitlines():
            if row.startswith("| `"):
                assert not row.endswith("|  |"), f"{name}: {row}"
