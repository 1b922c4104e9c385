"""What random testing does to an input: a few changes at a time, in bytes and in the sizes and words of a format."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

MAX_BYTES = 65_536
"""Inputs do not grow beyond this; hostile ones that are larger are made by hand."""

INTERESTING = (0, 1, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)

Mutation = Callable[[random.Random, bytearray], None]


def mutated(source: random.Random, seeds: Sequence[bytes], words: Sequence[bytes]) -> bytes:
    """One of `seeds` with 1 to 4 changes. words: of the format, to be put in."""
    data = bytearray(source.choice(seeds))
    for _ in range(1 + int(4 * source.random() ** 3)):
        if not data:
            data += source.randbytes(1 + int(source.random() * 16))
        kind = int(source.random() * (len(_MUTATIONS) + bool(words) + 1))
        if kind < len(_MUTATIONS):
            _MUTATIONS[kind](source, data)
        elif kind == len(_MUTATIONS):
            _splice(source, data, source.choice(seeds))
        else:
            at = _at(source, data)
            data[at:at] = source.choice(words)
    return bytes(data[:MAX_BYTES])


def _at(source: random.Random, data: bytearray) -> int:
    return int(source.random() * len(data))


def _bit(source: random.Random, data: bytearray) -> None:
    data[_at(source, data)] ^= 1 << int(source.random() * 8)


def _byte(source: random.Random, data: bytearray) -> None:
    data[_at(source, data)] = int(source.random() * 256)


def _number(source: random.Random, data: bytearray) -> None:
    """A size of 1, 2, 3 or 4 bytes, in either order, becomes one at which code goes wrong."""
    size, at = 1 + int(source.random() * 4), _at(source, data)
    value = source.choice(INTERESTING) & (1 << 8 * size) - 1
    data[at : at + size] = value.to_bytes(size, "big" if source.random() < 0.5 else "little")


def _step(source: random.Random, data: bytearray) -> None:
    at = _at(source, data)
    data[at] = (data[at] + (1 if source.random() < 0.5 else -1)) & 0xFF


def _cut(source: random.Random, data: bytearray) -> None:
    at = _at(source, data)
    del data[at : at + 1 + int(source.random() ** 3 * len(data))]


def _insert(source: random.Random, data: bytearray) -> None:
    at = _at(source, data)
    data[at:at] = source.randbytes(1 + int(source.random() * 8))


def _repeat(source: random.Random, data: bytearray) -> None:
    at = _at(source, data)
    part = data[at : at + 1 + int(source.random() ** 3 * len(data))]
    data[at:at] = (part * (1 + int(source.random() ** 6 * 64)))[:MAX_BYTES]


def _fill(source: random.Random, data: bytearray) -> None:
    at = _at(source, data)
    size = len(data[at : at + 1 + int(source.random() ** 2 * 64)])
    data[at : at + size] = bytes([source.choice((0, 0xFF))]) * size


def _splice(source: random.Random, data: bytearray, other: bytes) -> None:
    """The rest of another input from about the same place."""
    at = _at(source, data)
    data[at:] = other[at:]


_MUTATIONS: tuple[Mutation, ...] = (_bit, _byte, _number, _step, _cut, _insert, _repeat, _fill)
