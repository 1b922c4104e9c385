"""CBOR (RFC 8949), as far as attestation uses it: a strict reader, and the deterministic encoding of section 4.2.1.

The reader refuses what two readers could understand differently: a key that occurs twice, a length that is not in its
shortest form, chunked strings, bytes after the value. Maps and arrays of indefinite length are read, as AWS signs them.
There are no floats, no simple values but false, true and null, and tags are given as they are, never acted upon.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from verifier.errors import MalformedEvidence

MAX_DEPTH: Final = 16
"""Nesting of maps, arrays and tags; attestation documents and results have less than half of it."""

_UNSIGNED, _NEGATIVE, _BYTES, _TEXT, _ARRAY, _MAP, _TAG, _SIMPLE = range(8)
_SIMPLE_VALUES: Final = {20: False, 21: True, 22: None}
_INDEFINITE: Final = 31
_BREAK: Final = 0xFF
_ARGUMENT_BYTES: Final = {24: 1, 25: 2, 26: 4, 27: 8}


@dataclass(frozen=True, slots=True)
class Tagged:
    """A value with a tag (RFC 8949, 3.4)."""

    tag: int
    value: Any


def decode(data: bytes) -> Any:
    """The one value that `data` is: int, bytes, str, bool, None, list, dict with int or str keys, or Tagged.

    MalformedEvidence with the offset otherwise.
    """
    reader = _Reader(data)
    value = reader.value(0)
    if reader.at != len(data):
        raise MalformedEvidence(reader.at, f"CBOR: {len(data) - reader.at} bytes after the value")
    return value


def encode(value: Any) -> bytes:
    """The deterministic encoding of a value as `decode` gives it; TypeError for anything else."""
    match value:
        case bool() | None:
            return bytes([_SIMPLE << 5 | next(code for code, it in _SIMPLE_VALUES.items() if it is value)])
        case int():
            return _head(_UNSIGNED, value) if value >= 0 else _head(_NEGATIVE, -1 - value)
        case bytes():
            return _head(_BYTES, len(value)) + value
        case str():
            encoded = value.encode("utf-8")
            return _head(_TEXT, len(encoded)) + encoded
        case Tagged():
            return _head(_TAG, value.tag) + encode(value.value)
        case Mapping():
            members = sorted((encode(key), encode(member)) for key, member in value.items())
            return _head(_MAP, len(members)) + b"".join(key + member for key, member in members)
        case Sequence():
            return _head(_ARRAY, len(value)) + b"".join(map(encode, value))
        case _:
            raise TypeError(f"no CBOR for {type(value).__name__}")


def _head(kind: int, argument: int) -> bytes:
    if argument < 24:
        return bytes([kind << 5 | argument])
    for code, size in _ARGUMENT_BYTES.items():
        if argument < 1 << 8 * size:
            return bytes([kind << 5 | code]) + argument.to_bytes(size, "big")
    raise TypeError("no CBOR for integers of more than 64 bits")


class _Reader:
    """Reads values of `data` one after the other. at: offset of the next."""

    __slots__ = ("_data", "at")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.at = 0

    def value(self, depth: int) -> Any:
        start = self.at
        if depth > MAX_DEPTH:
            raise MalformedEvidence(start, f"CBOR: nested deeper than {MAX_DEPTH} levels")
        kind, info = divmod(self._take(1)[0], 32)
        if info == _INDEFINITE and kind in {_ARRAY, _MAP}:
            return self._array(None, depth) if kind == _ARRAY else self._map(None, depth)
        argument = self._argument(start, info)
        match kind:
            case 0:
                return argument
            case 1:
                return -1 - argument
            case 2:
                return self._take(argument)
            case 3:
                return self._text(argument)
            case 4:
                return self._array(argument, depth)
            case 5:
                return self._map(argument, depth)
            case 6:
                return Tagged(argument, self.value(depth + 1))
            case _:
                if info not in _SIMPLE_VALUES:
                    raise MalformedEvidence(start, "CBOR: a float or an unknown simple value")
                return _SIMPLE_VALUES[info]

    def _argument(self, start: int, info: int) -> int:
        if info < 24:
            return info
        size = _ARGUMENT_BYTES.get(info)
        if size is None:
            raise MalformedEvidence(start, f"CBOR: additional information {info} is not expected here")
        argument = int.from_bytes(self._take(size), "big")
        if argument < (24 if size == 1 else 1 << 4 * size):
            raise MalformedEvidence(start, "CBOR: a number or length is not in its shortest form")
        return argument

    def _take(self, count: int) -> bytes:
        end = self.at + count
        if end > len(self._data):
            raise MalformedEvidence(self.at, f"CBOR: {count} bytes announced, {len(self._data) - self.at} left")
        taken = self._data[self.at : end]
        self.at = end
        return taken

    def _text(self, count: int) -> str:
        start = self.at
        try:
            return self._take(count).decode("utf-8")
        except UnicodeDecodeError as error:
            raise MalformedEvidence(start + error.start, "CBOR: text that is not UTF-8") from None

    def _array(self, count: int | None, depth: int) -> list[Any]:
        items: list[Any] = []
        while not self._ended(count, len(items)):
            items.append(self.value(depth + 1))
        return items

    def _map(self, count: int | None, depth: int) -> dict[int | str, Any]:
        members: dict[int | str, Any] = {}
        while not self._ended(count, len(members)):
            start = self.at
            key = self.value(depth + 1)
            if isinstance(key, bool) or not isinstance(key, int | str):
                raise MalformedEvidence(start, "CBOR: a key that is neither a number nor text")
            if key in members:
                raise MalformedEvidence(start, f"CBOR: key {key!r:.60} occurs twice")
            members[key] = self.value(depth + 1)
        return members

    def _ended(self, count: int | None, read: int) -> bool:
        """Whether a container is at its end. What announces more than there is fails at the end of the data."""
        if count is not None:
            return read == count
        if self.at < len(self._data) and self._data[self.at] == _BREAK:
            self.at += 1
            return True
        return False
