"""Devices' evidence as NVIDIA's attestation SDK writes it down: a JSON list, one object for each GPU or NVSwitch."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from verifier.errors import MalformedEvidence
from verifier.nvidia import layout
from verifier.nvidia.report import DeviceReport, parse

MAX_DEVICES: Final = 64
MAX_CHAIN_BYTES: Final = 32_768
MAX_EVIDENCE_BYTES: Final = MAX_DEVICES * 2 * (layout.MAX_REPORT_BYTES + MAX_CHAIN_BYTES)


@dataclass(frozen=True, slots=True)
class DeviceEvidence:
    """A device's report with the certificates that its host sent along.

    encoded: the report as received. chain: PEM, leaf first.
    """

    encoded: bytes
    report: DeviceReport
    chain: bytes

    def annotations(self) -> dict[str, str | int]:
        """The report's fields."""
        return self.report.annotations()


def parse_evidence_list(data: bytes) -> tuple[DeviceEvidence, ...]:
    """Read the `evidence` and `certificate` of each object, both base64; what else it says is its host's word.

    MalformedEvidence for anything else; inside a report, the offset is within that report.
    """
    if len(data) > MAX_EVIDENCE_BYTES:
        raise MalformedEvidence(MAX_EVIDENCE_BYTES, f"device evidence: at most {MAX_EVIDENCE_BYTES} bytes")
    try:
        content = json.loads(data)
    except (ValueError, RecursionError) as error:
        offset = error.pos if isinstance(error, json.JSONDecodeError) else 0
        raise MalformedEvidence(offset, "device evidence: not JSON") from None
    return read_evidence_list(content)


def read_evidence_list(content: object) -> tuple[DeviceEvidence, ...]:
    """The same for what the JSON says."""
    if not isinstance(content, list) or not 1 <= len(content) <= MAX_DEVICES:
        raise MalformedEvidence(0, f"device evidence: a list of 1 to {MAX_DEVICES} objects expected")
    return tuple(_device(entry, f"device {number}") for number, entry in enumerate(content))


def _device(entry: object, what: str) -> DeviceEvidence:
    if not isinstance(entry, dict):
        raise MalformedEvidence(0, f"{what}: an object with evidence and certificate expected")
    encoded = _member(entry, "evidence", what, layout.MAX_REPORT_BYTES)
    chain = _member(entry, "certificate", what, MAX_CHAIN_BYTES)
    try:
        return DeviceEvidence(encoded, parse(encoded), chain)
    except MalformedEvidence as error:
        raise MalformedEvidence(error.offset, f"{what}: {error.reason}") from None


def _member(entry: Mapping[str, Any], name: str, what: str, limit: int) -> bytes:
    try:
        value = base64.b64decode(entry.get(name), validate=True)  # type: ignore[arg-type]
    except (binascii.Error, TypeError, ValueError):
        raise MalformedEvidence(0, f"{what}: {name} is not base64") from None
    if len(value) > limit:
        raise MalformedEvidence(limit, f"{what}: {name} of {len(value)} bytes, at most {limit}")
    return value
