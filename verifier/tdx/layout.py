"""Where everything is in a TDX quote, and what each bit means.

Sources: Intel, "TDX DCAP Quoting Library API", appendix A.3 (quote versions 4 and 5) and A.4 (certification data);
Intel, "TDX Module Base Architecture Specification", section 18 (TDATTRIBUTES, XFAM, TEE_TCB_SVN).
All integers are little-endian, except that the halves of signatures and keys are big-endian.
"""

from __future__ import annotations

import struct
from enum import IntEnum
from typing import Final

MAX_QUOTE_BYTES: Final = 32_768
"""Four times the largest buffer that a quote has been seen in (8000 bytes, on Google Cloud)."""

HEADER: Final = struct.Struct("<HHI4s16s20s")
"""A.3.1: version, attestation key type, TEE type, reserved, QE vendor, user data."""

VERSION_WITHOUT_BODY_TYPE: Final = 4
VERSION_WITH_BODY_TYPE: Final = 5
"""Version 5 states the type and the size of the body; in version 4 it is always a TD 1.0 report."""

ECDSA_P256: Final = 2
"""Attestation key type: ECDSA P-256 with SHA-256, the only one that Intel's quoting enclave makes."""

TEE_TDX: Final = 0x81
TEE_NAMES: Final = {0x00: "SGX", TEE_TDX: "TDX"}

INTEL_QE_VENDOR: Final = bytes.fromhex("939a7233f79c4ca9940a0db3957f0607")

BODY_DESCRIPTOR: Final = struct.Struct("<HI")
"""Version 5 only: body type, body size."""

TD_10: Final = struct.Struct("<16s48s48sQQQ48s48s48s48s48s48s48s48s64s")
"""A.3.2, 584 bytes: TEE_TCB_SVN, MRSEAM, MRSIGNERSEAM, SEAMATTRIBUTES, TDATTRIBUTES, XFAM, MRTD, MRCONFIGID,
MROWNER, MROWNERCONFIG, RTMR0-3, REPORTDATA."""

TD_15_EXTRA: Final = struct.Struct("<16s48s")
"""TD 1.5 appends 64 bytes: TEE_TCB_SVN_2, MRSERVICETD."""

BODY_SGX: Final = 1
BODY_TD_10: Final = 2
BODY_TD_15: Final = 3
BODY_BYTES: Final = {BODY_TD_10: TD_10.size, BODY_TD_15: TD_10.size + TD_15_EXTRA.size}

LENGTH: Final = struct.Struct("<I")
"""Length of the signature data, after the body."""

SIGNATURE_BYTES: Final = 64
"""r ‖ s, and x ‖ y of a P-256 key, 32 bytes each."""

CERTIFICATION_HEADER: Final = struct.Struct("<HI")
"""A.3.9: type and size of certification data."""

QE_REPORT_CERTIFICATION: Final = 6
"""QE report, its signature, the QE's authentication data, and certification data of the PCK."""
PCK_CHAIN_CERTIFICATION: Final = 5
"""PCK certificate chain in PEM: leaf, intermediate, root."""

QE_REPORT: Final = struct.Struct("<16sI28x16s32s32x32s96xHH60x64s")
"""SGX REPORTBODY, 384 bytes: CPUSVN, MISCSELECT, ATTRIBUTES, MRENCLAVE, MRSIGNER, ISVPRODID, ISVSVN, REPORTDATA."""

AUTH_LENGTH: Final = struct.Struct("<H")

RTMR_COUNT: Final = 4


class TdAttributes(IntEnum):
    """Bits of TDATTRIBUTES."""

    DEBUG = 1 << 0
    SEPT_VE_DISABLE = 1 << 28
    MIGRATABLE = 1 << 29
    PKS = 1 << 30
    KL = 1 << 31
    PERFMON = 1 << 63


UNDER_DEBUG: Final = 0xFF
"""TDATTRIBUTES bits 7:0, the TUD group: with any of them set, the TD is not to be trusted."""

TD_ATTRIBUTES_UNKNOWN: Final = 0xFFFFFFFF_FFFFFFFF & ~(UNDER_DEBUG | sum(TdAttributes))
"""Bits of TDATTRIBUTES that have no meaning here."""
