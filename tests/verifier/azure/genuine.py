"""The genuine evidence of Azure confidential VMs of tests/evidence, case by case, as its index describes it."""

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from verifier import snp, tdx
from verifier.azure import AzureEvidence, from_directory

EVIDENCE = Path(__file__).parents[2] / "evidence"
AZURE = EVIDENCE / "azure"

INDEX: dict[str, Any] = json.loads((AZURE / "index.json").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Case:
    """A VM's evidence and what must come of it."""

    entry: dict[str, Any]

    @property
    def folder(self) -> Path:
        return AZURE / self.entry["id"]

    @property
    def report(self) -> bytes:
        return (self.folder / "hcl_report.bin").read_bytes()

    @property
    def evidence(self) -> AzureEvidence:
        found = from_directory(self.report, self.folder)
        if "td_quote" not in self.entry:
            return found
        return AzureEvidence(found.hcl, tdx.parse((EVIDENCE / self.entry["td_quote"]).read_bytes()), found.vtpm)

    @property
    def endorsements(self) -> snp.Endorsements | tdx.Collateral:
        directory = EVIDENCE / self.entry["endorsements"]
        if self.entry["tee"] == "tdx":
            return tdx.Collateral.from_directory(directory)
        return snp.Endorsements.from_directory(directory, snp.SigningKey.VCEK)

    @property
    def at(self) -> datetime:
        return datetime.fromisoformat(self.entry["verify_at"])

    @property
    def nonce(self) -> bytes | None:
        return None if self.entry["nonce"] is None else bytes.fromhex(self.entry["nonce"])

    @property
    def expect(self) -> dict[str, Any]:
        return self.entry["expect"]


CASES = {entry["id"]: Case(entry) for entry in INDEX["cases"]}
GENUINE = [case for case in CASES.values() if case.expect["failed_check"] is None]
QUOTED = [case for case in GENUINE if case.nonce is not None]
