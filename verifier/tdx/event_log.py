"""The event log of a TD (CCEL): what was measured into each RTMR, and whether that is what the quote says.

Sources: TCG, "PC Client Platform Firmware Profile", section 10.2 (crypto-agile log: TCG_PCR_EVENT, then
TCG_PCR_EVENT2); UEFI 2.10, 38.4.1 (measurement register index n + 1 is RTMR n); Intel, "Guest-Host-Communication
Interface for TDX", section 4.3 (CCEL). The log is the host's word: only what replays to the quote's RTMRs counts.
"""

from __future__ import annotations

import hashlib
import struct
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

from verifier.errors import MalformedEvidence, VerificationFailed
from verifier.tdx.layout import RTMR_COUNT
from verifier.tdx.quote import TdReport

MAX_LOG_BYTES: Final = 1_048_576
"""Four times the area that firmware reserves."""

EV_NO_ACTION: Final = 0x00000003
"""An event that is in the log only: nothing is extended."""
EV_SEPARATOR: Final = 0x00000004
"""The end of what firmware measures into a register before it hands over."""

SHA384: Final = 0x000C
SHA384_BYTES: Final = 48

_FIRST: Final = struct.Struct("<II20sI")
_SPEC_ID: Final = struct.Struct("<16sIBBBBI")
_SPEC_SIGNATURE: Final = b"Spec ID Event03\0"
_ALGORITHM: Final = struct.Struct("<HH")
_EVENT: Final = struct.Struct("<III")
_U16: Final = struct.Struct("<H")
_U32: Final = struct.Struct("<I")
_MAX_ALGORITHMS: Final = 8
_REPEATED: Final = 2


class Event(NamedTuple):
    """One event. register: measurement register as UEFI counts, 1 is RTMR0. digest: SHA-384. offset: in the log."""

    offset: int
    register: int
    kind: int
    digest: bytes
    data: bytes


@dataclass(frozen=True, slots=True)
class EventLog:
    """A parsed log. padding: number of bytes, all FF or all 00, after the last event."""

    events: tuple[Event, ...]
    padding: int

    def extended(self) -> Iterable[Event]:
        """The events that were extended into a register."""
        return (event for event in self.events if event.kind != EV_NO_ACTION)

    def of(self, register: int) -> tuple[Event, ...]:
        """What was extended into RTMR `register`, in order."""
        return tuple(event for event in self.extended() if event.register == register + 1)


def parse(data: bytes) -> EventLog:
    """Read the log area of a CCEL table; MalformedEvidence with the offset for anything else."""
    if len(data) > MAX_LOG_BYTES:
        raise MalformedEvidence(MAX_LOG_BYTES, f"event log: {len(data)} bytes, at most {MAX_LOG_BYTES}")
    data = bytes(data)
    sizes, at = _specification(data)
    events = []
    while at < len(data) and not _is_padding(data, at):
        event, at = _event(data, at, sizes)
        events.append(event)
    return EventLog(tuple(events), len(data) - at)


def replay(log: EventLog) -> tuple[bytes, ...]:
    """RTMR0 to RTMR3 as the log's events leave them, each from zeros: RTMR = SHA-384(RTMR ‖ digest)."""
    registers = [bytes(SHA384_BYTES)] * RTMR_COUNT
    for event in log.extended():
        register = event.register - 1
        registers[register] = hashlib.sha384(registers[register] + event.digest).digest()
    return tuple(registers)


def verify(log: EventLog, report: TdReport, *, separators: int = 1) -> None:
    """VerificationFailed unless the log replays to the RTMRs of a verified quote's report.

    separators: how many EV_SEPARATORs a register may have; with more than one, which events came before the
    firmware handed over is ambiguous. Some Google firmware repeats it.
    """
    counted = Counter(event.register for event in log.extended() if event.kind == EV_SEPARATOR)
    for index, count in sorted(counted.items()):
        if count > separators:
            raise VerificationFailed(
                "event-log.separator", f"RTMR{index - 1} has {count} separators, at most {separators} are accepted"
            )
    for event in log.extended():
        if event.kind == EV_SEPARATOR and hashlib.sha384(event.data).digest() != event.digest:
            raise VerificationFailed(
                "event-log.separator", f"the separator at byte {event.offset} is not what was measured"
            )
    for register, (replayed, quoted) in enumerate(zip(replay(log), report.rtmrs, strict=True)):
        if replayed != quoted:
            raise VerificationFailed(
                f"event-log.rtmr{register}",
                f"the log replays to {replayed[:8].hex()}…, the quote has {quoted[:8].hex()}…",
            )


