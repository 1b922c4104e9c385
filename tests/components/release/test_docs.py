"""The page on release policies says what the compilers do."""

import runpy
from pathlib import Path

DOCS = Path(__file__).parents[3] / "docs"


def test_the_page_is_what_the_compilers_do_now() -> None:
    page = runpy.run_path(str(DOCS / "release.py"))["page"]()
    assert (DOCS / "release.md").read_text(encoding="utf-8") == page, "run: python docs/release.py"
