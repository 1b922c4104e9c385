"""Resource transforms: functions of the program that the engine calls back with what is about to be registered.

The SDK serves them on a port of its own and hands the engine a token for each (proto/pulumi/callback.proto). (The
older *transformations* run in the SDK and never reach a monitor.)
"""

from collections.abc import Sequence
from typing import Any, Final

import grpc
from pulumi.runtime.proto import callback_pb2, callback_pb2_grpc, resource_pb2

from sandbox.engine.errors import EngineError

_SAME_NAME: Final = ("protect", "version", "provider")
_RENAMED: Final = {
    "ignore_changes": "ignoreChanges",
    "replace_on_changes": "replaceOnChanges",
    "additional_secret_outputs": "additionalSecretOutputs",
    "depends_on": "dependencies",
    "retain_on_delete": "retainOnDelete",
    "deleted_with": "deletedWith",
    "plugin_download_url": "pluginDownloadURL",
    "import": "importId",
    "aliases": "aliases",
}
_REPEATED: Final = ("ignore_changes", "replace_on_changes", "additional_secret_outputs", "depends_on", "aliases")


class Transforms:
    """Calls the program back; one channel for each callback server."""

    def __init__(self) -> None:
        self._of_stack: list[Any] = []
        self._channels: dict[str, grpc.Channel] = {}

    def add_to_stack(self, callback: Any) -> None:
        self._of_stack.append(callback)

    def apply(self, request: Any) -> Any:
        """`request` (a `RegisterResourceRequest`) as the resource's own transforms, then the stack's, leave it."""
        callbacks = [*request.transforms, *self._of_stack]
        if not callbacks:
            return request
        transformed = resource_pb2.RegisterResourceRequest()
        transformed.CopyFrom(request)
        for callback in callbacks:
            response = self._call(callback, transformed)
            transformed.object.CopyFrom(response.properties)
            if response.HasField("options"):
                _take_options(response.options, transformed)
        return transformed

    def close(self) -> None:
        for channel in self._channels.values():
            channel.close()

    def _call(self, callback: Any, request: Any) -> Any:
        question = resource_pb2.TransformRequest(
            type=request.type,
            name=request.name,
            custom=request.custom,
            parent=request.parent,
            properties=request.object,
            options=_options_of(request),
        )
        if callback.target not in self._channels:
            self._channels[callback.target] = grpc.insecure_channel(callback.target)
        stub = callback_pb2_grpc.CallbacksStub(self._channels[callback.target])
        invoke = callback_pb2.CallbackInvokeRequest(token=callback.token, request=question.SerializeToString())
        try:
            answer = stub.Invoke(invoke)
        except grpc.RpcError as error:
            detail = str(error.details()).partition(" error: ")[2] or str(error.details())
            raise EngineError(f"a transform of {request.name} failed: {_first_line(detail)}") from error
        return resource_pb2.TransformResponse.FromString(answer.response)


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0].rstrip(":") if text.strip() else "no reason given"


def _options_of(request: Any) -> Any:
    options = resource_pb2.TransformResourceOptions()
    for name in _SAME_NAME:
        if value := getattr(request, name):
            setattr(options, name, value)
    for name, requested in _RENAMED.items():
        value = getattr(request, requested)
        if name in _REPEATED:
            getattr(options, name).extend(value)
        elif value:
            setattr(options, name, value)
    if request.deleteBeforeReplaceDefined:
        options.delete_before_replace = request.deleteBeforeReplace
    return options


def _take_options(options: Any, request: Any) -> None:
    for name in _SAME_NAME:
        setattr(request, name, getattr(options, name))
    for name, requested in _RENAMED.items():
        value: Sequence[Any] = getattr(options, name)
        if name in _REPEATED:
            request.ClearField(requested)
            getattr(request, requested).extend(value)
        else:
            setattr(request, requested, value)
    request.deleteBeforeReplaceDefined = options.HasField("delete_before_replace")
    request.deleteBeforeReplace = options.delete_before_replace
