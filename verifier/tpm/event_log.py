"""The event log of a TPM: what was measured into each PCR, and whether that is what a quote says.

Sources: TCG, "PC Client Platform Firmware Profile", section 10 (TCG_PCR_EVENT, TCG_PCR_EVENT2, Spec ID event,
StartupLocality) and 3.3.2 (separators). The log is the host's word: only what replays to quoted PCRs counts.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from verifier.errors import MalformedEvidence, VerificationFailed
from verifier.tpm import layout
from verifier.tpm.verification import VerifiedTpmQuote

MAX_LOG_BYTES: Final = 1_048_576
"""Four times the area that firmware reserves."""

EV_NO_ACTION: Final = 0x00000003
"""An event that is in the log only: nothing is extended."""
EV_SEPARATOR: Final = 0x00000004
"""The end of what firmware measures into a PCR before it hands over."""

FIRMWARE_REGISTERS: Final = range(8)
"""PCRs that firmware extends and closes with one separator each (3.3.4)."""

_DYNAMIC_REGISTERS: Final = range(17, 23)
"""PCRs that start as all ones until a dynamic launch (PC Client Platform TPM Profile, 4.6.1)."""
_SEPARATORS: Final = frozenset({bytes(4), b"\xff" * 4})
"""Data of a separator of a boot without an error (10.4.1)."""
_STARTUP_LOCALITY: Final = b"StartupLocality\0"
_LOCALITIES: Final = frozenset({0, 3, 4})
_SPEC_SIGNATURE: Final = b"Spec ID Event03\0"
_FIRST: Final = struct.Struct("<II20sI")
_SPEC_ID: Final = struct.Struct("<16sIBBBBI")
_ALGORITHM: Final = struct.Struct("<HH")
_EVENT: Final = struct.Struct("<III")
_MAX_ALGORITHMS: Final = 8


class Event(NamedTuple):
    """One event. register: PCR. digests: bank → digest. offset: in the log."""

    offset: int
    register: int
    kind: int
    digests: Mapping[int, bytes]
    data: bytes


@dataclass(frozen=True, slots=True)
class EventLog:
    """A parsed log. banks: the hash algorithms of its digests that are known; locality: that of TPM2_Startup."""

    events: tuple[Event, ...]
    banks: frozenset[int]
    locality: int

    def extended(self) -> Iterable[Event]:
        """The events that were extended into a PCR."""
        return (event for event in self.events if event.kind != EV_NO_ACTION)


def parse(data: bytes) -> EventLog:
    """Read a log, crypto-agile or of SHA-1 only; MalformedEvidence with the offset for anything else.

    Bytes after the last event must all be FF, or all 00, as in the area that firmware reserves.
    """
    if len(data) > MAX_LOG_BYTES:
        raise MalformedEvidence(MAX_LOG_BYTES, f"event log: {len(data)} bytes, at most {MAX_LOG_BYTES}")
    data = bytes(data)
    sizes, at = _specification(data)
    end = _end(data)
    events = []
    while at < end:
        event, at = _event(data, at, sizes) if sizes else _sha1_event(data, at)
        events.append(event)
    banks = frozenset(sizes) & frozenset(layout.HASH_NAMES) if sizes else frozenset({layout.SHA1})
    return EventLog(tuple(events), banks, _locality(events))


def replay(log: EventLog, bank: int) -> dict[int, bytes]:
    """Each PCR of `bank` as the log's events leave it: PCR = hash(PCR ‖ digest)."""
    name, size = layout.HASH_NAMES[bank], layout.HASH_BYTES[bank]
    values = {
        register: (b"\xff" if register in _DYNAMIC_REGISTERS else b"\0") * size for register in range(layout.PCR_COUNT)
    }
    values[0] = log.locality.to_bytes(size, "big")
    for event in log.extended():
        values[event.register] = hashlib.new(name, values[event.register] + event.digests[bank]).digest()
    return values


def verify(log: EventLog, verified: VerifiedTpmQuote, bank: int = layout.SHA256) -> tuple[Event, ...]:
    """The events that a genuine quote attests; VerificationFailed unless they replay to its PCRs.

    Of the quoted PCRs those must replay that the log extends, and all that firmware extends; what else the system
    extended later is not in this log. Events of PCRs that are not quoted are left out: nothing vouches for them.
    """
    name, quoted = layout.HASH_NAMES[bank], verified.pcrs.get(bank, {})
    if bank not in log.banks or not quoted:
        where = "log" if bank not in log.banks else "quote"
        raise VerificationFailed("event-log.bank", f"the {where} has no {name} bank")
    attested = tuple(event for event in log.extended() if event.register in quoted)
    _check_separators(attested, quoted, bank)
    measured = {event.register for event in attested}
    replayed = replay(log, bank)
    for register, value in sorted(quoted.items()):
        if (register in measured or register in FIRMWARE_REGISTERS) and replayed[register] != value:
            raise VerificationFailed(
                f"event-log.pcr{register}",
                f"the log replays to {replayed[register][:8].hex()}…, the quote has {value[:8].hex()}…",
            )
    return attested


