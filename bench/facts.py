"""Loading the whole catalogue, which every command and every stack does first, against parsing its YAML alone."""

from collections.abc import Iterator
from pathlib import Path

import yaml

import catalog
from bench.measure import Row, interleaved

_DATA = Path(catalog.__file__).parent / "data"


def run() -> Iterator[Row]:
    loaded, parsed = interleaved(lambda: catalog.load_from(_DATA), _parse, calls=1, repeats=7)
    yield Row(
        "catalogue: load, validate and cross-check every fact",
        f"{loaded * 1000:.0f} ms",
        "parsing its YAML (libyaml)",
        f"{parsed * 1000:.0f} ms",
        loaded / parsed,
        "≤ 100 ms in all",
    )


def _parse() -> None:
    for path in _DATA.rglob("*.yaml"):
        yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)  # a SafeLoader
