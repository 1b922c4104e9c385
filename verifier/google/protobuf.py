"""The wire format of Protocol Buffers, read strictly: what Google's evidence needs, and no library for it.

Google's `protobuf` package would be a second copy of what these lines do, merges what occurs twice, and would bind the
verifier to the version that Pulumi's SDK brings. Source: "Encoding", https://protobuf.dev/programming-guides/encoding.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from verifier.errors import MalformedEvidence

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_FIXED_BYTES: Final = {_FIXED64: 8, _FIXED32: 4}
_MAX_VARINT_BYTES: Final = 10
_MAX_UINT: Final = (1 << 64) - 1


class Message:
    """The fields of one message; those of fixed width are skipped, unknown ones kept. what: its name, for errors."""

    def __init__(self, content: bytes, what: str) -> None:
        self._what = what
        self._numbers: set[int] = set()
        self._fields: dict[int, list[bytes | int]] = {}
        for number, value in _fields(content, what):
            self._numbers.add(number)
            if value is not None:
                self._fields.setdefault(number, []).append(value)

    def require_only(self, *numbers: int) -> None:
        """Refuse a field that is none of these, of whichever kind: what nobody reads must not be there."""
        unknown = self._numbers.difference(numbers)
        if unknown:
            raise MalformedEvidence(0, f"{self._what}: field {min(unknown)} is not known")

    def required_bytes(self, number: int) -> bytes:
        """A bytes field that must be there, once."""
        value = self._single(number)
        if not isinstance(value, bytes):
            raise MalformedEvidence(0, f"{self._what}: field {number} is missing")
        return value

    def sized(self, number: int, size: int) -> bytes:
        """A bytes field that must be there, once, and be of `size` bytes."""
        value = self.required_bytes(number)
        if len(value) != size:
            raise MalformedEvidence(0, f"{self._what}: field {number} has {len(value)} bytes, {size} expected")
        return value

    def octets(self, number: int) -> bytes:
        """A bytes field; empty when it is not there, which is its default."""
        value = self._single(number)
        if isinstance(value, int):
            raise self._of_another_kind(number)
        return value or b""

    def uint(self, number: int) -> int:
        """An unsigned integer; 0 when it is not there, which is its default."""
        value = self._single(number)
        if isinstance(value, bytes):
            raise self._of_another_kind(number)
        return value or 0

    def little_endian(self, number: int, size: int) -> bytes:
        """An unsigned integer in `size` bytes, the lowest first; MalformedEvidence where it needs more."""
        value = self.uint(number)
        if value >> 8 * size:
            raise MalformedEvidence(0, f"{self._what}: field {number} is {value:#x}, {size} bytes hold less")
        return value.to_bytes(size, "little")

    def has(self, number: int) -> bool:
        """Whether a field is there, of whichever kind."""
        return number in self._numbers

    def message(self, number: int, what: str) -> Message | None:
        """A message in a field; None when it is not there."""
        return Message(self.octets(number), what) if number in self._fields else None

    def required_message(self, number: int, what: str) -> Message:
        """A message that must be there, once."""
        return Message(self.required_bytes(number), what)

    def messages(self, number: int, what: str) -> list[Message]:
        """The messages of a repeated field, or the entries of a map."""
        return [Message(value, what) for value in self.repeated(number)]

    def repeated(self, number: int) -> list[bytes]:
        """The values of a repeated bytes field."""
        found = []
        for value in self._fields.get(number, ()):
            if isinstance(value, int):
                raise self._of_another_kind(number)
            found.append(value)
        return found

    def _single(self, number: int) -> bytes | int | None:
        values = self._fields.get(number, [])
        if len(values) > 1:
            raise MalformedEvidence(0, f"{self._what}: field {number} occurs {len(values)} times")
        return values[0] if values else None

    def _of_another_kind(self, number: int) -> MalformedEvidence:
        return MalformedEvidence(0, f"{self._what}: field {number} is of another kind")


def _fields(content: bytes, what: str) -> Iterator[tuple[int, bytes | int | None]]:
    """Number and value of each field; None: one of fixed width."""
    at = 0
    while at < len(content):
        tag, at = _varint(content, at, what)
        number, kind = tag >> 3, tag & 7
        if kind == _VARINT:
            value, at = _varint(content, at, what)
            yield number, value
        elif kind == _BYTES:
            size, start = _varint(content, at, what)
            at = start + size
            if at <= len(content):
                yield number, content[start:at]
        elif kind in _FIXED_BYTES:
            at += _FIXED_BYTES[kind]
            yield number, None
        else:
            raise MalformedEvidence(at, f"{what}: wire type {kind} is none of today's")
        if at > len(content):
            raise MalformedEvidence(len(content), f"{what}: a field is cut off")


def _varint(content: bytes, at: int, what: str) -> tuple[int, int]:
    """The number at an offset, and the offset after it."""
    value = 0
    for shift, octet in enumerate(content[at : at + _MAX_VARINT_BYTES]):
        value |= (octet & 0x7F) << 7 * shift
        if not octet & 0x80:
            if value > _MAX_UINT:
                break
            return value, at + shift + 1
    else:
        if len(content) - at < _MAX_VARINT_BYTES:
            raise MalformedEvidence(len(content), f"{what}: a number is cut off")
    raise MalformedEvidence(at, f"{what}: a number has more than 64 bits")
