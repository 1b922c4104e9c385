"""Emulated clouds as provider plugins of the real engine: `pulumirpc.ResourceProvider` over gRPC, on loopback only.

The engine attaches to them where `PULUMI_DEBUG_PROVIDERS` names their ports (pkg/resource/plugin/provider_plugin.go,
GetProviderAttachPort), so that it looks for no plugin. A refusal is answered with FAILED_PRECONDITION, which the engine
takes as "nothing happened"; codes Unknown and Internal would leave the resource in doubt.
"""

import functools
import json
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.protobuf import empty_pb2, struct_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from sandbox.clouds.package_schema import package_schema
from sandbox.engine.errors import EngineError
from sandbox.engine.paths import value_at
from sandbox.engine.wire import for_provider, from_struct, to_struct
from sandbox.provider import Diff, Properties, Provider, ProviderError

_LOOPBACK = "127.0.0.1"
_MAX_MESSAGE_BYTES = 400 * 1024 * 1024  # the engine's own limit (sdk/go/common/util/rpcutil)
_WORKERS = 16
_STOP_SECONDS = 5.0

_Handler = Callable[["Servicer", Any, grpc.ServicerContext], Any]


@dataclass(frozen=True, slots=True)
class Served:
    """Providers that are being served: `ports` by package. `stop` ends it and waits for calls in progress."""

    ports: Mapping[str, int]
    _servers: tuple[grpc.Server, ...] = field(repr=False)

    @property
    def debug_providers(self) -> str:
        """The value of `PULUMI_DEBUG_PROVIDERS`: `azure-native:PORT,…`."""
        return ",".join(f"{package}:{port}" for package, port in sorted(self.ports.items()))

    def stop(self) -> None:
        for event in [server.stop(_STOP_SECONDS) for server in self._servers]:
            event.wait()


def serve(providers: Mapping[str, Provider]) -> Served:
    """Serve each provider on a free port of 127.0.0.1."""
    ports: dict[str, int] = {}
    servers: list[grpc.Server] = []
    for package, provider in providers.items():
        server = grpc.server(
            ThreadPoolExecutor(_WORKERS, thread_name_prefix=package),
            options=[
                ("grpc.max_receive_message_length", _MAX_MESSAGE_BYTES),
                ("grpc.max_send_message_length", _MAX_MESSAGE_BYTES),
            ],
        )
        provider_pb2_grpc.add_ResourceProviderServicer_to_server(Servicer(provider), server)
        ports[package] = server.add_insecure_port(f"{_LOOPBACK}:0")
        server.start()
        servers.append(server)
    return Served(ports, tuple(servers))


def _answering(handler: _Handler) -> _Handler:
    """Turn what a provider refuses into a gRPC status."""

    @functools.wraps(handler)
    def answer(servicer: "Servicer", request: Any, context: grpc.ServicerContext) -> Any:
        try:
            return handler(servicer, request, context)
        except ProviderError as error:
            return context.abort(grpc.StatusCode.FAILED_PRECONDITION, str(error))
        except EngineError as error:
            return context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))

    return answer


