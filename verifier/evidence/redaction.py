"""What of a stack's values may be published: everything but its secrets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

REDACTED = "[secret]"

_SIGNATURE = "4dabf18193072939515e22adb298388d"
_SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - the marker that Pulumi's property values carry for a secret


def publishable(value: Any) -> Any:
    """`value` as canonical JSON can hold it, each Pulumi secret replaced.

    A secret is an object that carries Pulumi's signature of one (sdk/go/common/resource, SecretSig), with its plaintext
    or its ciphertext. A number that is not whole becomes its decimal text, because JSON readers differ on those.
    """
    match value:
        case Mapping():
            if value.get(_SIGNATURE) == _SECRET:
                return REDACTED
            return {str(key): publishable(member) for key, member in value.items()}
        case str() | bool() | int() | None:
            return value
        case float():
            return int(value) if value.is_integer() else repr(value)
        case Sequence():
            return [publishable(member) for member in value]
        case _:
            return str(value)
