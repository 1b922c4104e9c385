"""What a condition asks of claims, as alternatives of things that must all hold.

It is an upper bound of whom a condition lets in: what is not understood asks nothing, so that a policy is never taken
for stricter than it is.
"""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from policies.release.expressions import Items, Literal, Node, Operation, Path, Value
from policies.release.model import MalformedDocument

MOST = 512
"""Alternatives beyond this are not multiplied out."""

Keys = tuple[str | int, ...]


class Kind(Enum):
    """How a claim is compared."""

    IS = "is one of"
    HAS = "has one of"
    STARTS = "starts with one of"
    LEAST = "is at least"


@dataclass(frozen=True, slots=True)
class Ask:
    """One comparison of the claim at `path` with constants; any of them satisfies it."""

    kind: Kind
    path: Keys
    values: tuple[Value, ...]


Conjunction = tuple[Ask, ...]
Alternatives = tuple[Conjunction, ...]

NOTHING: Alternatives = ((),)
"""Asks nothing: whoever comes satisfies it."""
NEVER: Alternatives = ()
"""Nobody satisfies it."""


def all_of(parts: Iterable[Alternatives]) -> Alternatives:
    """Those who satisfy every part."""
    found: Alternatives = NOTHING
    for part in parts:
        if len(found) * len(part) > MOST:
            raise MalformedDocument("", f"has more than {MOST} alternatives")
        found = tuple(tuple(dict.fromkeys((*left, *right))) for left, right in itertools.product(found, part))
    return found


def any_of(parts: Iterable[Alternatives]) -> Alternatives:
    """Those who satisfy one part."""
    found = tuple(dict.fromkeys(itertools.chain.from_iterable(parts)))
    if len(found) > MOST:
        raise MalformedDocument("", f"has more than {MOST} alternatives")
    return found


def comparison(node: Node) -> Alternatives:
    """What `node` asks, if it compares a path with constants; else nothing."""
    if isinstance(node, Literal) and isinstance(node.value, bool):
        return NOTHING if node.value else NEVER
    if not isinstance(node, Operation):
        return NOTHING
    left, operator, right = node.left, node.operator, node.right
    if operator in ("==", "=") and isinstance(left, Literal):
        left, right = right, left
    if operator in ("==", "=") and isinstance(left, Path) and isinstance(right, Literal):
        return ((Ask(Kind.IS, left.keys, (right.value,)),),)
    if operator in ("==", "=") and isinstance(left, Path) and (values := constants(right)) is not None:
        return ((Ask(Kind.IS, left.keys, (values,)),),)
    if operator == "in" and isinstance(left, Path) and (values := constants(right)) is not None:
        return ((Ask(Kind.IS, left.keys, values),),)
    if operator == "in" and isinstance(left, Literal) and isinstance(right, Path):
        return ((Ask(Kind.HAS, right.keys, (left.value,)),),)
    if operator == ">=" and isinstance(left, Path) and isinstance(right, Literal):
        return ((Ask(Kind.LEAST, left.keys, (right.value,)),),)
    return NOTHING


def constants(node: Node) -> tuple[Value, ...] | None:
    """The values of a list of constants; None for anything else."""
    if not isinstance(node, Items):
        return None
    found = tuple(item.value for item in node.items if isinstance(item, Literal))
    return found if len(found) == len(node.items) else None


def asked(conjunction: Conjunction, *path: str | int) -> tuple[Value, ...]:
    """The values of which the claim at `path` must have one; empty if it is not asked for."""
    found = _values(conjunction, Kind.IS, path)
    return tuple(value for value in found[0] if all(value in values for values in found)) if found else ()


def has(conjunction: Conjunction, *path: str | int) -> tuple[Value, ...]:
    """The fewest values of which the list at `path` must have one; empty if it is not asked for."""
    return min(_values(conjunction, Kind.HAS, path), key=len, default=())


def starts(conjunction: Conjunction, *path: str | int) -> tuple[Value, ...]:
    """The fewest beginnings of which the claim at `path` must have one; empty if it is not asked for."""
    return min(_values(conjunction, Kind.STARTS, path), key=len, default=())


def floors(conjunction: Conjunction) -> dict[Keys, int]:
    """The least numbers that are asked for, by path."""
    return {
        ask.path: value
        for ask in conjunction
        if ask.kind is Kind.LEAST
        for value in ask.values
        if isinstance(value, int) and not isinstance(value, bool)
    }


def _values(conjunction: Conjunction, kind: Kind, path: Keys) -> list[tuple[Value, ...]]:
    return [ask.values for ask in conjunction if ask.kind is kind and ask.path == path]
