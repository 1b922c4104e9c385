"""Bytes → report. Parsing is total: any bytes give a report or MalformedEvidence, and nothing is judged here."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import Enum
from operator import attrgetter
from typing import Any, Final

from verifier.errors import MalformedEvidence
from verifier.snp import layout
from verifier.snp.layout import GuestPolicy


class SigningKey(Enum):
    """Which kind of key signed a report (KEY_INFO bits 4:2)."""

    VCEK = 0
    VLEK = 1


@dataclass(frozen=True, slots=True)
class SnpReport:
    """An attestation report of versions 2, 3 or 5 (AMD 56860, 7.3; see `layout.FIELDS` for each field).

    TCB fields are the raw 8 bytes: which component is where depends on the product (`Tcb.decode`). Before
    version 3 the CPUID fields are 0, before version 5 the mitigation vectors are.
    signature_r, signature_s: the numbers, not range-checked.
    raw: the 1184 bytes.
    """

    version: int
    guest_svn: int
    policy: int
    family_id: bytes
    image_id: bytes
    vmpl: int
    signature_algo: int
    current_tcb: bytes
    platform_info: int
    key_info: int
    report_data: bytes
    measurement: bytes
    host_data: bytes
    id_key_digest: bytes
    author_key_digest: bytes
    report_id: bytes
    report_id_ma: bytes
    reported_tcb: bytes
    cpuid_family: int
    cpuid_model: int
    cpuid_stepping: int
    chip_id: bytes
    committed_tcb: bytes
    current_build: int
    current_minor: int
    current_major: int
    committed_build: int
    committed_minor: int
    committed_major: int
    launch_tcb: bytes
    launch_mitigations: int
    current_mitigations: int
    signature_r: int
    signature_s: int
    raw: bytes

    @property
    def signed(self) -> bytes:
        """The bytes that the signature covers."""
        return self.raw[: layout.SIGNED_BYTES]

    @property
    def signing_key_code(self) -> int:
        """KEY_INFO bits 4:2 as they are."""
        return self.key_info >> layout.SIGNING_KEY_SHIFT & layout.SIGNING_KEY_MASK

    @property
    def signing_key(self) -> SigningKey | None:
        """The kind of key that signed; None when none did, or one that is not defined."""
        if self.key_info & layout.MASK_CHIP_KEY:
            return None
        code = self.signing_key_code
        return SigningKey.VCEK if code == 0 else SigningKey.VLEK if code == 1 else None

    @property
    def abi(self) -> tuple[int, int]:
        """Lowest firmware ABI (major, minor) that the guest's policy accepts."""
        return self.policy >> 8 & 0xFF, self.policy & 0xFF

    @property
    def current_firmware(self) -> tuple[int, int, int]:
        """Version (major, minor, build) of the running SNP firmware."""
        return self.current_major, self.current_minor, self.current_build

    @property
    def committed_firmware(self) -> tuple[int, int, int]:
        """Version (major, minor, build) below which the firmware can never go again."""
        return self.committed_major, self.committed_minor, self.committed_build

    @property
    def has_cpuid(self) -> bool:
        """Whether the report names its processor."""
        return self.version >= layout.CPUID_SINCE

    @property
    def has_mitigations(self) -> bool:
        """Whether the report carries mitigation vectors."""
        return self.version >= layout.MITIGATIONS_SINCE

    def annotations(self) -> dict[str, str | int]:
        """Every field but the signature: numbers as they are, bytes in hex."""
        values = zip(_SIGNED, _signed(self), strict=True)
        return {name: value.hex() if isinstance(value, bytes) else value for name, value in values}

    def allows(self, bit: GuestPolicy) -> bool:
        """Whether the guest's policy has `bit` set."""
        return bool(self.policy & bit)


def parse(data: bytes) -> SnpReport:
    """Read one report of exactly 1184 bytes; a caller with a longer wrapper cuts it.

    Raises MalformedEvidence with the offset: wrong length, unknown version, a reserved bit or byte that is
    not zero (policy bit 17: not one), a VMPL that does not exist, R or S longer than 48 bytes.
    """
    if len(data) != layout.REPORT_BYTES:
        raise MalformedEvidence(
            min(len(data), layout.REPORT_BYTES),
            f"an SNP report has {layout.REPORT_BYTES} bytes, {len(data)} given",
        )
    data = bytes(data)
    values = _REPORT.unpack(data)
    r, s = (int.from_bytes(component, "little") for component in values[_SIGNATURE_INDEX:])
    fields: tuple[Any, ...] = (*values[:_SIGNATURE_INDEX], r, s, data)
    report = SnpReport(*fields)
    if report.version not in layout.VERSIONS:
        known = ", ".join(map(str, sorted(layout.VERSIONS)))
        raise MalformedEvidence(0, f"report version {report.version}; versions {known} are known")
    for start, end, zeros in _RESERVED[report.version]:
        if data[start:end] != zeros:
            offset = next(i for i in range(start, end) if data[i])
            raise MalformedEvidence(offset, f"reserved in version {report.version}, must be zero")
    if report.key_info & layout.KEY_INFO_RESERVED:
        raise MalformedEvidence(layout.OFFSETS["key_info"], f"KEY_INFO {report.key_info:#x} has reserved bits")
    if not report.policy & GuestPolicy.MUST_BE_ONE:
        raise MalformedEvidence(layout.OFFSETS["policy"], f"policy {report.policy:#x}: bit 17 must be one")
    if report.vmpl > layout.HIGHEST_VMPL and report.vmpl != layout.HOST_REQUESTED_VMPL:
        raise MalformedEvidence(layout.OFFSETS["vmpl"], f"VMPL {report.vmpl} does not exist")
    for name, number in (("signature_r", report.signature_r), ("signature_s", report.signature_s)):
        if number.bit_length() > 8 * layout.SCALAR_BYTES:
            raise MalformedEvidence(
                layout.OFFSETS[name] + layout.SCALAR_BYTES,
                f"{name[-1].upper()} is longer than {layout.SCALAR_BYTES} bytes",
            )
    return report


def _struct() -> struct.Struct:
    """One `struct` for the whole report, made from the table, with padding where it has gaps."""
    codes = ["<"]
    position = 0
    for field in layout.FIELDS:
        codes.append(f"{field.offset - position}x{field.code}")
        position = field.offset + field.size
    codes.append(f"{layout.REPORT_BYTES - position}x")
    return struct.Struct("".join(codes))


_REPORT: Final = _struct()
_SIGNATURE_INDEX: Final = len(layout.FIELDS) - 2
_SIGNED: Final = tuple(field.name for field in layout.FIELDS[:_SIGNATURE_INDEX])
_signed: Final = attrgetter(*_SIGNED)
_RESERVED: Final = {
    version: tuple((start, end, bytes(end - start)) for start, end in ranges)
    for version, ranges in layout.RESERVED.items()
}
