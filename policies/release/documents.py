"""JSON with one meaning: documents that two readers could read differently are refused rather than guessed at."""

import json
from collections.abc import Collection
from typing import Any

from policies.release.model import MalformedDocument

LARGEST = 1_000_000
"""Characters; the largest that any of the services takes is a tenth of it."""


def load(text: str) -> Any:
    """`text` as JSON; raises `MalformedDocument` for a key that is written twice, or a number that JSON lacks."""
    if len(text) > LARGEST:
        raise MalformedDocument("", f"is longer than {LARGEST} characters")
    try:
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
    except (json.JSONDecodeError, RecursionError):
        raise MalformedDocument("", "is not JSON") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Readers differ on which of two equal keys counts, so neither does."""
    if len({key for key, _ in pairs}) != len(pairs):
        raise MalformedDocument("", "has a key twice in one object")
    return dict(pairs)


def _no_constant(_: str) -> None:
    raise MalformedDocument("", "has a number that JSON does not have")


def member(value: Any, path: str, required: Collection[str] = (), optional: Collection[str] | None = None) -> Any:
    """`value`, an object with the required members and, unless `optional` is None, no others than these."""
    if not isinstance(value, dict):
        raise MalformedDocument(path, "must be an object")
    if missing := sorted(set(required) - set(value)):
        raise MalformedDocument(path, f"lacks {missing[0]}")
    if optional is not None and set(value) - set(required) - set(optional):
        raise MalformedDocument(path, f"must have no members but {', '.join(sorted({*required, *optional}))}")
    return value


def texts(value: Any, path: str) -> list[str]:
    """One text, or a list of texts."""
    found = [value] if isinstance(value, str) else value
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise MalformedDocument(path, "must be a text or a list of texts")
    return found


def text_of(value: Any, path: str) -> str:
    """One text."""
    if not isinstance(value, str):
        raise MalformedDocument(path, "must be a text")
    return value


def canonical(value: Any) -> str:
    """One text for equal values."""
    return json.dumps(value, sort_keys=True)
