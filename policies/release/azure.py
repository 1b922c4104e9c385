"""Reads Azure's secure key release policies, grammar 1.0.0 (learn.microsoft.com/azure/key-vault/keys/policy-grammar).

The document arrives as `releasePolicy.data`: JSON in base64url. `anyOf` lists authorities; each has one `allOf` or
`anyOf` of conditions, which nest; a condition is a claim and one operator. Whatever the grammar does not have is
refused rather than skipped: a key that is written twice, a word that is not in the grammar, an empty list.
"""

import base64
import binascii
import itertools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from policies.release import documents, results
from policies.release.model import MalformedDocument, Reading, Way

GRAMMAR = "1.0.0"
MOST_WAYS = 512
"""Alternatives beyond this are not multiplied out; the longest list of launch measurements is far shorter."""
DEEPEST = 16

_BASE64URL = re.compile(r"[A-Za-z0-9_-]+={0,2}")
_OPERATORS = frozenset({"equals", "notEquals", "less", "lessOrEquals", "greater", "greaterOrEquals", "exists"})
_NESTING = ("anyOf", "allOf")

# A guest that asks through its vTPM gets the TEE's claims one level down.
_VTPM_PREFIX = "x-ms-isolation-tee."
_TEES = {"sevsnpvm": "snp", "tdxvm": "tdx"}
# Claim: kind of pin, and length of its value in hexadecimal digits.
_PINS = {
    "x-ms-sevsnpvm-launchmeasurement": ("launch measurement", 96),
    "x-ms-sevsnpvm-hostdata": ("host data", 64),
    "x-ms-sevsnpvm-idkeydigest": ("signer", 96),
    "x-ms-sevsnpvm-authorkeydigest": ("signer", 96),
    "tdx_mrtd": ("launch measurement", 96),
}
_FLOORS = {
    "x-ms-sevsnpvm-bootloader-svn": "bootloader",
    "x-ms-sevsnpvm-tee-svn": "tee",
    "x-ms-sevsnpvm-snpfw-svn": "snp",
    "x-ms-sevsnpvm-microcode-svn": "microcode",
}


@dataclass(frozen=True, slots=True)
class _Condition:
    claim: str
    operator: str
    value: Any


_Conjunction = tuple[_Condition, ...]


def parse(data: str) -> tuple[Way, ...]:
    """Every way to get the key that `data` governs; raises `MalformedDocument`."""
    document = _object(_decode(data), "", required=("version", "anyOf"))
    if document["version"] != GRAMMAR:
        raise MalformedDocument("version", f"is not {GRAMMAR}")
    ways: list[Way] = []
    for index, entry in enumerate(_list(document["anyOf"], "anyOf")):
        path = f"anyOf[{index}]"
        nesting = next((word for word in _NESTING if isinstance(entry, dict) and word in entry), "allOf")
        authority = _object(entry, path, required=("authority", nesting))["authority"]
        if not isinstance(authority, str):
            raise MalformedDocument(f"{path}.authority", "is not a string")
        conjunctions = _expand({nesting: entry[nesting]}, path, 0)
        ways += [_way(path, authority, conjunction) for conjunction in conjunctions]
        _limit(len(ways), path)
    return tuple(ways)


def analyse(data: str) -> Reading:
    """`data` with what is wrong in it, whatever its region; raises `MalformedDocument`."""
    ways = parse(data)
    weaknesses = (weakness for way in ways for weakness in results.weaknesses_of(way))
    return Reading(ways, tuple(dict.fromkeys(weaknesses)))


def _decode(data: str) -> Any:
    if not _BASE64URL.fullmatch(data):
        raise MalformedDocument("", "is not base64url (RFC 4648, section 5)")
    bare = data.rstrip("=")
    try:
        text = base64.b64decode(bare + "=" * (-len(bare) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise MalformedDocument("", "is not base64url of UTF-8 text") from None
    return documents.load(text)


def _object(value: Any, path: str, *, required: Sequence[str]) -> dict[str, Any]:
    if not isinstance(value, dict) or set(value) != set(required):
        raise MalformedDocument(path, f"must be an object with exactly: {', '.join(required)}")
    return value


def _list(value: Any, path: str) -> list[Any]:
    if not isinstance(value, list) or not value:
        raise MalformedDocument(path, "must be a list with at least one element")
    return value


def _expand(node: Any, path: str, depth: int) -> list[_Conjunction]:
    """`node` as alternatives, each a list of conditions that must all hold (disjunctive normal form)."""
    if depth > DEEPEST:
        raise MalformedDocument(path, f"nests deeper than {DEEPEST} levels")
    nesting = next((word for word in _NESTING if isinstance(node, dict) and word in node), None)
    if nesting is None:
        return [(_condition(node, path),)]
    elements = _list(_object(node, path, required=(nesting,))[nesting], f"{path}.{nesting}")
    parts = [_expand(element, f"{path}.{nesting}[{index}]", depth + 1) for index, element in enumerate(elements)]
    if nesting == "anyOf":
        alternatives = [conjunction for part in parts for conjunction in part]
        _limit(len(alternatives), path)
        return alternatives
    size = 1
    for part in parts:
        size *= len(part)
        _limit(size, path)
    return [tuple(itertools.chain.from_iterable(choice)) for choice in itertools.product(*parts)]


def _limit(size: int, path: str) -> None:
    if size > MOST_WAYS:
        raise MalformedDocument(path, f"has more than {MOST_WAYS} alternatives")


def _condition(node: Any, path: str) -> _Condition:
    operators = sorted(_OPERATORS & set(node)) if isinstance(node, dict) else []
    if len(operators) != 1:
        raise MalformedDocument(path, "must have one claim and one operator of the grammar")
    condition = _object(node, path, required=("claim", operators[0]))
    if not isinstance(condition["claim"], str):
        raise MalformedDocument(f"{path}.claim", "is not a string")
    return _Condition(condition["claim"].removeprefix(_VTPM_PREFIX), operators[0], condition[operators[0]])


def _way(path: str, authority: str, conditions: _Conjunction) -> Way:
    equal = [condition for condition in conditions if condition.operator == "equals"]
    vmpl = [condition.value for condition in equal if condition.claim == "x-ms-sevsnpvm-vmpl"]
    return Way(
        path=path,
        authority=authority,
        tees=frozenset(
            _TEES[condition.value]
            for condition in equal
            if condition.claim == "x-ms-attestation-type" and condition.value in _TEES
        ),
        pins=frozenset(_pins(equal)),
        refuses_debug=_refuses(equal, "x-ms-sevsnpvm-is-debuggable", "tdx_td_attributes_debug"),
        refuses_migration=_refuses(equal, "x-ms-sevsnpvm-migration-allowed"),
        vmpl=vmpl[0] if len(vmpl) == 1 and isinstance(vmpl[0], int) else None,
        floors={
            _FLOORS[condition.claim]: condition.value
            for condition in conditions
            if condition.operator == "greaterOrEquals"
            and condition.claim in _FLOORS
            and isinstance(condition.value, int)
        },
    )


def _refuses(equal: Iterable[_Condition], *claims: str) -> bool:
    return any(condition.claim in claims and condition.value in (False, "false") for condition in equal)


def _pins(equal: Iterable[_Condition]) -> Iterable[tuple[str, str]]:
    """Digests that are digests: of the right length, and not the zeros of a field that nobody set."""
    for condition in equal:
        kind, digits = _PINS.get(condition.claim, ("", 0))
        value = condition.value.lower() if isinstance(condition.value, str) else ""
        if digits and re.fullmatch(rf"[0-9a-f]{{{digits}}}", value) and value.strip("0"):
            yield kind, value
