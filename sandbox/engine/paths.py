"""Property paths: `securityProfile.securityType`, `ipConfigurations[0].name`, `tags["a.b"]`, `rules[*].priority`."""

import re
from collections.abc import Iterator
from typing import Final

from sandbox.engine.errors import EngineError
from sandbox.values import Secret, Value

Segment = str | int
EVERY: Final = "*"
_SEGMENT = re.compile(
    r"""\.?(?P<name>[^.\[\]"]+) | \[(?P<index>\d+)\] | \[(?P<every>\*)\] | \["(?P<quoted>(?:[^"\\]|\\.)*)"\]""",
    re.VERBOSE,
)


def parse(path: str) -> list[Segment]:
    """Raises `EngineError` when `path` is not a property path."""
    segments: list[Segment] = []
    position = 0
    while position < len(path):
        match = _SEGMENT.match(path, position)
        if match is None:
            raise EngineError(f"not a property path: {path!r} (expected e.g. 'tags.owner' or 'rules[0].name')")
        position = match.end()
        if match["index"] is not None:
            segments.append(int(match["index"]))
        elif match["quoted"] is not None:
            segments.append(match["quoted"].replace('\\"', '"'))
        else:
            segments.append(match["name"] or EVERY)
    return segments


def _join(path: str, key: str) -> str:
    if re.search(r'[.\[\]"]', key):
        escaped = key.replace('"', '\\"')
        return f'{path}["{escaped}"]'
    return f"{path}.{key}" if path else key


def value_at(values: Value, path: str) -> Value:
    """The value at `path`; None where there is none; a `Secret` when the path leads into one."""
    secret = False
    for segment in parse(path):
        if isinstance(values, Secret):
            secret, values = True, values.value
        values = _child(values, segment)
    return Secret(values) if secret and not isinstance(values, Secret) else values


def _child(values: Value, segment: Segment) -> Value:
    if isinstance(values, dict):
        return values.get(str(segment))
    if isinstance(values, list) and isinstance(segment, int) and segment < len(values):
        return values[segment]
    return None


def differences(old: Value, new: Value, path: str = "") -> Iterator[str]:
    """The deepest paths at which the two values differ."""
    if isinstance(old, Secret) and isinstance(new, Secret):
        old, new = old.value, new.value
    if isinstance(old, dict) and isinstance(new, dict):
        for key in [*old, *(key for key in new if key not in old)]:
            yield from differences(old.get(key), new.get(key), _join(path, key))
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for index, (left, right) in enumerate(zip(old, new, strict=True)):
            yield from differences(left, right, f"{path}[{index}]")
    elif old is not new and old != new:
        yield path


def keep_old(new: Value, old: Value, segments: list[Segment]) -> Value:
    """`new` with what lies at the path taken from `old` (and left out where `old` has nothing): ignoreChanges."""
    if not segments:
        return old
    head, *rest = segments
    if isinstance(new, list) and isinstance(old, list):
        chosen = range(len(new)) if head == EVERY else [head] if isinstance(head, int) else []
        return [keep_old(item, old[i], rest) if i in chosen and i < len(old) else item for i, item in enumerate(new)]
    if not isinstance(new, dict) or not isinstance(old, dict):
        return new
    keys = [*new, *(key for key in old if key not in new)] if head == EVERY else [str(head)]
    kept = dict(new)
    for key in keys:
        if rest and key in new and key in old:
            kept[key] = keep_old(new[key], old[key], rest)
        elif not rest and key in old:
            kept[key] = old[key]
        elif not rest:
            kept.pop(key, None)
    return kept


def covers(pattern: str, path: str) -> bool:
    """Whether `pattern` names `path`, something inside it or something around it (replaceOnChanges)."""
    wanted, actual = parse(pattern), parse(path)
    return all(left in (EVERY, right) for left, right in zip(wanted, actual, strict=False))
