"""The genuine TDX evidence of tests/evidence, verdict by verdict, as its index describes it."""

import json
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from verifier.tdx import Collateral

REPOSITORY = Path(__file__).parents[3]
TDX = REPOSITORY / "tests" / "evidence" / "tdx"
SHARED = REPOSITORY.parent / "shared" / "evidence" / "tdx"

INDEX: dict[str, Any] = json.loads((TDX / "index.json").read_text(encoding="utf-8"))
CASES: list[dict[str, Any]] = INDEX["cases"]


@dataclass(frozen=True)
class Verdict:
    """A quote with collateral at a time, and what must come of it."""

    case: dict[str, Any]
    entry: dict[str, Any]

    @property
    def id(self) -> str:
        return f"{self.case['id']}-{self.entry['collateral']}"

    @property
    def quote(self) -> bytes:
        return (TDX / self.case["quote"]).read_bytes()

    @property
    def folder(self) -> Path:
        return TDX / "collateral" / self.entry["collateral"]

    @property
    def collateral(self) -> Collateral:
        return collateral(self.entry["collateral"])

    @property
    def at(self) -> datetime:
        return datetime.fromisoformat(self.entry["at"])

    @property
    def expect(self) -> dict[str, Any]:
        return self.entry["expect"]


@cache
def collateral(name: str) -> Collateral:
    """A set of collateral, read once."""
    return Collateral.from_directory(TDX / "collateral" / name)


VERDICTS = [Verdict(case, entry) for case in CASES for entry in case["verdicts"]]
GENUINE = [verdict for verdict in VERDICTS if verdict.expect["failed_check"] is None]
ONE_PER_QUOTE = list({verdict.case["id"]: verdict for verdict in GENUINE}.values())
