"""An SNP report from its fields, as the guest components of Confidential Containers send it.

They serialise the parsed report (crate virtee/sev, AttestationReport): numbers as numbers, byte strings as lists of
numbers. The signature covers the bytes, so they are put together again here (AMD 56860, table ATTESTATION_REPORT); a
field that was read or written differently shows as a signature that does not verify.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any, Final

_REPORT_BYTES: Final = 1184
_TURIN_FAMILY: Final = 0x1A

_NUMBERS: Final = (
    (0x000, "<I", "version"),
    (0x004, "<I", "guest_svn"),
    (0x008, "<Q", "policy"),
    (0x030, "<I", "vmpl"),
    (0x034, "<I", "sig_algo"),
    (0x040, "<Q", "plat_info"),
    (0x048, "<I", "key_info"),
)
_OPTIONAL_NUMBERS: Final = (
    (0x188, "<B", "cpuid_fam_id"),
    (0x189, "<B", "cpuid_mod_id"),
    (0x18A, "<B", "cpuid_step"),
    (0x1F8, "<Q", "launch_mit_vector"),
    (0x200, "<Q", "current_mit_vector"),
)
_BYTES: Final = (
    (0x010, 16, "family_id"),
    (0x020, 16, "image_id"),
    (0x050, 64, "report_data"),
    (0x090, 48, "measurement"),
    (0x0C0, 32, "host_data"),
    (0x0E0, 48, "id_key_digest"),
    (0x110, 48, "author_key_digest"),
    (0x140, 32, "report_id"),
    (0x160, 32, "report_id_ma"),
    (0x1A0, 64, "chip_id"),
)
_TCBS: Final = ((0x038, "current_tcb"), (0x180, "reported_tcb"), (0x1E0, "committed_tcb"), (0x1F0, "launch_tcb"))
_VERSIONS: Final = ((0x1E8, "current"), (0x1EC, "committed"))
_SIGNATURE: Final = ((0x2A0, "r"), (0x2E8, "s"))
_SIGNATURE_NUMBER_BYTES: Final = 72


def report_from_fields(fields: Mapping[str, Any]) -> bytes:
    """The 1184 bytes; KeyError, TypeError, ValueError, OverflowError when a field is missing or does not fit."""
    report = bytearray(_REPORT_BYTES)
    for offset, form, name in _NUMBERS:
        _number(report, offset, form, fields[name], name)
    for offset, form, name in _OPTIONAL_NUMBERS:
        if fields.get(name) is not None:
            _number(report, offset, form, fields[name], name)
    for offset, length, name in _BYTES:
        _string(report, offset, length, fields[name], name)
    for offset, name in _TCBS:
        report[offset : offset + 8] = _tcb(fields[name], turin=fields.get("cpuid_fam_id") == _TURIN_FAMILY)
    for offset, name in _VERSIONS:
        report[offset : offset + 3] = bytes(fields[name][part] for part in ("build", "minor", "major"))
    for offset, name in _SIGNATURE:
        _string(report, offset, _SIGNATURE_NUMBER_BYTES, fields["signature"][name], f"signature.{name}")
    return bytes(report)


def _number(report: bytearray, offset: int, form: str, value: Any, name: str) -> None:
    try:
        struct.pack_into(form, report, offset, value)
    except struct.error:
        raise ValueError(name) from None


def _string(report: bytearray, offset: int, length: int, value: Any, name: str) -> None:
    data = bytes(value) if isinstance(value, list) else b""
    if len(data) != length:
        raise ValueError(name)
    report[offset : offset + length] = data


def _tcb(tcb: Mapping[str, Any], *, turin: bool) -> bytes:
    """TCB_VERSION: boot loader, TEE, 4 × 0, SNP, microcode; on Turin: FMC, boot loader, TEE, SNP, 3 × 0, microcode."""
    order = ("fmc", "bootloader", "tee", "snp") if turin else ("bootloader", "tee")
    head = bytes(tcb[name] for name in order)
    tail = bytes(tcb[name] for name in (("microcode",) if turin else ("snp", "microcode")))
    return head + bytes(8 - len(head) - len(tail)) + tail
