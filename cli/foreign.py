"""Reads state files and previews that another program wrote, and may have written with malice.

Formats: `apitype.UntypedDeployment` version 3 and `display.PreviewDigest` of the pulumi repository (sdk/go/common,
pkg/display). What cannot be read with one meaning is refused: a resource before its parent, a URN that is none, text
that is no Unicode, nesting without end. A secret without plaintext is a value that nobody knows.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from graphlib import CycleError, TopologicalSorter
from itertools import chain
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

from cli.errors import CliError
from policies.edges import GRAPH
from policies.subject import COMPONENT_PREFIX
from sandbox.engine.resource import ResourceState
from sandbox.engine.wire import (
    OUTPUT_SIGNATURE,
    RESOURCE_SIGNATURE,
    SECRET_SIGNATURE,
    SIGNATURE,
    UNKNOWN_STRING,
    Reference,
)
from sandbox.values import UNKNOWN, Secret, Value

LARGEST: Final = 256 * 1024 * 1024
"""Bytes; the largest state that Pulumi Cloud accepts is smaller."""
DEEPEST: Final = 64
"""Levels of a property; the policy protocol's own parser stops at 100."""
STATE_VERSION: Final = 3
SECRET_MASK: Final = "[secret]"  # noqa: S105 - what `pulumi preview --json` prints instead of a secret
_HARMLESS: Final = ("debug", "info", "info#err", "warning")
"""Severities of diagnostics beside which a preview is whole."""
_LONGEST_REASON: Final = 300
_SOURCE_POSITION: Final = re.compile(r"project:///([^#?]+)#(\d{1,9})(?:,\d+)?")
_URN_PREFIX: Final = "urn:pulumi:"
_REMOVED: Final = ("delete", "delete-replaced", "discard", "discard-replaced", "read-discard", "remove-pending-replace")

_Made = tuple[ResourceState, str]
"""A resource, and where it was made."""


@dataclass(frozen=True, slots=True)
class Foreign:
    """A stack as another engine described it, parents before children."""

    stack: str
    project: str
    preview: bool
    resources: tuple[ResourceState, ...]
    positions: Mapping[str, str]
    """By URN, the file and line of the project that made the resource, as `__main__.py:12`; the parent's where it has
    none of its own, or nothing."""
    configuration: Mapping[str, str] = field(default_factory=dict)


def read_state(file: Path) -> Foreign:
    """The resources of a checkpoint, or of `pulumi stack export`; raises `CliError`."""
    document = _document(file)
    version = document.get("version")
    if version != STATE_VERSION:
        shown = repr(version) if isinstance(version, int) else "not stated"
        raise CliError(f"{file}: deployment version is {shown}, this program reads {STATE_VERSION}")
    if "checkpoint" in document:  # the file of a DIY backend wraps it once more
        document = {"deployment": _object(document["checkpoint"], file, "checkpoint").get("latest")}
    deployment = _object(document.get("deployment"), file, "deployment")
    records = _list(deployment.get("resources") or [], file, "resources")
    made = [(_resource(record, file, f"resources[{n}]"), _position(record)) for n, record in enumerate(records)]
    return _foreign(file, [one for one in made if not one[0].delete], preview=False)


def read_preview(file: Path) -> Foreign:
    """The resources that a preview foresees; raises `CliError`, also where unchanged ones were left out, or where the
    preview failed, so that resources may be missing."""
    document = _document(file)
    for diagnostic in _list(document.get("diagnostics") or [], file, "diagnostics"):
        if _object(diagnostic, file, "diagnostics[]").get("severity") not in _HARMLESS:
            reason = " ".join(_text(diagnostic, "message", file, "diagnostics[]", default="").split())
            raise CliError(f"{file}: the preview failed, and is not whole: {reason[:_LONGEST_REASON]}")
    steps = _list(document.get("steps"), file, "steps")
    kept: list[_Made] = []
    same = 0
    for number, step in enumerate(steps):
        place = f"steps[{number}]"
        operation = _object(step, file, place).get("op")
        if operation in _REMOVED:
            continue
        same += operation == "same"
        state = _resource(step.get("newState"), file, f"{place}.newState")
        kept = [one for one in kept if one[0].urn != state.urn]
        kept.append((_foreseen(state), _position(step["newState"])))
    counted = _object(document.get("changeSummary") or {}, file, "changeSummary").get("same", 0)
    if counted != same:
        raise CliError(f"{file}: {counted} unchanged resources are left out: use pulumi preview --json --show-sames")
    config = _object(document.get("config") or {}, file, "config")
    return replace(
        _foreign(file, kept, preview=True),
        configuration={key: value for key, value in config.items() if isinstance(value, str) and value != SECRET_MASK},
    )


