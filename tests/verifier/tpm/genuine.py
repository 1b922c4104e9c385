"""The genuine TPM evidence of tests/evidence, as its index describes it."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization

REPOSITORY = Path(__file__).parents[3]
TPM = REPOSITORY / "tests" / "evidence" / "tpm"

INDEX: dict[str, Any] = json.loads((TPM / "index.json").read_text(encoding="utf-8"))
BANKS = {"sha1": 0x0004, "sha256": 0x000B, "sha384": 0x000C}


@dataclass(frozen=True)
class Captured:
    """A quote with what came with it."""

    entry: dict[str, Any]

    @property
    def folder(self) -> Path:
        return TPM / self.entry["folder"]

    @property
    def quote(self) -> bytes:
        return (self.folder / f"{self.entry['quote']}.msg").read_bytes()

    @property
    def signature(self) -> bytes:
        return (self.folder / f"{self.entry['quote']}.sig").read_bytes()

    @property
    def key(self) -> Any:
        return serialization.load_pem_public_key((self.folder / "ak.pem").read_bytes())

    @property
    def pcrs(self) -> dict[int, dict[int, bytes]]:
        banks = json.loads((self.folder / "pcrs.json").read_text(encoding="utf-8"))
        return {
            BANKS[bank]: {int(register): bytes.fromhex(value) for register, value in values.items()}
            for bank, values in banks.items()
        }

    @property
    def event_log(self) -> bytes:
        return (self.folder / "eventlog.bin").read_bytes()


CAPTURED = {entry["id"]: Captured(entry) for entry in INDEX["quotes"]}
GENUINE = [case for case in CAPTURED.values() if case.entry["expect"]["failed_check"] is None]
LOGS: list[dict[str, Any]] = INDEX["event_logs"]


def log_of(entry: dict[str, Any]) -> bytes:
    """The bytes of an event log of the index."""
    return (TPM / "event-logs" / f"{entry['id']}.bin").read_bytes()
