"""The emulated NVIDIA GPU: it answers to GET_MEASUREMENTS as a Hopper does.

Reports are genuine in format: DMTF DSP0274 (SPDM) 1.1, request and response, with NVIDIA's opaque data before the
signature. They are written here field by field, on purpose without the verifier's own layout, so that a wrong offset on
either side shows.
"""

import hashlib
import secrets
import struct
import uuid
from enum import StrEnum
from typing import Final

from sandbox.hardware.identity import sign_p384
from sandbox.hardware.nvidia_pki import FIRMWARE_ID, NvidiaPki, pdi

NONCE_BYTES: Final = 32
DRIVER_VERSION: Final = "580.95.05"
VBIOS_VERSION: Final = "96.00.74.00.1A"
BOARD: Final = ("1010", "0200", "882")
"""Project, project SKU and chip SKU."""
DRIVER_INDEXES: Final = range(32)
VBIOS_INDEXES: Final = range(32, 64)
"""Which measurements each RIM states, counted from 0."""

_REQUEST: Final = struct.Struct("<BBBB32sB")  # version, code, signature requested, all measurements, nonce, slot
_RESPONSE: Final = struct.Struct("<BBBBBHB")  # version, code, param 1, slot, blocks, length of the record in 3 bytes
_BLOCK: Final = struct.Struct("<BBHBH")  # index, DMTF, size, type, size of the value
_SPDM_11: Final = 0x11
_DIGEST_OF_FIRMWARE: Final = 0x01
_DISABLED: Final = b"\x55"


class ConfidentialMode(StrEnum):
    """What NVML says in the guest; reports have no field for it."""

    ON = "on"
    DEVTOOLS = "devtools"
    OFF = "off"


class Gpu:
    """The GPU of one host, passed through to one guest."""

    def __init__(self, pki: NvidiaPki, host: str, mode: ConfidentialMode = ConfidentialMode.ON) -> None:
        self._leaf, brom = pki.device(host)
        self.uuid: Final = f"GPU-{uuid.uuid5(uuid.NAMESPACE_OID, pdi(host).hex())}"
        self._chain = (self._leaf, brom, *pki.provisioning, pki.root)
        self.mode: Final = mode

    @property
    def chain(self) -> bytes:
        """The device's certificates in PEM, leaf first."""
        return b"".join(member.pem for member in self._chain)

    def report(self, nonce: bytes) -> bytes:
        """Request and signed response over a nonce of 32 bytes."""
        if len(nonce) != NONCE_BYTES:
            raise ValueError(f"a GPU is asked with {NONCE_BYTES} bytes, not {len(nonce)}")
        record = b"".join(map(_block, (*DRIVER_INDEXES, *VBIOS_INDEXES)))
        count = len(DRIVER_INDEXES) + len(VBIOS_INDEXES)
        response = _RESPONSE.pack(_SPDM_11, 0x60, 0, 0, count, len(record) & 0xFFFF, len(record) >> 16)
        opaque = _opaque()
        signed = (
            _REQUEST.pack(_SPDM_11, 0xE0, 0x01, 0xFF, nonce, 0)
            + response
            + record
            + secrets.token_bytes(NONCE_BYTES)
            + struct.pack("<H", len(opaque))
            + opaque
        )
        return signed + sign_p384(self._leaf, signed)


def measurement(index: int) -> bytes:
    """What a GPU with this driver and VBIOS measures at an index that counts from 0: 48 bytes, SHA-384."""
    version = DRIVER_VERSION if index in DRIVER_INDEXES else VBIOS_VERSION
    return hashlib.sha384(f"bailiwick sandbox GPU {version} measurement {index}".encode()).digest()


def _block(index: int) -> bytes:
    """SPDM counts from 1."""
    value = measurement(index)
    return _BLOCK.pack(index + 1, 1, len(value) + 3, _DIGEST_OF_FIRMWARE, len(value)) + value


def _opaque() -> bytes:
    """Type, size and value of what the device says of itself."""
    major = bytes.fromhex(VBIOS_VERSION.replace(".", ""))
    project, project_sku, chip_sku = (part.encode() + b"\0" for part in BOARD)
    fields = {
        6: (major[3::-1] + major[4:]).ljust(8, b"\0"),
        15: chip_sku,
        17: project,
        18: project_sku,
        3: DRIVER_VERSION.encode() + b"\0",
        11: _DISABLED,  # NVDEC0
        20: FIRMWARE_ID,
        21: _DISABLED,  # protected PCIe
        36: b"\0\0",  # a single GPU, passed through
    }
    return b"".join(struct.pack("<HH", kind, len(value)) + value for kind, value in fields.items())
