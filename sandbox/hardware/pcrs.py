"""Platform configuration registers of an emulated TPM 2.0: one bank of 24."""

import hashlib
from typing import Final

PCR_COUNT: Final = 24
_DYNAMIC: Final = range(17, 23)
"""PCRs that start as all ones (PC Client Platform TPM Profile, 4.6.1)."""


class PcrBank:
    """The registers of a TPM that was just started. algorithm: `sha256` or `sha384`, whose digests they hold."""

    def __init__(self, algorithm: str) -> None:
        self._algorithm = algorithm
        self._size = hashlib.new(algorithm).digest_size
        self._values = [(b"\xff" if index in _DYNAMIC else b"\0") * self._size for index in range(PCR_COUNT)]

    @property
    def values(self) -> tuple[bytes, ...]:
        """The registers as they are."""
        return tuple(self._values)

    def extend(self, register: int, digest: bytes) -> None:
        """TPM2_PCR_Extend: PCR = H(PCR ‖ digest)."""
        if len(digest) != self._size:
            raise ValueError(f"a PCR of the {self._algorithm} bank takes {self._size} bytes, not {len(digest)}")
        self._values[register] = hashlib.new(self._algorithm, self._values[register] + digest).digest()
