"""Runs a Pulumi program without a cloud and records what it registers, as an engine would see it."""

# ruff: noqa: N802 - the methods have the names that the protocol gives them

import asyncio
import contextvars
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi
import pulumi.runtime
from google.protobuf import empty_pb2, json_format
from pulumi.runtime import settings
from pulumi.runtime.proto import engine_pb2, resource_pb2

PROJECT = "bailiwick"


@dataclass(frozen=True)
class Registration:
    """One registered resource."""

    type: str
    name: str
    parent: str
    """Name of the parent; empty for the stack."""
    inputs: Mapping[str, Any]
    depends_on: tuple[str, ...]
    """Names of the resources that must exist first."""
    options: Mapping[str, Any]
    """The options that differ from the default: protect, retainOnDelete, ignoreChanges, replaceOnChanges, …"""
    aliases: tuple[str, ...]
    """Types of the aliases that are sent to the engine."""
    provider: str
    """Name of the provider resource."""
    former_names: tuple[str, ...] = ()
    """Names that it had before, by its aliases."""


@dataclass
class Recording:
    """What a program registered, in the order in which the engine learned of it."""

    registrations: list[Registration] = field(default_factory=list)
    outputs: dict[str, Any] = field(default_factory=dict)
    """Outputs of the components and the stack, by resource name."""

    def __getitem__(self, name: str) -> Registration:
        return next(one for one in self.registrations if one.name == name)

    def of_type(self, *suffixes: str) -> Iterator[Registration]:
        """Registrations whose type ends in one of the suffixes, such as `keyvault:Key`."""
        return (one for one in self.registrations if one.type.endswith(suffixes))


class _Monitor:
    """The engine's side of the resource protocol (proto/pulumi/resource.proto), as far as components use it.

    It answers every registration with names for what only a cloud would know: `<resource.id>`.
    """

    def __init__(
        self, stack: str, computed: Callable[[Registration], dict[str, Any]], answers: Mapping[str, Mapping[str, Any]]
    ) -> None:
        self.recording = Recording()
        self._answers = answers
        self._stack = stack
        self._computed = computed

    def GetDeploymentInfo(self, request: Any) -> resource_pb2.DeploymentInfo:
        return resource_pb2.DeploymentInfo(
            supportedFeatures=[
                resource_pb2.RESOURCE_MONITOR_FEATURE_RESOURCE_REFERENCES,
                resource_pb2.RESOURCE_MONITOR_FEATURE_ALIAS_SPECS,
            ]
        )

    def RegisterResource(self, request: Any) -> resource_pb2.RegisterResourceResponse:
        parent_types = request.parent.split("::")[2] + "$" if request.parent else ""
        urn = f"urn:pulumi:{self._stack}::{PROJECT}::{parent_types}{request.type}::{request.name}"
        if request.type == "pulumi:pulumi:Stack":
            return resource_pb2.RegisterResourceResponse(urn=urn)
        registration = _registration(request)
        self.recording.registrations.append(registration)
        response = resource_pb2.RegisterResourceResponse(urn=urn)
        if request.custom:
            response.id = f"<{request.name}.id>"
            json_format.ParseDict(self._computed(registration), response.object)
        return response

    def RegisterResourceOutputs(self, request: Any) -> empty_pb2.Empty:
        self.recording.outputs[request.urn.rpartition("::")[2]] = json_format.MessageToDict(request.outputs)
        return empty_pb2.Empty()

    def SignalAndWaitForShutdown(self, request: Any) -> empty_pb2.Empty:
        return empty_pb2.Empty()

    def Invoke(self, request: Any) -> Any:
        if request.tok not in self._answers:
            raise AssertionError(f"the program asked a cloud: {request.tok}")
        response = resource_pb2.ResourceInvokeResponse()
        json_format.ParseDict(dict(self._answers[request.tok]), getattr(response, "return"))
        return response


class _Engine:
    """Where the SDK sends what a program logs; the tests look at what it registers instead."""

    def Log(self, request: Any) -> empty_pb2.Empty:
        return empty_pb2.Empty()

    def GetRootResource(self, request: Any) -> engine_pb2.GetRootResourceResponse:
        return engine_pb2.GetRootResourceResponse()

    def SetRootResource(self, request: Any) -> engine_pb2.SetRootResourceResponse:
        return engine_pb2.SetRootResourceResponse()


def record(
    program: Callable[[], object],
    *,
    stack: str,
    computed: Callable[[Registration], dict[str, Any]] = lambda _: {},
    config: Mapping[str, str] | None = None,
    answers: Mapping[str, Mapping[str, Any]] | None = None,
) -> Recording:
    """Run `program` as `stack` to its end and return what it registered; whatever it raises is raised here.

    `computed` gives the outputs that a cloud would add to a resource's inputs; `answers`, by token, what it would say
    to a function.
    """
    monitor = _Monitor(stack, computed, answers or {})

    def run() -> None:
        settings.ROOT.set(None)
        pulumi.runtime.configure(
            pulumi.runtime.Settings(project=PROJECT, stack=stack, monitor=monitor, engine=_Engine(), dry_run=False)
        )
        pulumi.runtime.set_all_config(dict(config or {}))
        asyncio.run(pulumi.runtime.run_in_stack(program))

    contextvars.copy_context().run(run)
    return monitor.recording


def _registration(request: Any) -> Registration:
    options = {
        "import": request.importId,
        "protect": request.protect,
        "retainOnDelete": request.retainOnDelete,
        "deleteBeforeReplace": request.deleteBeforeReplace,
        "ignoreChanges": list(request.ignoreChanges),
        "replaceOnChanges": list(request.replaceOnChanges),
    }
    parent = request.parent.rpartition("::")[2]
    return Registration(
        type=request.type,
        name=request.name,
        parent="" if "pulumi:pulumi:Stack" in request.parent.split("::")[2].split("$")[-1] else parent,
        inputs=json_format.MessageToDict(request.object),
        depends_on=tuple(sorted({urn.rpartition("::")[2] for urn in request.dependencies})),
        options={key: value for key, value in options.items() if value},
        aliases=tuple(alias.spec.type or alias.urn for alias in request.aliases),
        provider=request.provider.split("::")[-2] if request.provider else "",
        former_names=tuple(alias.spec.name for alias in request.aliases if alias.spec.name),
    )