def _check_separators(events: Iterable[Event], quoted: Iterable[int], bank: int) -> None:
    """Exactly one in each PCR of the firmware, so that nothing later can pass for the firmware's."""
    found = {register: 0 for register in quoted if register in FIRMWARE_REGISTERS}
    for event in events:
        if event.kind != EV_SEPARATOR or event.register not in found:
            continue
        found[event.register] += 1
        measured = hashlib.new(layout.HASH_NAMES[bank], event.data).digest()
        if event.data not in _SEPARATORS or measured != event.digests[bank]:
            raise VerificationFailed(
                "event-log.separator", f"the separator at byte {event.offset} is not what was measured, or an error's"
            )
    for register, count in sorted(found.items()):
        if count != 1:
            raise VerificationFailed("event-log.separator", f"PCR {register} has {count} separators, 1 expected")


def _locality(events: Iterable[Event]) -> int:
    """The locality of TPM2_Startup, with which PCR 0 starts (10.4.5.3); 0 when the log does not say."""
    for event in events:
        if event.kind != EV_NO_ACTION or not event.data.startswith(_STARTUP_LOCALITY):
            continue
        locality = event.data[len(_STARTUP_LOCALITY) :]
        if event.register != 0 or len(locality) != 1 or locality[0] not in _LOCALITIES:
            raise MalformedEvidence(event.offset, "StartupLocality: PCR 0 and one byte, 0, 3 or 4, expected")
        return locality[0]
    return 0


def _specification(data: bytes) -> tuple[dict[int, int], int]:
    """Algorithm → digest size from the first event (10.4.5.1), and where the rest starts; none for a SHA-1 log."""
    _require(data, 0, _FIRST.size, "first event")
    _register, kind, _digest, size = _FIRST.unpack_from(data)
    start = _FIRST.size
    _require(data, start, size, "data of the first event")
    if not data.startswith(_SPEC_SIGNATURE, start):
        return {}, 0
    end = start + size
    if kind != EV_NO_ACTION or size < _SPEC_ID.size:
        raise MalformedEvidence(0, "Spec ID event: a longer event of type EV_NO_ACTION expected")
    count = _SPEC_ID.unpack_from(data, start)[-1]
    at = start + _SPEC_ID.size
    if not 1 <= count <= _MAX_ALGORITHMS or at + count * _ALGORITHM.size + 1 > end:
        raise MalformedEvidence(at - 4, f"Spec ID event: {count} algorithms do not fit")
    sizes: dict[int, int] = {}
    for _ in range(count):
        algorithm, digest_size = _ALGORITHM.unpack_from(data, at)
        if algorithm in sizes or digest_size != layout.HASH_BYTES.get(algorithm, digest_size):
            raise MalformedEvidence(at, f"algorithm {algorithm:#x} is listed twice, or with a wrong size")
        sizes[algorithm] = digest_size
        at += _ALGORITHM.size
    if at + 1 + data[at] != end:
        raise MalformedEvidence(at, "Spec ID event: the vendor information does not end with the event")
    return sizes, end


def _event(data: bytes, start: int, sizes: Mapping[int, int]) -> tuple[Event, int]:
    """The TCG_PCR_EVENT2 at `start` (10.2.2), and where the next one starts."""
    _require(data, start, _EVENT.size, "event")
    register, kind, count = _EVENT.unpack_from(data, start)
    _check_register(start, register, kind)
    at = start + _EVENT.size
    if count != len(sizes):
        raise MalformedEvidence(at - 4, f"{count} digests, {len(sizes)} are announced by the Spec ID event")
    digests: dict[int, bytes] = {}
    for _ in range(count):
        _require(data, at, 2, "digest algorithm")
        algorithm = int.from_bytes(data[at : at + 2], "little")
        if algorithm not in sizes or algorithm in digests:
            raise MalformedEvidence(at, f"digest algorithm {algorithm:#x} is not announced, or occurs twice")
        at += 2
        _require(data, at, sizes[algorithm], "digest")
        digests[algorithm] = data[at : at + sizes[algorithm]]
        at += sizes[algorithm]
    _require(data, at, 4, "size of the event's data")
    size = int.from_bytes(data[at : at + 4], "little")
    at += 4
    _require(data, at, size, "event data")
    return Event(start, register, kind, digests, data[at : at + size]), at + size


def _sha1_event(data: bytes, start: int) -> tuple[Event, int]:
    """The TCG_PCR_EVENT at `start` (10.2.1), and where the next one starts."""
    _require(data, start, _FIRST.size, "event")
    register, kind, digest, size = _FIRST.unpack_from(data, start)
    _check_register(start, register, kind)
    at = start + _FIRST.size
    _require(data, at, size, "event data")
    return Event(start, register, kind, {layout.SHA1: digest}, data[at : at + size]), at + size


def _check_register(start: int, register: int, kind: int) -> None:
    if register >= layout.PCR_COUNT and kind != EV_NO_ACTION:
        raise MalformedEvidence(start, f"PCR {register}; 0 to {layout.PCR_COUNT - 1} can be extended")


def _end(data: bytes) -> int:
    """Where a run of FF or of 00 begins that reaches to the end: an event that begins there is none.

    Firmware leaves the rest of the area so. Events may themselves end with such bytes, and then reach into the run.
    """
    return min(len(data.rstrip(filler)) for filler in (b"\xff", b"\x00"))


def _require(data: bytes, start: int, size: int, what: str) -> None:
    if start + size > len(data):
        raise MalformedEvidence(start, f"{what}: {size} bytes expected, {len(data) - start} left")