def _foreseen(state: ResourceState) -> ResourceState:
    """`state` with outputs to judge: its inputs, where a preview states none. What a component registers comes too late
    for a step, so that the jurisdiction graph of a region is there and nobody knows it."""
    if state.outputs:
        return state
    is_ours = not state.custom and state.type.startswith(COMPONENT_PREFIX)
    return replace(state, outputs={**state.inputs, **({GRAPH: UNKNOWN} if is_ours else {})})


def _position(record: Any) -> str:
    """The innermost line of the project's own code in a `ResourceV3`: `project:///stacks/__main__.py#12` is one, what
    lies above the project or was installed is none. Of a shape that nobody knows, none: it decides nothing."""
    frames = record.get("stackTrace")
    for frame in (record, *(frames if isinstance(frames, list) else ())):
        stated = frame.get("sourcePosition") if isinstance(frame, dict) else None
        found = _SOURCE_POSITION.fullmatch(stated) if isinstance(stated, str) else None
        if found and not {"..", "site-packages"} & {*(path := unquote(found[1])).split("/")}:
            return f"{path}:{found[2]}"
    return ""


def _document(file: Path) -> dict[str, Any]:
    with file.open("rb") as opened:
        content = opened.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise CliError(f"{file}: is of more than {LARGEST:,} bytes, at most so many are read")
    try:
        return _object(json.loads(content, parse_constant=_no_number), file, "the file")
    except UnicodeDecodeError:
        raise CliError(f"{file}: is not JSON: not UTF-8 text") from None
    except json.JSONDecodeError as error:
        raise CliError(f"{file}: is not JSON: {error.msg}, line {error.lineno} column {error.colno}") from None
    except RecursionError:
        raise CliError(f"{file}: nests too deeply to be read") from None
    except ValueError:
        raise CliError(f"{file}: is not JSON: a number is too long, or none") from None


def _no_number(text: str) -> Any:
    raise ValueError(text)  # NaN and Infinity are Python's, not JSON's


def _foreign(file: Path, made: Sequence[_Made], *, preview: bool) -> Foreign:
    if not made:
        raise CliError(f"{file}: holds no resource, so that there is nothing to judge")
    positions: dict[str, str] = {}
    for resource, position in made:
        if resource.urn in positions:
            raise CliError(f"{file}: {resource.urn!a} is there twice")
        if resource.parent and resource.parent not in positions:
            raise CliError(f"{file}: {resource.urn!a} comes before its parent, or has none; export the state again")
        positions[resource.urn] = position or positions.get(resource.parent, "")
    resources = [resource for resource, _ in made]
    _refuse_circles(file, resources)
    stacks = {_urn_parts(resource.urn, file)[:2] for resource in resources}
    if len(stacks) > 1:
        raise CliError(f"{file}: holds resources of {len(stacks)} stacks; one file is one stack")
    ((stack, project),) = stacks
    return Foreign(stack, project, preview, tuple(resources), positions)


def _refuse_circles(file: Path, resources: Sequence[ResourceState]) -> None:
    needed = {one.urn: {*one.dependencies, *chain(*one.property_dependencies.values())} for one in resources}
    try:
        TopologicalSorter(needed).prepare()
    except CycleError as error:
        circle = " → ".join(ascii(urn) for urn in error.args[1][:4])
        raise CliError(f"{file}: resources depend on each other in a circle: {circle}") from None


def _urn_parts(urn: str, file: Path) -> tuple[str, str, str]:
    """Stack, project and type of a URN; a name may hold anything."""
    parts = urn.split("::", 3)
    if len(parts) < 4 or not parts[0].startswith(_URN_PREFIX) or not all((*parts, parts[0][len(_URN_PREFIX) :])):
        raise CliError(f"{file}: {urn[:200]!a} is not a URN (urn:pulumi:<stack>::<project>::<type>::<name>)")
    return parts[0][len(_URN_PREFIX) :], parts[1], parts[2]


