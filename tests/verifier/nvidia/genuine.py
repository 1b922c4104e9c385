"""The genuine NVIDIA evidence of tests/evidence, verdict by verdict, as its index describes it."""

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from verifier.nvidia import Collateral, DeviceKind, RimKind

REPOSITORY = Path(__file__).parents[3]
GPU = REPOSITORY / "tests" / "evidence" / "gpu"
SHARED = REPOSITORY.parent / "shared" / "evidence" / "gpu"

INDEX: dict[str, Any] = json.loads((GPU / "index.json").read_text(encoding="utf-8"))
CASES: list[dict[str, Any]] = INDEX["cases"]
RIMS: list[dict[str, Any]] = INDEX["rims"]
GENUINE_RIMS = [rim for rim in RIMS if rim["expect"]["failed_check"] is None]


@dataclass(frozen=True)
class Verdict:
    """A report with RIMs at a time, and what must come of it."""

    case: dict[str, Any]
    entry: dict[str, Any]

    @property
    def id(self) -> str:
        return "-".join((self.case["id"], self.entry["at"][:10], *self.entry["rims"].values()))

    @property
    def report(self) -> bytes:
        return (GPU / "devices" / self.case["id"] / "report.bin").read_bytes()

    @property
    def chain(self) -> bytes:
        return (GPU / "devices" / self.case["id"] / "chain.pem").read_bytes()

    @property
    def collateral(self) -> Collateral:
        return Collateral({name: rim(file) for name, file in self.entry["rims"].items()})

    @property
    def nonce(self) -> bytes:
        return bytes.fromhex(self.case["nonce"])

    @property
    def at(self) -> datetime:
        return datetime.fromisoformat(self.entry["at"])

    @property
    def expect(self) -> dict[str, Any]:
        return self.entry["expect"]


def rim(file: str) -> bytes:
    """A RIM of the evidence."""
    return (GPU / "rims" / file).read_bytes()


def kinds(entry: dict[str, Any]) -> tuple[RimKind, DeviceKind]:
    """What a RIM of the index is for."""
    return RimKind(entry["kind"]), DeviceKind(entry["device"])


VERDICTS = [Verdict(case, entry) for case in CASES for entry in case["verdicts"]]
GENUINE = [verdict for verdict in VERDICTS if verdict.expect["failed_check"] is None]
ONE_PER_DEVICE = list({verdict.case["id"]: verdict for verdict in GENUINE}.values())
