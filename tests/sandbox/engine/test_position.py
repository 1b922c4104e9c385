"""Findings point at the project's own line, not at a library's or the engine's."""

from pathlib import Path

from pulumi.runtime import resource as sdk_resource
from pulumi.runtime.proto import resource_pb2, source_pb2

from sandbox.engine import position
from sandbox.engine.position import position_of, stack_trace


def request(*places: tuple[Path, int]) -> resource_pb2.RegisterResourceRequest:
    frames = [source_pb2.SourcePosition(uri=path.as_uri(), line=line) for path, line in places]
    return resource_pb2.RegisterResourceRequest(
        sourcePosition=frames[0],
        stackTrace=source_pb2.StackTrace(frames=[source_pb2.StackFrame(pc=frame) for frame in frames]),
    )


def test_the_innermost_line_of_the_project_counts(tmp_path: Path) -> None:
    library, own = tmp_path / ".venv/lib/site-packages/lib.py", tmp_path / "stacks/a b.py"
    assert position_of(request((library, 7), (own, 12), (tmp_path / "outer.py", 3)), tmp_path) == "stacks/a b.py:12"


def test_what_is_not_of_the_project_is_nowhere(tmp_path: Path) -> None:
    assert position_of(request((Path("/usr/lib/other.py"), 1)), tmp_path) == ""
    engine = Path(position.__file__)
    assert position_of(request((engine, 1)), engine.parents[2]) == ""
    assert position_of(resource_pb2.RegisterResourceRequest(), tmp_path) == ""


class Constructed:
    """As deep in constructors as a resource is when it is registered, some of its code in no file."""

    def __init__(self, traces: list[source_pb2.StackTrace], more: int = 2) -> None:
        if more:
            exec("Constructed.__init__(self, traces, more - 1)")
        else:
            traces += [sdk_resource._get_stack_trace(), stack_trace()]


def test_a_stack_trace_is_the_one_that_the_sdk_makes() -> None:
    traces: list[source_pb2.StackTrace] = []
    Constructed(traces)
    of_the_sdk, ours = traces
    assert of_the_sdk.frames[0].pc.uri == Path(__file__).as_uri()
    assert ours == of_the_sdk
