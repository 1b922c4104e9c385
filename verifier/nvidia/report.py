"""Bytes → report. Parsing is total: any bytes give a report or MalformedEvidence, and nothing is judged here."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from verifier.errors import MalformedEvidence
from verifier.nvidia import layout
from verifier.nvidia.opaque import OpaqueData, parse_opaque


class Measurement(NamedTuple):
    """One measurement. kind: DMTF measurement type, bit 7 set for a raw value; value: usually SHA-384."""

    kind: int
    value: bytes


@dataclass(frozen=True, slots=True)
class DeviceReport:
    """What a device answered to GET_MEASUREMENTS, with the request it answered.

    nonce: of the requester. slot: whose key signed. measurements: index from 1 → measurement.
    responder_nonce: the device's own. signed: request and response but for the signature, which is r ‖ s.
    padding: number of zero bytes after the report; NVML's buffer may leave some.
    """

    nonce: bytes
    slot: int
    measurements: Mapping[int, Measurement]
    responder_nonce: bytes
    opaque: OpaqueData
    signed: bytes
    signature: bytes
    padding: int

    def annotations(self) -> dict[str, str | int]:
        """The fields that a person or a policy may ask for; what the device does not state is left out.

        The measurements are in there by the hash of what was signed only: results of eight GPUs must stay small.
        """
        opaque = self.opaque
        stated: dict[str, str | int | None] = {
            "nonce": self.nonce.hex(),
            "driver_version": opaque.driver_version or None,
            "vbios_version": opaque.vbios_version or None,
            "project": opaque.project or None,
            "project_sku": opaque.project_sku or None,
            "chip_sku": opaque.chip_sku or None,
            "chip": opaque.chip or None,
            "fwid": opaque.fwid.hex() if opaque.fwid else None,
            "feature": opaque.feature,
            "measurements": len(self.measurements),
            "signed_sha256": hashlib.sha256(self.signed).hexdigest(),
        }
        return {name: value for name, value in stated.items() if value is not None}


def is_report(data: bytes) -> bool:
    """Whether bytes start as these reports do, for whoever must tell kinds of evidence apart."""
    return data[:2] == bytes((layout.SPDM_11, layout.GET_MEASUREMENTS))


def parse(data: bytes) -> DeviceReport:
    """Read one report: the request of 37 bytes, then the response; zero bytes may follow it.

    Raises MalformedEvidence with the offset: a message that is not SPDM 1.1's or does not answer the request, a
    length that does not exactly fit the one around it, a repeated block or field, anything but zeros at the end.
    """
    data = bytes(data)
    if len(data) > layout.MAX_REPORT_BYTES:
        raise MalformedEvidence(
            layout.MAX_REPORT_BYTES, f"a report has at most {layout.MAX_REPORT_BYTES} bytes, {len(data)} given"
        )
    nonce, slot = _request(data)
    record, count, record_end = _response(data, slot)
    measurements = _blocks(data, record, count, record_end)
    opaque_length = record_end + layout.NONCE_BYTES
    opaque = opaque_length + layout.OPAQUE_LENGTH.size
    _require(data, record_end, opaque - record_end, "nonce of the responder and length of the opaque data")
    (size,) = layout.OPAQUE_LENGTH.unpack_from(data, opaque_length)
    signature = opaque + size
    end = signature + layout.SIGNATURE_BYTES
    _require(data, opaque, end - opaque, "opaque data and signature")
    padding = len(data) - end
    if data.count(0, end) != padding:
        offset = next(at for at in range(end, len(data)) if data[at])
        raise MalformedEvidence(offset, "only zeros may follow a report")
    return DeviceReport(
        nonce=nonce,
        slot=slot,
        measurements=measurements,
        responder_nonce=data[record_end:opaque_length],
        opaque=parse_opaque(data, opaque, signature),
        signed=data[:signature],
        signature=data[signature:end],
        padding=padding,
    )


def _request(data: bytes) -> tuple[bytes, int]:
    """Nonce and slot of the request."""
    _require(data, 0, layout.REQUEST.size, "request")
    version, code, signature, which, nonce, slot = layout.REQUEST.unpack_from(data)
    for offset, what, found, expected in (
        (0, "SPDM version of the request", version, layout.SPDM_11),
        (1, "code of the request", code, layout.GET_MEASUREMENTS),
        (2, "param1 (signature requested)", signature, layout.SIGNATURE_REQUESTED),
        (3, "param2 (all measurements)", which, layout.ALL_MEASUREMENTS),
    ):
        _require_value(offset, what, found, expected)
    return nonce, slot


def _response(data: bytes, slot: int) -> tuple[int, int, int]:
    """Where the measurement record starts, how many blocks it has, and where it ends."""
    start = layout.REQUEST.size
    _require(data, start, layout.RESPONSE.size, "response")
    version, code, _param1, param2, count, low, high = layout.RESPONSE.unpack_from(data, start)
    _require_value(start, "SPDM version of the response", version, layout.SPDM_11)
    _require_value(start + 1, "code of the response", code, layout.MEASUREMENTS)
    _require_value(start + 3, "slot of the response", param2 & layout.SLOT_MASK, slot)
    record, size = start + layout.RESPONSE.size, low | high << 16
    _require(data, record, size, "measurement record")
    return record, count, record + size


def _blocks(data: bytes, start: int, count: int, end: int) -> dict[int, Measurement]:
    found: dict[int, Measurement] = {}
    at, head = start, layout.BLOCK
    for _ in range(count):
        value = at + head.size
        if value > end:
            raise MalformedEvidence(at, f"measurement {len(found) + 1} of {count}: the block is cut off")
        index, specification, size, kind, value_size = head.unpack_from(data, at)
        if specification != layout.DMTF:
            raise MalformedEvidence(at + 1, f"measurement {index}: specification {specification:#04x}, 0x01 expected")
        if size != value_size + layout.DMTF_HEADER_BYTES or value + value_size > end:
            raise MalformedEvidence(at + 2, f"measurement {index}: sizes {size} and {value_size} do not fit")
        if not index or index in found:
            raise MalformedEvidence(at, f"measurement index {index} is zero or occurs twice")
        at = value + value_size
        found[index] = Measurement(kind, data[value:at])
    if at != end:
        raise MalformedEvidence(at, f"{end - at} bytes follow the {count} measurements")
    return found


def _require(data: bytes, start: int, size: int, what: str) -> None:
    if start + size > len(data):
        raise MalformedEvidence(len(data), f"{what}: {size} bytes expected, {max(0, len(data) - start)} left")


def _require_value(offset: int, what: str, found: int, expected: int) -> None:
    if found != expected:
        raise MalformedEvidence(offset, f"{what}: {found:#04x}, {expected:#04x} expected")
