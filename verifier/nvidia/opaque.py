"""The opaque data of a report: what the device says about itself, under its signature."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from verifier.errors import MalformedEvidence
from verifier.nvidia import layout
from verifier.nvidia.layout import OpaqueType

_TEXT: Final = re.compile(rb"[0-9A-Za-z._-]{0,32}")
"""Versions and names: they become parts of RIM ids, and those become file names."""

_BINARY_VBIOS_BYTES: Final = 8
_FIXED_SIZES: Final = {OpaqueType.FWID: layout.FWID_BYTES, OpaqueType.NVDEC0_STATUS: 1, OpaqueType.PROTECTED_PCIE: 1}


@dataclass(frozen=True, slots=True)
class OpaqueData:
    """Fields of the opaque data; None or empty when the device does not state them.

    driver_version, vbios_version: as RIMs write them, `580.95.05` and `96.00.74.00.1A`.
    chip: of Blackwell only, as RIMs call it. fwid: of the first mutable firmware.
    nvdec0_disabled: whether the video decoder is off. feature: see layout.Feature; newer drivers only.
    pdis: see OpaqueType.PDI. gpu_pdis: of an NVSwitch, the GPUs it is linked to, as it lists them.
    """

    driver_version: str = ""
    vbios_version: str = ""
    project: str = ""
    project_sku: str = ""
    chip_sku: str = ""
    chip: str = ""
    fwid: bytes | None = None
    nvdec0_disabled: bool | None = None
    protected_pcie: bool | None = None
    feature: int | None = None
    pdis: tuple[bytes, ...] = ()
    gpu_pdis: tuple[bytes, ...] = ()


def parse_opaque(data: bytes, start: int, end: int) -> OpaqueData:
    """Read `data[start:end]`; MalformedEvidence for a field that is cut off, repeated or not of its form."""
    fields: dict[int, tuple[int, bytes]] = {}
    at = start
    while at < end:
        body = at + layout.OPAQUE_FIELD.size
        if body > end:
            raise MalformedEvidence(at, "opaque data: a field's type and size are cut off")
        kind, size = layout.OPAQUE_FIELD.unpack_from(data, at)
        if body + size > end:
            raise MalformedEvidence(at, f"opaque field {kind}: {size} bytes stated, {end - body} left")
        if kind in fields:
            raise MalformedEvidence(at, f"opaque field {kind} occurs twice")
        fields[kind] = (body, data[body : body + size])
        at = body + size
    for known, size in _FIXED_SIZES.items():
        if known in fields and len(fields[known][1]) != size:
            raise MalformedEvidence(fields[known][0], f"opaque field {known}: {size} bytes expected")
    return OpaqueData(
        driver_version=_text(fields, OpaqueType.DRIVER_VERSION),
        vbios_version=_vbios(fields),
        project=_text(fields, OpaqueType.PROJECT),
        project_sku=_text(fields, OpaqueType.PROJECT_SKU),
        chip_sku=_text(fields, OpaqueType.CHIP_SKU),
        chip=_text(fields, OpaqueType.CHIP_INFO),
        fwid=fields[OpaqueType.FWID][1] if OpaqueType.FWID in fields else None,
        nvdec0_disabled=_state(fields, OpaqueType.NVDEC0_STATUS, layout.DISABLED),
        protected_pcie=_state(fields, OpaqueType.PROTECTED_PCIE, layout.ENABLED),
        feature=_number(fields, OpaqueType.FEATURE_FLAG),
        pdis=_pdis(fields, OpaqueType.PDI),
        gpu_pdis=_pdis(fields, OpaqueType.SWITCH_GPU_PDIS)[: layout.SWITCH_GPU_SLOTS],
    )


Fields = Mapping[int, tuple[int, bytes]]
"""Type → where the value starts in the report, and the value."""


def _text(fields: Fields, kind: OpaqueType) -> str:
    offset, value = fields.get(kind, (0, b""))
    text = value.rstrip(b"\0")
    if not _TEXT.fullmatch(text):
        raise MalformedEvidence(offset, f"opaque field {kind}: up to 32 letters, digits and . _ - expected")
    return text.decode("ascii")


def _vbios(fields: Fields) -> str:
    """A GPU states its VBIOS as `00 5e 00 96 01 00 00 00` for 96.00.5E.00.01, an NVSwitch in text."""
    value = fields.get(OpaqueType.VBIOS_VERSION, (0, b""))[1]
    if len(value) != _BINARY_VBIOS_BYTES:
        return _text(fields, OpaqueType.VBIOS_VERSION).upper()
    return value[3::-1].hex(".").upper() + f".{value[4]:02X}"


def _state(fields: Fields, kind: OpaqueType, meant: int) -> bool | None:
    """Whether a field says `meant`, which is one of 55h (disabled) and AAh (enabled)."""
    if kind not in fields:
        return None
    offset, value = fields[kind]
    if value[0] not in {layout.DISABLED, layout.ENABLED}:
        raise MalformedEvidence(offset, f"opaque field {kind}: {value[0]:#04x}, 0x55 or 0xaa expected")
    return value[0] == meant


def _number(fields: Fields, kind: OpaqueType) -> int | None:
    return int.from_bytes(fields[kind][1], "little") if kind in fields else None


def _pdis(fields: Fields, kind: OpaqueType) -> tuple[bytes, ...]:
    offset, value = fields.get(kind, (0, b""))
    size = layout.PDI_BYTES
    if len(value) % size:
        raise MalformedEvidence(
            offset, f"opaque field {kind}: identifiers of {size} bytes expected, {len(value)} bytes"
        )
    return tuple(value[at : at + size] for at in range(0, len(value), size))
