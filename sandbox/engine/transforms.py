"""Transforms: functions of the program that the engine calls back with what is about to be registered or invoked.

The SDK serves them on a port of its own and hands the engine a token for each (proto/pulumi/callback.proto). A resource
is shown to its own transforms first, then to its parents', nearest first, then to the stack's
(pkg/resource/deploy/source_eval.go, RegisterResource). (The older *transformations* run in the SDK and never reach a
monitor.)
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import grpc
from pulumi.runtime.proto import callback_pb2, callback_pb2_grpc, resource_pb2

from sandbox.engine.errors import EngineError
from sandbox.engine.output_values import add_dependencies, dependencies_in, upgrade

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


_OF_INVOKE: Final = {"provider": "provider", "version": "version", "plugin_download_url": "pluginDownloadURL"}
_UNLIMITED: Final = (("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1))


class Transforms:
    """Calls the program back; one channel for each callback server."""

    def __init__(self) -> None:
        self._of_stack: list[Any] = []
        self._of_invokes: list[Any] = []
        self._of_resource: dict[str, tuple[Any, ...]] = {}
        self._parents: dict[str, str] = {}
        self._channels: dict[str, grpc.Channel] = {}

    def add_to_stack(self, callback: Any) -> None:
        self._of_stack.append(callback)

    def add_to_invokes(self, callback: Any) -> None:
        self._of_invokes.append(callback)

    def apply(self, request: Any, urn: str) -> Any:
        """`request` (a `RegisterResourceRequest` for `urn`) as its own, its parents' and the stack's transforms leave
        it. What they change loses the dependencies of single properties, those of the whole resource stay."""
        self._of_resource[urn], self._parents[urn] = tuple(request.transforms), request.parent
        callbacks = [*self._inherited(urn), *self._of_stack]
        if not callbacks:
            return request
        transformed = resource_pb2.RegisterResourceRequest()
        transformed.CopyFrom(request)
        upgrade(transformed.object)
        if request.transforms:
            add_dependencies(transformed.object, {key: one.urns for key, one in request.propertyDependencies.items()})
        for callback in callbacks:
            self._transform(callback, transformed)
        _restate_dependencies(transformed)
        return transformed

    def apply_to_invoke(self, request: Any) -> Any:
        """`request` (a `ResourceInvokeRequest`) as the stack's transforms of invokes leave it."""
        if not self._of_invokes:
            return request
        transformed = resource_pb2.ResourceInvokeRequest()
        transformed.CopyFrom(request)
        for callback in self._of_invokes:
            options = resource_pb2.TransformInvokeOptions(
                **{name: getattr(transformed, requested) for name, requested in _OF_INVOKE.items()}
            )
            question = resource_pb2.TransformInvokeRequest(
                token=transformed.tok, args=transformed.args, options=options
            )
            answer = resource_pb2.TransformInvokeResponse.FromString(self._call(callback, question, transformed.tok))
            if answer.HasField("args"):
                transformed.args.CopyFrom(answer.args)
            if answer.HasField("options"):
                for name, requested in _OF_INVOKE.items():
                    setattr(transformed, requested, getattr(answer.options, name))
        return transformed

    def close(self) -> None:
        while self._channels:
            self._channels.popitem()[1].close()

    def _inherited(self, urn: str) -> Iterator[Any]:
        """The transforms of `urn` and of what it is inside of."""
        while urn:
            yield from self._of_resource.get(urn, ())
            urn = self._parents.get(urn, "")

    def _transform(self, callback: Any, request: Any) -> None:
        question = resource_pb2.TransformRequest(
            type=request.type,
            name=request.name,
            custom=request.custom,
            parent=request.parent,
            properties=request.object,
            options=_options_of(request),
        )
        answer = resource_pb2.TransformResponse.FromString(self._call(callback, question, request.name))
        if answer.HasField("properties"):
            request.object.CopyFrom(answer.properties)
        if answer.HasField("options"):
            _take_options(answer.options, request)

    def _call(self, callback: Any, question: Any, name: str) -> bytes:
        if callback.target not in self._channels:
            self._channels[callback.target] = grpc.insecure_channel(callback.target, options=_UNLIMITED)
        stub = callback_pb2_grpc.CallbacksStub(self._channels[callback.target])
        invoke = callback_pb2.CallbackInvokeRequest(token=callback.token, request=question.SerializeToString())
        try:
            answer: bytes = stub.Invoke(invoke).response
        except grpc.RpcError as error:
            detail = str(error.details()).partition(" error: ")[2] or str(error.details())
            raise EngineError(f"a transform of {name} failed: {_first_line(detail)}") from error
        return answer


def _restate_dependencies(request: Any) -> None:
    """Say of `request` what its properties depend on now. Only a resource with transforms of its own loses what was
    said before: the engine keeps it for one that is changed by its parents or the stack."""
    found = {key: dependencies_in(value) for key, value in request.object.fields.items()}
    if request.transforms:
        request.ClearField("propertyDependencies")
        whole = set(request.dependencies).union(*found.values())
        request.ClearField("dependencies")
        request.dependencies.extend(sorted(whole))
    for key, urns in found.items():
        known = request.propertyDependencies[key].urns
        known.extend(sorted(urns - set(known)))


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
