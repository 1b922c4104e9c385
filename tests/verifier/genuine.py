"""The genuine SNP evidence of tests/evidence, case by case, as its index describes it."""

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from verifier.pki.files import certificates_in
from verifier.snp import Endorsements, SigningKey

REPOSITORY = Path(__file__).parents[2]
SNP = REPOSITORY / "tests" / "evidence" / "snp"
SHARED = REPOSITORY.parent / "shared" / "evidence" / "snp"
ROOTS = REPOSITORY / "verifier" / "roots" / "amd"

INDEX: dict[str, Any] = json.loads((SNP / "index.json").read_text(encoding="utf-8"))
CASES: list[dict[str, Any]] = INDEX["cases"]
PAIRINGS: list[dict[str, Any]] = INDEX["negative_pairings"]


@dataclass(frozen=True)
class Genuine:
    """A report with an endorsement that makes it genuine, the time to verify at, and when the leaf is valid."""

    id: str
    report: bytes
    endorsements: Endorsements
    at: datetime
    not_before: datetime
    not_after: datetime


def report_of(entry: dict[str, Any]) -> bytes:
    """The report of a case or pairing."""
    return (SNP / entry["report"]).read_bytes()


def time_of(entry: dict[str, Any]) -> datetime:
    """When a case or pairing is to be verified."""
    return datetime.fromisoformat(entry["verify_at"])


def genuine() -> list[Genuine]:
    """Each report with each certificate that endorses it."""
    return [
        Genuine(
            leaf["file"],
            report_of(case),
            Endorsements((SNP / leaf["file"]).read_bytes(), SigningKey[case["signing_key"]]),
            time_of(case),
            datetime.fromisoformat(leaf["not_before"]),
            datetime.fromisoformat(leaf["not_after"]),
        )
        for case in CASES
        for leaf in case["leaves"]
    ]


def endorsements_of(pairing: dict[str, Any], kind: SigningKey) -> Endorsements:
    """The endorsements of a negative pairing."""
    authorities = [
        certificates_in(ROOTS / pairing[role])[0] if role in pairing else None for role in ("intermediate", "ark")
    ]
    return Endorsements((SNP / pairing["leaf"]).read_bytes(), kind, *authorities)
