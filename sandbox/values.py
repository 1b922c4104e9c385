"""Property values as the sandbox sees them: plain JSON values, plus two markers.

A property bag is a ``dict[str, Value]`` with the provider's own camelCase names. `UNKNOWN` stands for a value that
exists only after deployment; `Secret` wraps a value that state keeps encrypted. The engine translates to and from the
wire (`google.protobuf.Struct` with Pulumi's sentinels) in `sandbox.engine.wire`; providers never see a `Secret`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, final


@final
class Unknown:
    """The type of `UNKNOWN`; there is one instance."""

    _instance: "Unknown | None" = None

    def __new__(cls) -> "Unknown":
        if cls._instance is None:
            cls._instance = super().__new__(cls)
        return cls._instance

    def __repr__(self) -> str:
        return "UNKNOWN"

    def __bool__(self) -> bool:
        raise TypeError("an unknown value is neither true nor false: test `value is UNKNOWN`")


UNKNOWN: Final = Unknown()

Value = Any
"""None, bool, int, float, str, list[Value], dict[str, Value], UNKNOWN or Secret."""


@dataclass(frozen=True, slots=True)
class Secret:
    """A value that state stores encrypted and that no output prints."""

    value: Value = field(repr=False)


def contains_unknown(value: Value) -> bool:
    """Whether `value` is unknown or has an unknown somewhere inside."""
    if isinstance(value, Secret):
        return contains_unknown(value.value)
    if isinstance(value, Mapping):
        return any(contains_unknown(item) for item in value.values())
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return any(contains_unknown(item) for item in value)
    return value is UNKNOWN


def reveal(value: Value) -> Value:
    """`value` with every `Secret` replaced by what it holds."""
    if isinstance(value, Secret):
        return reveal(value.value)
    if isinstance(value, Mapping):
        return {key: reveal(item) for key, item in value.items()}
    if isinstance(value, list):
        return [reveal(item) for item in value]
    return value
