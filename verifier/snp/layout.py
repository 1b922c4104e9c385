"""Where everything is in an SNP attestation report, and what each bit means.

Source: AMD publication 56860, "SEV Secure Nested Paging Firmware ABI Specification", section 7.3
(ATTESTATION_REPORT structure; version 5 as of revision 1.58), 4.3 (guest policy), 2.2 (TCB_VERSION).
All integers are little-endian.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

REPORT_BYTES: Final = 1184
SIGNED_BYTES: Final = 0x2A0
"""The signature covers bytes 000h-29Fh."""

SIGNATURE_COMPONENT_BYTES: Final = 72
"""R and S: 48 significant bytes, least significant first, zero-extended."""

SCALAR_BYTES: Final = 48
"""Bytes of a P-384 scalar."""

VERSIONS: Final = frozenset({2, 3, 5})
CPUID_SINCE: Final = 3
MITIGATIONS_SINCE: Final = 5

ECDSA_P384_SHA384: Final = 1
"""The only value of SIGNATURE_ALGO that is defined."""

HOST_REQUESTED_VMPL: Final = 0xFFFFFFFF
"""VMPL of a report that the host asked for; no guest did."""

HIGHEST_VMPL: Final = 3


@dataclass(frozen=True, slots=True)
class Field:
    """One field: `code` is its `struct` format character, `section` where AMD 56860 defines it."""

    name: str
    offset: int
    code: str
    section: str

    @property
    def size(self) -> int:
        """Size in bytes."""
        return struct.calcsize(f"<{self.code}")


FIELDS: Final = (
    Field("version", 0x000, "I", "7.3"),
    Field("guest_svn", 0x004, "I", "7.3"),
    Field("policy", 0x008, "Q", "4.3"),
    Field("family_id", 0x010, "16s", "7.3"),
    Field("image_id", 0x020, "16s", "7.3"),
    Field("vmpl", 0x030, "I", "7.3"),
    Field("signature_algo", 0x034, "I", "7.3"),
    Field("current_tcb", 0x038, "8s", "2.2"),
    Field("platform_info", 0x040, "Q", "7.3"),
    Field("key_info", 0x048, "I", "7.3"),
    Field("report_data", 0x050, "64s", "7.3"),
    Field("measurement", 0x090, "48s", "7.3"),
    Field("host_data", 0x0C0, "32s", "7.3"),
    Field("id_key_digest", 0x0E0, "48s", "7.3"),
    Field("author_key_digest", 0x110, "48s", "7.3"),
    Field("report_id", 0x140, "32s", "7.3"),
    Field("report_id_ma", 0x160, "32s", "7.3"),
    Field("reported_tcb", 0x180, "8s", "2.2"),
    Field("cpuid_family", 0x188, "B", "7.3"),
    Field("cpuid_model", 0x189, "B", "7.3"),
    Field("cpuid_stepping", 0x18A, "B", "7.3"),
    Field("chip_id", 0x1A0, "64s", "7.3"),
    Field("committed_tcb", 0x1E0, "8s", "2.2"),
    Field("current_build", 0x1E8, "B", "7.3"),
    Field("current_minor", 0x1E9, "B", "7.3"),
    Field("current_major", 0x1EA, "B", "7.3"),
    Field("committed_build", 0x1EC, "B", "7.3"),
    Field("committed_minor", 0x1ED, "B", "7.3"),
    Field("committed_major", 0x1EE, "B", "7.3"),
    Field("launch_tcb", 0x1F0, "8s", "2.2"),
    Field("launch_mitigations", 0x1F8, "Q", "7.3"),
    Field("current_mitigations", 0x200, "Q", "7.3"),
    Field("signature_r", 0x2A0, "72s", "7.3"),
    Field("signature_s", 0x2E8, "72s", "7.3"),
)
"""Every field, in the order of the bytes. The CPUID fields exist from version 3, the mitigations from version 5."""

OFFSETS: Final = {field.name: field.offset for field in FIELDS}

_COMMON_RESERVED: Final = ((0x04C, 0x050), (0x1EB, 0x1EC), (0x1EF, 0x1F0), (0x330, 0x4A0))
RESERVED: Final = {
    2: (*_COMMON_RESERVED, (0x188, 0x1A0), (0x1F8, 0x2A0)),
    3: (*_COMMON_RESERVED, (0x18B, 0x1A0), (0x1F8, 0x2A0)),
    5: (*_COMMON_RESERVED, (0x18B, 0x1A0), (0x208, 0x2A0)),
}
"""Version → ranges [start, end) that must be zero."""

MASK_CHIP_KEY: Final = 1 << 1
"""KEY_INFO bit 1: the chip's key is masked, so there is no signature."""

SIGNING_KEY_SHIFT: Final = 2
SIGNING_KEY_MASK: Final = 0b111
"""KEY_INFO bits 4:2: 0 VCEK, 1 VLEK, 7 none."""

KEY_INFO_RESERVED: Final = 0xFFFFFFE0


class GuestPolicy(IntEnum):
    """Bits of POLICY above the ABI version (56860, 4.3). Bit 17 is reserved and must be one."""

    SMT = 1 << 16
    MUST_BE_ONE = 1 << 17
    MIGRATE_MA = 1 << 18
    DEBUG = 1 << 19
    SINGLE_SOCKET = 1 << 20
    CXL_ALLOW = 1 << 21
    MEM_AES_256_XTS = 1 << 22
    RAPL_DIS = 1 << 23
    CIPHERTEXT_HIDING = 1 << 24
    PAGE_SWAP_DISABLE = 1 << 25


GUEST_POLICY_UNKNOWN: Final = 0xFFFFFFFF_FFFFFFFF & ~(0xFFFF | sum(GuestPolicy))
"""Bits of POLICY that have no meaning yet."""


class PlatformInfo(IntEnum):
    """Bits of PLATFORM_INFO (56860, 7.3). Newer firmware sets more; a bit unknown here is not an error."""

    SMT_ENABLED = 1 << 0
    TSME_ENABLED = 1 << 1
    ECC_ENABLED = 1 << 2
    RAPL_DISABLED = 1 << 3
    CIPHERTEXT_HIDING_ENABLED = 1 << 4
    ALIAS_CHECK_COMPLETE = 1 << 5