class Servicer(provider_pb2_grpc.ResourceProviderServicer):
    """One provider's side of the protocol. What is not overridden (Construct, Parameterize, …) is UNIMPLEMENTED."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    def Handshake(self, _request: Any, _context: Any) -> Any:  # noqa: N802 - the protocol's name, as all below
        return provider_pb2.ProviderHandshakeResponse(accept_secrets=False, accept_resources=False)

    def Attach(self, _request: Any, _context: Any) -> Any:  # noqa: N802
        return empty_pb2.Empty()

    def Cancel(self, _request: Any, _context: Any) -> Any:  # noqa: N802
        return empty_pb2.Empty()

    def GetPluginInfo(self, _request: Any, _context: Any) -> Any:  # noqa: N802
        return plugin_pb2.PluginInfo(version=self._provider.version)

    def GetSchema(self, _request: Any, _context: Any) -> Any:  # noqa: N802
        """What languages without an SDK of the package, such as YAML, know of it."""
        types = getattr(self._provider, "types", ())
        schema = package_schema(self._provider.package, self._provider.version, types)
        return provider_pb2.GetSchemaResponse(schema=json.dumps(schema))

    def CheckConfig(self, request: Any, _context: Any) -> Any:  # noqa: N802
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, _request: Any, _context: Any) -> Any:  # noqa: N802
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)

    @_answering
    def Configure(self, request: Any, _context: grpc.ServicerContext) -> Any:  # noqa: N802
        config = _read(request.args)
        for key, value in request.variables.items():
            config.setdefault(key.rsplit(":", 1)[-1], value)
        self._provider.configure(config)
        return provider_pb2.ConfigureResponse(acceptSecrets=False, supportsPreview=True)

    @_answering
    def Check(self, request: Any, _context: grpc.ServicerContext) -> Any:  # noqa: N802
        checked = self._provider.check(request.urn, _read(request.olds), _read(request.news))
        failures = [
            provider_pb2.CheckFailure(property=failure.property, reason=failure.reason) for failure in checked.failures
        ]
        return provider_pb2.CheckResponse(inputs=to_struct(checked.inputs), failures=failures)

    @_answering
    def Diff(self, request: Any, _context: grpc.ServicerContext) -> Any:  # noqa: N802
        olds, news = _read(request.old_inputs), _read(request.news)
        diff = self._provider.diff(request.urn, request.id, olds, _read(request.olds), news)
        return _diff_response(diff, olds, news)

    @_answering
    def Create(self, request: Any, _context: grpc.ServicerContext) -> Any:  # noqa: N802
        created = self._provider.create(request.urn, _read(request.properties), preview=request.preview)
        return provider_pb2.CreateResponse(id=created.id, properties=to_struct(created.outputs))

    @_answering
    def Read(self, request: Any, _context: grpc.ServicerContext) -> Any:  # noqa: N802
        live = self._provider.read(request.urn, request.id, _read(request.inputs))
        if live is None:
            return provider_pb2.ReadResponse()
        return provider_pb2.ReadResponse(id=live.id, properties=to_struct(live.outputs), inputs=to_struct(live.inputs))

    @_answering
    def Update(self, request: Any, _context: grpc.ServicerContext) -> Any:  # noqa: N802
        outputs = self._provider.update(
            request.urn, request.id, _read(request.old_inputs), _read(request.news), preview=request.preview
        )
        return provider_pb2.UpdateResponse(properties=to_struct(outputs))

    @_answering
    def Delete(self, request: Any, _context: grpc.ServicerContext) -> Any:  # noqa: N802
        self._provider.delete(request.urn, request.id, _read(request.properties))
        return empty_pb2.Empty()

    @_answering
    def Invoke(self, request: Any, _context: grpc.ServicerContext) -> Any:  # noqa: N802
        answer = self._provider.invoke(request.tok, _read(request.args))
        return provider_pb2.InvokeResponse(**{"return": to_struct(answer)})


def _read(struct: struct_pb2.Struct) -> Properties:
    values: Properties = for_provider(from_struct(struct))
    return values


def _diff_response(diff: Diff, olds: Properties, news: Properties) -> Any:
    kinds = provider_pb2.PropertyDiff
    detailed = {}
    for path in diff.changed:
        if value_at(olds, path) is None:
            kind = (kinds.ADD, kinds.ADD_REPLACE)
        elif value_at(news, path) is None:
            kind = (kinds.DELETE, kinds.DELETE_REPLACE)
        else:
            kind = (kinds.UPDATE, kinds.UPDATE_REPLACE)
        detailed[path] = provider_pb2.PropertyDiff(kind=kind[path in diff.replaces], inputDiff=True)
    some = provider_pb2.DiffResponse.DIFF_SOME
    return provider_pb2.DiffResponse(
        changes=some if diff.changed else provider_pb2.DiffResponse.DIFF_NONE,
        replaces=_heads(diff.replaces),
        diffs=_heads(diff.changed),
        detailedDiff=detailed,
        hasDetailedDiff=True,
        deleteBeforeReplace=diff.delete_before_replace,
    )


def _heads(paths: Iterable[str]) -> list[str]:
    """The top-level properties of paths."""
    return sorted({path.split(".")[0].split("[")[0] for path in paths})
