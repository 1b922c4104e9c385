"""A strict reader of DER (X.690): definite, minimal lengths, low tag numbers, nothing left over.

It exists because every genuine VCEK and VLEK has serial number 0, which RFC 5280 (4.1.2.2) forbids and
certificate libraries announce that they will refuse; what the verifier needs of a certificate must not depend
on that. It walks, it does not recurse: nesting is as deep as the caller's code.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import Final, NamedTuple

from verifier.errors import MalformedEvidence

BOOLEAN: Final = 0x01
INTEGER: Final = 0x02
BIT_STRING: Final = 0x03
OCTET_STRING: Final = 0x04
NULL: Final = 0x05
OBJECT_IDENTIFIER: Final = 0x06
UTF8_STRING: Final = 0x0C
PRINTABLE_STRING: Final = 0x13
IA5_STRING: Final = 0x16
UTC_TIME: Final = 0x17
GENERALIZED_TIME: Final = 0x18
SEQUENCE: Final = 0x30
SET: Final = 0x31

_LONG_LENGTH: Final = 0x80
_MAX_LENGTH_BYTES: Final = 4
_HIGH_TAG_NUMBER: Final = 0x1F
_MAX_NUMBER_BYTES: Final = 128
"""Of an INTEGER or OBJECT IDENTIFIER; serial numbers have up to 20 octets (RFC 5280, 4.1.2.2). What is longer than
that could not even be named in a message: Python refuses to print such numbers."""


def context(number: int) -> int:
    """Identifier octet of the constructed context-specific tag [number] (X.690, 8.1.2)."""
    return 0xA0 | number


class Element(NamedTuple):
    """One DER value: where it starts, where its contents start and end, in bytes of `data`."""

    data: bytes
    tag: int
    start: int
    body: int
    end: int

    @property
    def encoded(self) -> bytes:
        """Identifier, length and contents octets."""
        return self.data[self.start : self.end]

    @property
    def contents(self) -> bytes:
        """Contents octets only."""
        return self.data[self.body : self.end]

    def inside(self) -> Reader:
        """A reader over the contents of a constructed value."""
        return Reader(self.data, self.body, self.end)


class Reader:
    """Reads the values of `data[start:end]` one after the other."""

    __slots__ = ("_at", "_data", "_end")

    def __init__(self, data: bytes, start: int = 0, end: int | None = None) -> None:
        self._data = data
        self._at = start
        self._end = len(data) if end is None else end

    @property
    def at(self) -> int:
        """Offset of the next value."""
        return self._at

    def next_is(self, tag: int) -> bool:
        """Whether a value with this tag follows."""
        return self._at < self._end and self._data[self._at] == tag

    def more(self) -> bool:
        """Whether any value follows."""
        return self._at < self._end

    def read(self, tag: int, what: str) -> Element:
        """The next value, which must have `tag`; `what` names it in errors."""
        element = self.read_any(what)
        if element.tag != tag:
            raise MalformedEvidence(element.start, f"{what}: DER tag {element.tag:#04x} found, {tag:#04x} expected")
        return element

    def read_any(self, what: str) -> Element:
        """The next value, whatever its tag."""
        start, end = self._at, self._end
        if end - start < 2:
            raise MalformedEvidence(start, f"{what}: missing or cut off")
        tag, length = self._data[start], self._data[start + 1]
        if tag & _HIGH_TAG_NUMBER == _HIGH_TAG_NUMBER:
            raise MalformedEvidence(start, f"{what}: a multi-byte tag is not expected here")
        body = start + 2
        if length >= _LONG_LENGTH:
            octets = length - _LONG_LENGTH
            if not 1 <= octets <= _MAX_LENGTH_BYTES or body + octets > end:
                raise MalformedEvidence(start + 1, f"{what}: indefinite, oversized or cut-off length")
            length = int.from_bytes(self._data[body : body + octets], "big")
            if length < _LONG_LENGTH or length >> 8 * (octets - 1) == 0:
                raise MalformedEvidence(start + 1, f"{what}: length is not in its shortest form")
            body += octets
        if length > end - body:
            raise MalformedEvidence(start, f"{what}: {length} bytes announced, {end - body} left")
        self._at = body + length
        return Element(self._data, tag, start, body, self._at)

    def finish(self, what: str) -> None:
        """Refuse anything after the last value read."""
        if self._at != self._end:
            raise MalformedEvidence(self._at, f"{what}: {self._end - self._at} bytes too many")


def integer(element: Element, what: str) -> int:
    """Value of an INTEGER in its shortest form (X.690, 8.3.2)."""
    contents = _number(element, what)
    if not contents or (len(contents) > 1 and (contents[0], contents[1] >> 7) in {(0x00, 0), (0xFF, 1)}):
        raise MalformedEvidence(element.start, f"{what}: INTEGER is empty or not in its shortest form")
    return int.from_bytes(contents, "big", signed=True)


def boolean(element: Element, what: str) -> bool:
    """Value of a BOOLEAN, 00 or FF (X.690, 11.1)."""
    if element.contents not in {b"\x00", b"\xff"}:
        raise MalformedEvidence(element.start, f"{what}: BOOLEAN is neither 00 nor FF")
    return element.contents == b"\xff"


def bit_string(element: Element, what: str) -> bytes:
    """Octets of a BIT STRING without unused bits: keys and signatures."""
    contents = element.contents
    if not contents or contents[0] != 0:
        raise MalformedEvidence(element.start, f"{what}: BIT STRING is empty or has unused bits")
    return contents[1:]


def object_identifier(element: Element, what: str) -> str:
    """Dotted form of an OBJECT IDENTIFIER (X.690, 8.19)."""
    contents = _number(element, what)
    if not contents or contents[-1] & 0x80:
        raise MalformedEvidence(element.start, f"{what}: OBJECT IDENTIFIER is empty or cut off")
    dotted = _dotted(contents)
    if dotted is None:
        raise MalformedEvidence(element.start, f"{what}: OBJECT IDENTIFIER is not in its shortest form")
    return dotted


@lru_cache(maxsize=256)
def _dotted(contents: bytes) -> str | None:
    """Dotted form; None when an arc is not in its shortest form. Remembered, as certificates say the same few."""
    arcs: list[int] = []
    value = 0
    fresh = True
    for octet in contents:
        if fresh and octet == 0x80:
            return None
        value = value << 7 | octet & 0x7F
        fresh = not octet & 0x80
        if fresh:
            arcs.append(value)
            value = 0
    first = min(arcs[0] // 40, 2)
    return ".".join(map(str, (first, arcs[0] - 40 * first, *arcs[1:])))


def _number(element: Element, what: str) -> bytes:
    size = element.end - element.body
    if size > _MAX_NUMBER_BYTES:
        raise MalformedEvidence(element.start, f"{what}: {size} octets, at most {_MAX_NUMBER_BYTES} make sense")
    return element.contents


def time(element: Element, what: str) -> datetime:
    """A UTCTime or GeneralizedTime as RFC 5280 (4.1.2.5) allows them: seconds present, Z, no fraction."""
    text = element.contents
    if element.tag == UTC_TIME and len(text) == 13:
        text = (b"19" if text[:2] >= b"50" else b"20") + text
    elif element.tag != GENERALIZED_TIME or len(text) != 15:
        raise MalformedEvidence(element.start, f"{what}: not a time of the form YYMMDDHHMMSSZ")
    digits = text[:14]
    if not digits.isdigit() or text[14:] != b"Z":
        raise MalformedEvidence(element.start, f"{what}: not a time of the form YYMMDDHHMMSSZ")
    year, month, day = int(digits[:4]), int(digits[4:6]), int(digits[6:8])
    try:
        return datetime(year, month, day, int(digits[8:10]), int(digits[10:12]), int(digits[12:]), tzinfo=UTC)
    except ValueError:
        raise MalformedEvidence(element.start, f"{what}: {digits.decode()} is no date") from None
