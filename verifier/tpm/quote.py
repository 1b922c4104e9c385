"""Bytes → quote. Parsing is total: any bytes give a quote or MalformedEvidence, and nothing is judged here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from verifier.errors import MalformedEvidence
from verifier.tpm import layout
from verifier.tpm.reader import Reader


class PcrSelection(NamedTuple):
    """PCRs of one bank (TPMS_PCR_SELECTION). bank: hash algorithm. registers: indexes, ascending."""

    bank: int
    registers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class TpmQuote:
    """A TPMS_ATTEST of type quote (part 2, 10.12.12).

    qualified_signer: the signing key's qualified name. extra_data: the nonce that the caller gave.
    clock: milliseconds that the TPM was powered; safe: whether it never went back. resets, restarts: counters.
    firmware_version: as the vendor numbers. pcr_digest: hash over the selected PCRs.
    signed: the whole structure, the bytes that the signature covers.
    """

    qualified_signer: bytes
    extra_data: bytes
    clock: int
    resets: int
    restarts: int
    safe: bool
    firmware_version: int
    selection: tuple[PcrSelection, ...]
    pcr_digest: bytes
    signed: bytes

    def annotations(self) -> dict[str, str | int]:
        """Every field: numbers as they are, bytes in hex, selections as `sha256:0,1,2`."""
        selections = (
            f"{layout.HASH_NAMES[bank]}:{','.join(map(str, registers))}" for bank, registers in self.selection
        )
        return {
            "qualified_signer": self.qualified_signer.hex(),
            "extra_data": self.extra_data.hex(),
            "clock": self.clock,
            "resets": self.resets,
            "restarts": self.restarts,
            "safe": int(self.safe),
            "firmware_version": self.firmware_version,
            "pcr_selection": " ".join(selections),
            "pcr_digest": self.pcr_digest.hex(),
        }


def parse(data: bytes) -> TpmQuote:
    """Read one TPMS_ATTEST that is a quote, and nothing after it.

    Raises MalformedEvidence with the offset: another magic number or type, a size beyond its limit, a bank that is
    not known or occurs twice, a PCR that does not exist, a length that does not fit.
    """
    if len(data) > layout.MAX_QUOTE_BYTES:
        raise MalformedEvidence(
            layout.MAX_QUOTE_BYTES, f"a TPM quote has at most {layout.MAX_QUOTE_BYTES} bytes, {len(data)} given"
        )
    data = bytes(data)
    reader = Reader(data, "TPM quote")
    magic = reader.number(4, "magic number")
    if magic != layout.GENERATED:
        raise MalformedEvidence(0, f"magic number {magic:#010x}, 0xff544347 (made by a TPM) expected")
    kind = reader.number(2, "type")
    if kind != layout.ATTEST_QUOTE:
        raise MalformedEvidence(4, f"attestation of type {kind:#06x}, 0x8018 (quote) expected")
    signer = reader.sized(layout.MAX_NAME_BYTES, "qualified signer")
    extra_data = reader.sized(layout.MAX_NAME_BYTES, "extra data")
    clock = reader.number(8, "clock")
    resets, restarts = reader.number(4, "reset count"), reader.number(4, "restart count")
    safe = _flag(reader)
    firmware = reader.number(8, "firmware version")
    selection = _selections(reader)
    digest = reader.sized(layout.MAX_DIGEST_BYTES, "PCR digest")
    reader.finish()
    return TpmQuote(signer, extra_data, clock, resets, restarts, safe, firmware, selection, digest, data)


def _flag(reader: Reader) -> bool:
    """TPMI_YES_NO (9.2)."""
    at, value = reader.at, reader.number(1, "safe")
    if value > 1:
        raise MalformedEvidence(at, f"safe is {value}, 0 or 1 expected")
    return bool(value)


def _selections(reader: Reader) -> tuple[PcrSelection, ...]:
    """TPML_PCR_SELECTION (10.9.7)."""
    at, count = reader.at, reader.number(4, "number of PCR selections")
    if count > layout.MAX_BANKS:
        raise MalformedEvidence(at, f"{count} PCR selections, at most {layout.MAX_BANKS} are possible")
    found: list[PcrSelection] = []
    for _ in range(count):
        at, bank = reader.at, reader.number(2, "PCR bank")
        if bank not in layout.HASH_NAMES or any(bank == other.bank for other in found):
            raise MalformedEvidence(at, f"PCR bank {bank:#06x} is not known, or is selected twice")
        found.append(PcrSelection(bank, _registers(reader)))
    return tuple(found)


def _registers(reader: Reader) -> tuple[int, ...]:
    """The bit map of a TPMS_PCR_SELECTION (10.6.2): bit n of byte m selects PCR 8m + n."""
    at, size = reader.at, reader.number(1, "size of the PCR selection")
    if size > layout.MAX_SELECT_BYTES:
        raise MalformedEvidence(at, f"a PCR selection of {size} bytes, at most {layout.MAX_SELECT_BYTES} are possible")
    bits = int.from_bytes(reader.take(size, "PCR selection"), "little")
    if bits >> layout.PCR_COUNT:
        raise MalformedEvidence(at, f"PCR {bits.bit_length() - 1} is selected, 0 to {layout.PCR_COUNT - 1} exist")
    return tuple(register for register in range(layout.PCR_COUNT) if bits >> register & 1)
