"""Where in the project's own code a resource was constructed."""

import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from pulumi.runtime.proto import source_pb2

from sandbox.engine.urn import STACK_TYPE

_ENGINE: Final = Path(__file__).parent
_CONSTRUCTORS: Final = 3
"""`Resource`, `CustomResource` or `ComponentResource`, and the class of the resource itself."""


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


def stack_trace() -> source_pb2.StackTrace:
    """What the SDK's own `_get_stack_trace` makes for a resource under construction, innermost frame first. That one
    reads the source of each frame as well, which is most of what a registration costs."""
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 - the only way to a frame
    passed = 0
    while frame is not None and passed < _CONSTRUCTORS:
        passed += frame.f_code.co_name == "__init__"
        frame = frame.f_back
    frames = []
    while frame is not None:
        uri = _uri(frame.f_code.co_filename)
        position = source_pb2.SourcePosition(uri=uri, line=frame.f_lineno) if uri else None
        frames.append(source_pb2.StackFrame(pc=position))
        frame = frame.f_back
    return source_pb2.StackTrace(frames=frames)


@cache
def _uri(filename: str) -> str | None:
    """None for code that is in no file."""
    path = Path(filename)
    return path.as_uri() if path.is_absolute() else None