def attested_events(log: EventLog, report: TdReport) -> int:
    """How many events a verified quote's report attests; VerificationFailed unless the log replays to its RTMRs.

    A register may have its separator twice: nothing is concluded from where in the log an event is.
    """
    verify(log, report, separators=_REPEATED)
    return sum(1 for _ in log.extended())


def _specification(data: bytes) -> tuple[dict[int, int], int]:
    """Algorithm → digest size, from the first event (10.2.1, 10.4.5.1), and where the second one starts."""
    _require(data, 0, _FIRST.size, "first event")
    _index, kind, _digest, size = _FIRST.unpack_from(data)
    start = _FIRST.size
    _require(data, start, size, "Spec ID event")
    end = start + size
    if kind != EV_NO_ACTION or size < _SPEC_ID.size or not data.startswith(_SPEC_SIGNATURE, start):
        raise MalformedEvidence(0, "the first event is not a Spec ID Event03: no crypto-agile log")
    count = _SPEC_ID.unpack_from(data, start)[-1]
    at = start + _SPEC_ID.size
    if not 1 <= count <= _MAX_ALGORITHMS or at + count * _ALGORITHM.size + 1 > end:
        raise MalformedEvidence(at - 4, f"Spec ID event: {count} algorithms do not fit")
    sizes: dict[int, int] = {}
    for number in range(count):
        algorithm, digest_size = _ALGORITHM.unpack_from(data, at + number * _ALGORITHM.size)
        if algorithm in sizes:
            raise MalformedEvidence(at + number * _ALGORITHM.size, f"algorithm {algorithm:#x} is listed twice")
        sizes[algorithm] = digest_size
    if sizes.get(SHA384) != SHA384_BYTES:
        raise MalformedEvidence(at, "the log has no SHA-384 digests")
    at += count * _ALGORITHM.size
    if at + 1 + data[at] != end:
        raise MalformedEvidence(at, "Spec ID event: the vendor information does not end with the event")
    return sizes, end


def _event(data: bytes, start: int, sizes: dict[int, int]) -> tuple[Event, int]:
    """The TCG_PCR_EVENT2 at `start` (10.2.2), and where the next one starts."""
    _require(data, start, _EVENT.size, "event")
    index, kind, count = _EVENT.unpack_from(data, start)
    if not 1 <= index <= RTMR_COUNT and kind != EV_NO_ACTION:
        raise MalformedEvidence(start, f"measurement register {index}; 1 to {RTMR_COUNT} can be extended")
    at = start + _EVENT.size
    if count != len(sizes):
        raise MalformedEvidence(at - 4, f"{count} digests, {len(sizes)} are announced by the Spec ID event")
    digests: dict[int, bytes] = {}
    for _ in range(count):
        _require(data, at, _U16.size, "digest")
        (algorithm,) = _U16.unpack_from(data, at)
        if algorithm not in sizes or algorithm in digests:
            raise MalformedEvidence(at, f"digest algorithm {algorithm:#x} is not announced, or occurs twice")
        at += _U16.size
        _require(data, at, sizes[algorithm], "digest")
        digests[algorithm] = data[at : at + sizes[algorithm]]
        at += sizes[algorithm]
    _require(data, at, _U32.size, "size of the event's data")
    (size,) = _U32.unpack_from(data, at)
    at += _U32.size
    _require(data, at, size, "event data")
    return Event(start, index, kind, digests[SHA384], data[at : at + size]), at + size


def _is_padding(data: bytes, at: int) -> bool:
    """Whether the log ends at `at`: firmware leaves the rest of the area FF or 00."""
    filler = data[at : at + 1]
    if filler not in {b"\xff", b"\x00"} or data[at : at + _EVENT.size].strip(filler):
        return False
    return data.count(filler, at) == len(data) - at


def _require(data: bytes, start: int, size: int, what: str) -> None:
    if start + size > len(data):
        raise MalformedEvidence(start, f"{what}: {size} bytes expected, {len(data) - start} left")
