"""JSON without ambiguity: a strict parser, and the canonical form of RFC 8785 (JSON Canonicalization Scheme).

The parser refuses what two readers could understand differently: duplicate member names, NaN and infinities,
bytes that are not UTF-8, lone surrogates. The encoder writes one byte string for one value; numbers are
limited to integers within ±(2^53 − 1), the range in which RFC 8785 (section 3.2.2.3) and every JSON reader
agree, so that no floating-point formatting is needed.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final, NoReturn

MAX_INTEGER = 2**53 - 1
MAX_DEPTH = 64

_SURROGATE = re.compile("[\ud800-\udfff]")


class JsonError(ValueError):
    """The text is not JSON that has one meaning, or the value has no canonical form."""


def parse(text: bytes | str) -> Any:
    """Parse one JSON value; JsonError, with the position or the member, when it is malformed or ambiguous."""
    try:
        decoded = text.decode("utf-8") if isinstance(text, bytes) else text
        value = _DECODER.decode(decoded)
    except UnicodeDecodeError as error:
        raise JsonError(f"not UTF-8 at byte {error.start}") from None
    except json.JSONDecodeError as error:
        raise JsonError(f"not JSON: {error.msg} at character {error.pos}") from None
    except RecursionError:
        raise JsonError(f"nested deeper than {MAX_DEPTH} levels") from None
    except JsonError:
        raise
    except ValueError:
        raise JsonError("a number has too many digits") from None
    _check(value, 0)
    return value


def parse_object(text: bytes | str) -> dict[str, Any]:
    """Parse one JSON object; JsonError when the value is something else."""
    value = parse(text)
    if not isinstance(value, dict):
        raise JsonError("a JSON object is expected")
    return value


def encode(value: Any) -> bytes:
    """The RFC 8785 canonical bytes of `value`; JsonError on a float, a wide integer or a non-JSON type."""
    parts: list[str] = []
    _write(value, parts, 0)
    try:
        return "".join(parts).encode("utf-8")
    except UnicodeEncodeError:
        raise JsonError("a string holds a lone surrogate, which UTF-8 cannot carry") from None


def _write(value: Any, parts: list[str], depth: int) -> None:
    if depth > MAX_DEPTH:
        raise JsonError(f"nested deeper than {MAX_DEPTH} levels")
    match value:
        case None | bool() | str():
            parts.append(json.dumps(value, ensure_ascii=False))
        case int() if -MAX_INTEGER <= value <= MAX_INTEGER:
            parts.append(str(value))
        case Mapping():
            _write_members(value, parts, depth)
        case Sequence() if not isinstance(value, bytes | bytearray | memoryview):
            for index, item in enumerate(value):
                parts.append("," if index else "[")
                _write(item, parts, depth + 1)
            parts.append("]" if value else "[]")
        case _:
            raise JsonError(f"no canonical form for {type(value).__name__} {value!r:.40}")


def _write_members(value: Mapping[Any, Any], parts: list[str], depth: int) -> None:
    if not all(isinstance(name, str) for name in value):
        raise JsonError("member names must be strings")
    # RFC 8785 section 3.2.3: members sorted by the UTF-16 code units of their names.
    for index, name in enumerate(sorted(value, key=lambda item: item.encode("utf-16-be", "surrogatepass"))):
        parts.append("," if index else "{")
        parts.append(json.dumps(name, ensure_ascii=False))
        parts.append(":")
        _write(value[name], parts, depth + 1)
    parts.append("}" if value else "{}")


def _check(value: Any, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise JsonError(f"nested deeper than {MAX_DEPTH} levels")
    match value:
        case dict():
            for name, member in value.items():
                _check(name, depth)
                _check(member, depth + 1)
        case list():
            for item in value:
                _check(item, depth + 1)
        case str() if not value.isascii() and _SURROGATE.search(value):
            raise JsonError("a string holds a lone surrogate")
        case _:
            pass


def _unique_members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        counted = Counter(name for name, _ in pairs)
        duplicate = next(name for name, count in counted.items() if count > 1)
        raise JsonError(f"member {duplicate!r:.60} appears twice")
    return members


def _refuse_constant(name: str) -> NoReturn:
    raise JsonError(f"{name} is not a JSON number")


_DECODER: Final = json.JSONDecoder(object_pairs_hook=_unique_members, parse_constant=_refuse_constant)
