"""The errors of the catalogue."""

from collections.abc import Iterable
from difflib import get_close_matches


class UnknownFact(KeyError):  # noqa: N818 - named for what it says: the catalogue does not hold this fact
    """The catalogue has no fact of this kind under this id.

    `nearest` is the valid id that looks most like `value`, or None where nothing comes close.
    """

    def __init__(self, kind: str, value: str, known: Iterable[str], *, of: str | None = None) -> None:
        self.kind = kind
        self.value = value
        self.nearest = nearest(value, known)
        scope = f" of cloud {of}" if of else ""
        hint = f"; nearest: {self.nearest}" if self.nearest else ""
        self.message = f"unknown {kind} '{value}'{scope}{hint}"
        super().__init__(self.message)

    def __str__(self) -> str:
        return self.message


class BadCatalog(ValueError):  # noqa: N818 - named for what it says: the data contradicts its schema or itself
    """A data file of the catalogue breaks its schema or names a fact that does not exist."""


def nearest(value: str, known: Iterable[str]) -> str | None:
    """The one of `known` that looks most like `value`, letter case aside; None where nothing comes close."""
    by_folded = {candidate.casefold(): candidate for candidate in sorted(known, reverse=True)}
    match = get_close_matches(value.casefold(), by_folded, n=1, cutoff=0.6)
    return by_folded[match[0]] if match else None
