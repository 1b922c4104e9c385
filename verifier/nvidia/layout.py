"""Where everything is in the attestation report of an NVIDIA GPU or NVSwitch, and what each number means.

Sources: DMTF DSP0274 (SPDM) 1.1, GET_MEASUREMENTS and MEASUREMENTS; NVIDIA attestation SDK, opaque data fields.
Integers are little-endian; the signature is big-endian.
"""

from __future__ import annotations

import struct
from enum import IntEnum
from typing import Final

MAX_REPORT_BYTES: Final = 16_384
"""Four times the largest report seen (4274 bytes, a Hopper GPU behind NVSwitches)."""

SPDM_11: Final = 0x11
GET_MEASUREMENTS: Final = 0xE0
MEASUREMENTS: Final = 0x60
SIGNATURE_REQUESTED: Final = 0x01
"""Param1 of the request, bit 0."""
ALL_MEASUREMENTS: Final = 0xFF
"""Param2 of the request."""
SLOT_MASK: Final = 0x0F
"""Param2 of the response, bits 3:0: the slot whose key signed."""

REQUEST: Final = struct.Struct("<BBBB32sB")
"""37 bytes: version, code, param1, param2, nonce of the requester, slot."""
RESPONSE: Final = struct.Struct("<BBBBBHB")
"""8 bytes: version, code, param1, param2, number of blocks, length of the record in three bytes."""
BLOCK: Final = struct.Struct("<BBHBH")
"""7 bytes: index from 1, specification, size of what follows; DMTF: type, size of the value."""
DMTF: Final = 0x01
DMTF_HEADER_BYTES: Final = 3
NONCE_BYTES: Final = 32
OPAQUE_LENGTH: Final = struct.Struct("<H")
OPAQUE_FIELD: Final = struct.Struct("<HH")
"""Type and size of a field of the opaque data."""
SIGNATURE_BYTES: Final = 96
"""r ‖ s, ECDSA P-384 with SHA-384."""

PDI_BYTES: Final = 8
"""A per-device identifier."""
FWID_BYTES: Final = 48
"""A firmware identifier: SHA-384 of the first mutable code."""
SWITCH_GPU_SLOTS: Final = 8
"""An NVSwitch lists so many GPUs before its port map."""

DISABLED: Final = 0x55
ENABLED: Final = 0xAA


class OpaqueType(IntEnum):
    """Types of opaque data fields that this verifier reads; others are skipped, newer drivers add some."""

    DRIVER_VERSION = 3
    VBIOS_VERSION = 6
    NVDEC0_STATUS = 11
    CHIP_SKU = 15
    PROJECT = 17
    PROJECT_SKU = 18
    FWID = 20
    PROTECTED_PCIE = 21
    PDI = 22
    """Of a GPU: the NVSwitch at the end of each link; of an NVSwitch: its own."""
    SWITCH_GPU_PDIS = 26
    CHIP_INFO = 35
    FEATURE_FLAG = 36


class Feature(IntEnum):
    """How a GPU is shared and linked (feature flag)."""

    SINGLE_PASS_THROUGH = 0
    MULTIPLE_PASS_THROUGH = 1
    PROTECTED_PCIE = 2


NVDEC0_INDEX: Final = 35
"""RIM index that says nothing while the video decoder is disabled."""
