"""The vocabulary of appraisal results: AR4SI trustworthiness claims and tiers.

Source: draft-ietf-rats-ar4si, section 2.3 (claims and their values) and 2.3.2 (tiers).
"""

from __future__ import annotations

from enum import IntEnum, StrEnum
from functools import lru_cache
from typing import Final


class Tier(IntEnum):
    """How far a value supports trust. The order is the order of severity; str() is the name in an EAR."""

    NONE = 0
    AFFIRMING = 2
    WARNING = 32
    CONTRAINDICATED = 96

    def __str__(self) -> str:
        return self._name_.lower()


class Component(StrEnum):
    """The members of the trustworthiness vector that a confidential VM has (AR4SI, 2.3.4)."""

    INSTANCE_IDENTITY = "instance-identity"
    CONFIGURATION = "configuration"
    EXECUTABLES = "executables"
    HARDWARE = "hardware"
    RUNTIME_OPAQUE = "runtime-opaque"


class Value:
    """The claim values that this verifier uses (AR4SI, 2.3.4). What a value means depends on the component."""

    NOT_APPRAISED: Final = 0
    """Any component: no claim is made."""
    CRYPTO_FAILED: Final = 99
    """Any component: cryptographic validation of the evidence failed."""

    TRUSTWORTHY_INSTANCE: Final = 2
    UNTRUSTWORTHY_INSTANCE: Final = 96
    UNRECOGNIZED_INSTANCE: Final = 97

    APPROVED_CONFIG: Final = 2
    UNSAFE_CONFIG: Final = 32
    UNSUPPORTABLE_CONFIG: Final = 96

    APPROVED_BOOT: Final = 3
    """Executables: what was loaded during boot is known good; nothing is said of what was loaded later."""
    UNRECOGNIZED_EXECUTABLES: Final = 33
    CONTRAINDICATED_EXECUTABLES: Final = 96

    GENUINE_HARDWARE: Final = 2
    UNSAFE_HARDWARE: Final = 32
    CONTRAINDICATED_HARDWARE: Final = 96

    ENCRYPTED_MEMORY: Final = 2
    VISIBLE_MEMORY: Final = 96


@lru_cache(maxsize=256)
def tier_of(value: int) -> Tier:
    """The tier of a claim value (AR4SI, 2.3.2)."""
    if -1 <= value <= 1:
        return Tier.NONE
    if -32 <= value <= 31:
        return Tier.AFFIRMING
    if -96 <= value <= 95:
        return Tier.WARNING
    return Tier.CONTRAINDICATED
