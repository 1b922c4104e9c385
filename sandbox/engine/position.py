"""Where in the project's own code a resource was constructed."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from sandbox.engine.urn import STACK_TYPE

_ENGINE = Path(__file__).parent


def position_of(request: Any, directory: Path) -> str:
    """`stacks/__main__.py:12`, relative to the project's `directory`: the innermost line of the project's own code in
    a `RegisterResourceRequest`, so that a library of components points at who uses it. Empty when there is none."""
    if request.type == STACK_TYPE:
        return ""
    for uri, line in _frames(request):
        path = Path(unquote(urlsplit(uri).path))
        own = path.is_relative_to(directory) and not path.is_relative_to(_ENGINE)
        if own and "site-packages" not in path.parts:
            return f"{path.relative_to(directory)}:{line}"
    return ""


def _frames(request: Any) -> Iterator[tuple[str, int]]:
    for position in (request.sourcePosition, *(frame.pc for frame in request.stackTrace.frames)):
        if position.uri:
            yield position.uri, position.line
