"""A device's measurements against the RIMs of its driver and its VBIOS."""

from __future__ import annotations

from dataclasses import dataclass

from verifier.nvidia import DeviceKind, RimKind, VerifiedDevice
from verifier.nvidia.layout import NVDEC0_INDEX

_NEEDED = {DeviceKind.GPU: (RimKind.DRIVER, RimKind.VBIOS), DeviceKind.SWITCH: (RimKind.VBIOS,)}


@dataclass(frozen=True, slots=True)
class Comparison:
    """What came of it.

    missing: RIMs that the device needs and that were not at hand. fault: why the RIMs cannot be used together.
    different: RIM indexes, counted from 0, whose measurement is none of the golden values. compared: how many were.
    """

    missing: tuple[RimKind, ...]
    fault: str | None
    different: tuple[int, ...]
    compared: int


def compare(verified: VerifiedDevice) -> Comparison:
    """Compare every active entry of the RIMs at hand.

    RIMs count from 0, SPDM blocks from 1. Entry 35 says nothing while the video decoder is disabled.
    """
    rims, blocks = verified.rims, verified.report.measurements
    missing = tuple(kind for kind in _NEEDED[verified.device.kind] if kind not in rims)
    golden: dict[int, frozenset[bytes]] = {}
    for rim in rims.values():
        if not rim.golden:
            return Comparison(missing, f"the {rim.kind} RIM has no active measurement", (), 0)
        twice = sorted(golden.keys() & rim.golden.keys())
        if twice:
            return Comparison(missing, f"driver and VBIOS RIM both claim measurement {twice[0]}", (), 0)
        golden.update(rim.golden)
    if len(golden) > len(blocks):
        return Comparison(missing, f"{len(golden)} golden measurements, the device reported {len(blocks)}", (), 0)
    if verified.report.opaque.nvdec0_disabled:
        golden.pop(NVDEC0_INDEX, None)
    different = [
        index for index, values in golden.items() if index + 1 not in blocks or blocks[index + 1].value not in values
    ]
    return Comparison(missing, None, tuple(sorted(different)), len(golden))