def _resource(record: Any, file: Path, place: str) -> ResourceState:
    try:
        return _resource_state(_object(record, file, place), file, place)
    except UnicodeEncodeError:
        raise CliError(f"{file}: {place} holds text that is no Unicode (half a surrogate pair)") from None


def _resource_state(entry: Mapping[str, Any], file: Path, place: str) -> ResourceState:
    urn, type_ = _text(entry, "urn", file, place), _text(entry, "type", file, place)
    if _urn_parts(urn, file)[2].rpartition("$")[2] != type_:
        raise CliError(f"{file}: {place}: the type is not that of the URN")
    dependencies = _object(entry.get("propertyDependencies") or {}, file, f"{place}.propertyDependencies")
    return ResourceState(
        urn=urn,
        type=type_,
        custom=entry.get("custom") is True,
        id=_text(entry, "id", file, place, default=""),
        inputs=_properties(entry.get("inputs"), file, f"{place}.inputs"),
        outputs=_properties(entry.get("outputs"), file, f"{place}.outputs"),
        parent=_text(entry, "parent", file, place, default=""),
        provider=_text(entry, "provider", file, place, default=""),
        dependencies=_texts(entry.get("dependencies"), file, f"{place}.dependencies"),
        property_dependencies={key: _texts(value, file, place) for key, value in dependencies.items()},
        protect=entry.get("protect") is True,
        delete=entry.get("delete") is True,
    )


def _properties(value: Any, file: Path, place: str) -> dict[str, Value]:
    return {_unicode(key): _value(item, 1, file, f"{place}") for key, item in _object(value or {}, file, place).items()}


def _value(value: Any, depth: int, file: Path, place: str) -> Value:
    if depth > DEEPEST:
        raise CliError(f"{file}: {place} nests deeper than {DEEPEST} levels")
    match value:
        case dict() if SIGNATURE in value:
            return _signed(value, depth, file, place)
        case dict():
            return {_unicode(key): _value(item, depth + 1, file, place) for key, item in value.items()}
        case list():
            return [_value(item, depth + 1, file, place) for item in value]
        case str() if value == UNKNOWN_STRING:
            return UNKNOWN
        case str() if value == SECRET_MASK:
            return Secret(UNKNOWN)
        case str():
            return _unicode(value)
        case int() if abs(value) > 2**1023:
            raise CliError(f"{file}: {place} holds a number that no property has")
        case _:
            return value


def _signed(value: dict[str, Any], depth: int, file: Path, place: str) -> Value:
    match value[SIGNATURE]:
        case signature if signature == SECRET_SIGNATURE:
            plaintext = value.get("plaintext")
            if not isinstance(plaintext, str):
                return Secret(UNKNOWN)
            try:
                return Secret(_value(json.loads(plaintext), depth + 1, file, place))
            except (ValueError, RecursionError):
                raise CliError(f"{file}: {place} holds a secret that is not JSON") from None
        case signature if signature == OUTPUT_SIGNATURE:
            return _value(value["value"], depth + 1, file, place) if "value" in value else UNKNOWN
        case signature if signature == RESOURCE_SIGNATURE:
            return Reference(_text(value, "urn", file, place), value.get("id") or UNKNOWN)
        case _:
            return UNKNOWN


def _object(value: Any, file: Path, place: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise CliError(f"{file}: {place} is not an object: this is no file of that kind")
    return value


def _list(value: Any, file: Path, place: str) -> list[Any]:
    if not isinstance(value, list):
        raise CliError(f"{file}: {place} is not a list: this is no file of that kind")
    return value


def _text(entry: Mapping[str, Any], key: str, file: Path, place: str, default: str | None = None) -> str:
    value = entry.get(key, default)
    if not isinstance(value, str):
        raise CliError(f"{file}: {place}.{key} is not a string")
    return _unicode(value)


def _texts(value: Any, file: Path, place: str) -> tuple[str, ...]:
    return tuple(_strings(_list(value or [], file, place), file, place))


def _strings(values: Sequence[Any], file: Path, place: str) -> Iterator[str]:
    for value in values:
        if not isinstance(value, str):
            raise CliError(f"{file}: {place} holds something that is not a string")
        yield _unicode(value)


def _unicode(text: str) -> str:
    text.encode()
    return text
