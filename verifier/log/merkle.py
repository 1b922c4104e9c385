"""The Merkle tree of RFC 9162, section 2.1 (the same as RFC 6962's), with SHA-256.

A log is summed up by one root hash. An inclusion proof is the list of the sibling hashes on the way from a leaf to the
root, so that whoever holds root and proof can check one entry without seeing the others.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

HASH_BYTES = 32

Node = Callable[[int, int], bytes]
"""(level, index) → hash of the perfect subtree over the leaves index·2^level … (index+1)·2^level − 1."""


def leaf_hash(entry: bytes) -> bytes:
    """Hash of one entry: SHA-256(00 ‖ entry)."""
    return hashlib.sha256(b"\x00" + entry).digest()


def parent_hash(left: bytes, right: bytes) -> bytes:
    """Hash of an inner node: SHA-256(01 ‖ left ‖ right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def completed(index: int, leaf: bytes, node: Node) -> list[tuple[int, int, bytes]]:
    """(level, index, hash) of each perfect subtree that leaf number `index` completes, the leaf itself first."""
    nodes = [(0, index, leaf)]
    level, current = 0, leaf
    while index & 1:
        current = parent_hash(node(level, index - 1), current)
        level, index = level + 1, index >> 1
        nodes.append((level, index, current))
    return nodes


def root_hash(size: int, node: Node) -> bytes:
    """Hash of the tree over the first `size` leaves; the hash of the empty string when there are none."""
    return _subtree(0, size, node) if size else hashlib.sha256().digest()


def inclusion_proof(index: int, size: int, node: Node) -> list[bytes]:
    """PATH(index, D[size]) of RFC 9162 section 2.1.3.1: sibling hashes, the leaf's own level first."""
    proof: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            proof.append(_subtree(middle, end - middle, node))
            end = middle
        else:
            proof.append(_subtree(start, middle - start, node))
            start = middle
    return proof[::-1]


def root_from_proof(index: int, size: int, leaf: bytes, proof: Sequence[bytes]) -> bytes | None:
    """The root that the proof leads to (RFC 9162 section 2.1.3.2), or None when its length does not fit the tree."""
    if not 0 <= index < size:
        return None
    position, last, current = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return None
        if position & 1 or position == last:
            current = parent_hash(sibling, current)
            while not position & 1:
                position, last = position >> 1, last >> 1
        else:
            current = parent_hash(current, sibling)
        position, last = position >> 1, last >> 1
    return current if last == 0 else None


def _subtree(start: int, size: int, node: Node) -> bytes:
    if size & (size - 1) == 0:
        return node(size.bit_length() - 1, start // size)
    left = _split(size)
    return parent_hash(_subtree(start, left, node), _subtree(start + left, size - left, node))


def _split(size: int) -> int:
    """The largest power of two smaller than `size`."""
    return 1 << ((size - 1).bit_length() - 1)
