"""A cursor over a TPM structure, which refuses to read past its end."""

from __future__ import annotations

from verifier.errors import MalformedEvidence


class Reader:
    """Reads big-endian numbers and sized buffers from the start of `data`; `what` names the whole in errors."""

    __slots__ = ("_data", "_what", "at")

    def __init__(self, data: bytes, what: str) -> None:
        self._data = data
        self._what = what
        self.at = 0

    def number(self, size: int, name: str) -> int:
        """An unsigned number of `size` bytes."""
        return int.from_bytes(self.take(size, name), "big")

    def take(self, size: int, name: str) -> bytes:
        """The next `size` bytes."""
        end = self.at + size
        if end > len(self._data):
            raise MalformedEvidence(
                self.at, f"{self._what}: {name}: {size} bytes expected, {len(self._data) - self.at} left"
            )
        found = self._data[self.at : end]
        self.at = end
        return found

    def sized(self, limit: int, name: str) -> bytes:
        """A TPM2B: a size of 2 bytes, at most `limit`, and so many bytes."""
        start = self.at
        size = self.number(2, f"size of {name}")
        if size > limit:
            raise MalformedEvidence(start, f"{self._what}: {name}: {size} bytes stated, at most {limit} are possible")
        return self.take(size, name)

    def finish(self) -> None:
        """Refuse anything after what was read."""
        if self.at != len(self._data):
            raise MalformedEvidence(self.at, f"{self._what}: {len(self._data) - self.at} bytes too many")
