"""Bytes → HCL report. Parsing is total: any bytes give a report or MalformedEvidence, and nothing is judged here.

The paravisor keeps the report in the vTPM's NV index 0x01400001: a header of 32 bytes, an area of 1184 bytes for the
hardware's report, and from byte 1216 the runtime data, whose JSON the hardware's REPORT_DATA is the hash of.
Source: Microsoft, "Azure confidential VM guest attestation", attestation report layout; numbers are little-endian.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import Enum
from typing import Final

from verifier import canonical, snp
from verifier.azure import claims
from verifier.azure.claims import RuntimeClaims
from verifier.errors import MalformedEvidence

MAGIC: Final = b"HCLA"
VERSIONS: Final = frozenset({1, 2})
ATTESTATION_REQUEST: Final = 2
MAX_REPORT_BYTES: Final = 16_384
"""Several times the NV index (2600 bytes)."""

_HEADER: Final = struct.Struct("<4sIIII12s")
"""Signature, version, size of the report, request type, status, reserved."""
_AREA: Final = slice(_HEADER.size, _HEADER.size + snp.layout.REPORT_BYTES)
_RUNTIME: Final = struct.Struct("<5I")
"""Size of the runtime data, version, report type, hash type, length of the JSON."""
_RUNTIME_VERSION: Final = 1
_JSON_AT: Final = _AREA.stop + _RUNTIME.size

TD_REPORT_BYTES: Final = 1024
_TD_REPORT_DATA: Final = slice(128, 192)
"""REPORTDATA in a TDREPORT (Intel, "TDX Module ABI Specification", 3.7.2)."""

HASHES: Final = {1: "sha256", 2: "sha384", 3: "sha512"}
"""Hash type → its name in hashlib."""


class HostedReport(Enum):
    """Which hardware's report the area holds."""

    SNP = 2
    TDX = 4


@dataclass(frozen=True, slots=True)
class HclReport:
    """An HCL report of versions 1 or 2.

    status: of the request, 0 is success. hosted: the kind of hardware report.
    snp_report: None on TDX, where the area holds a TDREPORT that only the same machine can check.
    report_data: REPORT_DATA of the hardware report, 64 bytes. hash_name: of the hash in it.
    runtime_json: the exact bytes that were hashed; claims: what they say.
    """

    version: int
    request_type: int
    status: int
    hosted: HostedReport
    snp_report: snp.SnpReport | None
    report_data: bytes
    hash_name: str
    runtime_json: bytes
    claims: RuntimeClaims

    def annotations(self) -> dict[str, str | int]:
        """What the paravisor says of itself and of the VM, for results and receipts."""
        return {
            "hcl_version": self.version,
            "hardware_report": self.hosted.name,
            **self.claims.configuration.annotations(),
            **({} if self.claims.user_data is None else {"user_data": self.claims.user_data.hex()}),
        }


def is_report(data: bytes) -> bool:
    """Whether bytes start as HCL reports do: for whoever must tell kinds of evidence apart."""
    return data.startswith(MAGIC)


def parse(data: bytes) -> HclReport:
    """Read one HCL report; zero bytes may follow it, as the NV index is larger than most.

    Raises MalformedEvidence with the offset: another signature, version, report or hash type, sizes that disagree, a
    hardware report or JSON that does not parse, anything but zeros at the end.
    """
    if not _JSON_AT <= len(data) <= MAX_REPORT_BYTES:
        raise MalformedEvidence(
            min(len(data), MAX_REPORT_BYTES),
            f"an HCL report has {_JSON_AT} to {MAX_REPORT_BYTES} bytes, {len(data)} given",
        )
    data = bytes(data)
    magic, version, size, request, status, reserved = _HEADER.unpack_from(data)
    if magic != MAGIC:
        raise MalformedEvidence(0, f"signature {magic!r}, {MAGIC!r} expected")
    if version not in VERSIONS:
        raise MalformedEvidence(4, f"HCL report version {version}; versions 1 and 2 are known")
    if any(reserved):
        raise MalformedEvidence(20, "reserved in the header, must be zero")
    hosted, hash_name, end = _runtime(data, size)
    text = data[_JSON_AT:end]
    area = data[_AREA]
    report = _snp(area) if hosted is HostedReport.SNP else None
    report_data = report.report_data if report is not None else _td_report_data(area)
    try:
        found = claims.read(text)
    except canonical.JsonError as error:
        raise MalformedEvidence(_JSON_AT, f"runtime claims: {error}") from None
    return HclReport(version, request, status, hosted, report, report_data, hash_name, text, found)


def _runtime(data: bytes, size: int) -> tuple[HostedReport, str, int]:
    """Kind of hardware report, name of the hash, and where the JSON ends."""
    at = _AREA.stop
    runtime_size, version, kind, hash_type, length = _RUNTIME.unpack_from(data, at)
    if version != _RUNTIME_VERSION:
        raise MalformedEvidence(at + 4, f"runtime data version {version}, {_RUNTIME_VERSION} expected")
    if kind not in {hosted.value for hosted in HostedReport}:
        raise MalformedEvidence(at + 8, f"report type {kind}; 2 (SEV-SNP) and 4 (TDX) are known")
    if hash_type not in HASHES:
        raise MalformedEvidence(at + 12, f"hash type {hash_type}; 1 to 3 (SHA-256, SHA-384, SHA-512) are known")
    end = _JSON_AT + length
    if end > len(data):
        raise MalformedEvidence(at + 16, f"runtime claims: {length} bytes stated, {len(data) - _JSON_AT} left")
    if runtime_size != _RUNTIME.size + length:
        raise MalformedEvidence(at, f"runtime data: {runtime_size} bytes stated, {_RUNTIME.size + length} are there")
    if size != end:
        raise MalformedEvidence(8, f"a report of {size} bytes stated, {end} are there")
    if data.count(0, end) != len(data) - end:
        offset = next(i for i in range(end, len(data)) if data[i])
        raise MalformedEvidence(offset, "only zeros may follow an HCL report")
    return HostedReport(kind), HASHES[hash_type], end


def _snp(area: bytes) -> snp.SnpReport:
    try:
        return snp.parse(area)
    except MalformedEvidence as error:
        raise MalformedEvidence(_AREA.start + error.offset, error.reason) from None


def _td_report_data(area: bytes) -> bytes:
    if any(area[TD_REPORT_BYTES:]):
        raise MalformedEvidence(_AREA.start + TD_REPORT_BYTES, "only zeros may follow a TDREPORT in its area")
    return area[_TD_REPORT_DATA]
