"""Values of platform configuration registers, and the digest over a selection of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import TypeAlias

from verifier.errors import VerificationFailed
from verifier.tpm import layout
from verifier.tpm.quote import PcrSelection

PcrValues: TypeAlias = Mapping[int, Mapping[int, bytes]]
"""Bank (hash algorithm) → PCR → value."""


def digest_of(selection: Iterable[PcrSelection], values: PcrValues, algorithm: int) -> bytes:
    """Hash over the selected PCRs: banks in the order of the selection, PCRs ascending (part 3, TPM2_Quote).

    algorithm: the hash of the signing scheme. VerificationFailed when a value is missing or has the wrong length.
    """
    digest = hashlib.new(layout.HASH_NAMES[algorithm])
    for _bank, _register, value in selected(selection, values):
        digest.update(value)
    return digest.digest()


def selected(selection: Iterable[PcrSelection], values: PcrValues) -> Iterable[tuple[int, int, bytes]]:
    """(bank, PCR, value) of each selected PCR, in order."""
    for bank, registers in selection:
        name, size = layout.HASH_NAMES[bank], layout.HASH_BYTES[bank]
        for register in registers:
            value = values.get(bank, {}).get(register)
            if value is None:
                raise VerificationFailed(
                    "tpm.pcr-missing", f"PCR {register} ({name}) is quoted, its value is not given"
                )
            if len(value) != size:
                raise VerificationFailed(
                    "tpm.pcr-missing", f"PCR {register} ({name}) has {size} bytes, {len(value)} are given"
                )
            yield bank, register, value
