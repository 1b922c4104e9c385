"""What differs between two property bags, as property paths."""

import re
from collections.abc import Callable, Iterator, Mapping

from sandbox.values import UNKNOWN, Value

_PLAIN = re.compile(r'[^.\[\]"]+')
_INDEX = re.compile(r"\[\d+\]")

Same = Callable[[str, Value, Value], bool]


def differing(old: Mapping[str, Value], new: Mapping[str, Value], same: Same, path: str = "") -> Iterator[str]:
    """The paths (`securityProfile.securityType`, `zones[0]`) whose values differ; an absent value equals None.

    `same` judges two plain values; names that start with `__` are the provider's own and do not count.
    """
    for name in sorted({*old, *new}):
        if not name.startswith("__"):
            yield from _differing(old.get(name), new.get(name), same, _join(path, name))


def _join(path: str, name: str) -> str:
    """A name with a character of the path syntax is quoted: `tags["cost.centre"]`."""
    if not _PLAIN.fullmatch(name):
        quoted = name.replace('"', '\\"')
        return f'{path}["{quoted}"]'
    return f"{path}.{name}" if path else name


def _differing(old: Value, new: Value, same: Same, path: str) -> Iterator[str]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        yield from differing(old, new, same, path)
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for index, (before, after) in enumerate(zip(old, new, strict=True)):
            yield from _differing(before, after, same, f"{path}[{index}]")
    elif old is UNKNOWN or new is UNKNOWN or not same(path, old, new):
        yield path


def without_indices(path: str) -> str:
    """`ipConfigurations[0].subnet.id` → `ipConfigurations.subnet.id`."""
    return _INDEX.sub("", path)


def is_within(path: str, whole: str) -> bool:
    """Whether a change at `path` is a change of `whole`, or of something inside it or around it."""
    plain = without_indices(path)
    return plain == whole or plain.startswith(f"{whole}.") or whole.startswith(f"{plain}.")
