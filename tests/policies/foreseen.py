"""What an engine knows of a program at preview: every registration, with unknown ids and unknown computed outputs."""

import asyncio
import contextvars
import json
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pulumi
import pulumi.runtime
import yaml
from google.protobuf import struct_pb2
from pulumi.runtime import mocks, proto, settings

PROJECT = "bailiwick"
PROGRAM = Path(__file__).parents[2] / "stacks"


class _Monitor(mocks.MockMonitor):
    """Knows what the program says and nothing that only a cloud could add, as in the preview of a new stack."""

    def __init__(self) -> None:
        super().__init__(_NoCloud())
        self.requests: dict[str, Any] = {}
        self.outputs: dict[str, Any] = {}

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 - the name in the protocol
        parent = request.parent.split("::")[2] + "$" if request.parent else ""
        parent = "" if parent.startswith("pulumi:pulumi:Stack") else parent
        urn = f"urn:pulumi:preview::{PROJECT}::{parent}{request.type}::{request.name}"
        self.requests[urn] = request
        self.outputs[urn] = struct_pb2.Struct()
        self.outputs[urn].CopyFrom(request.object)
        # A list of ids goes in, a mapping by id comes out, which the SDK could not translate back.
        self.outputs[urn].fields.pop("identity", None)
        return proto.RegisterResourceResponse(urn=urn, id="", object=self.outputs[urn])

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802 - the name in the protocol
        self.outputs[request.urn] = request.outputs
        return super().RegisterResourceOutputs(request)


class _NoCloud(mocks.Mocks):
    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        raise AssertionError("registrations are answered by the monitor")

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[str, Any], None]:
        raise AssertionError(f"the program asked a cloud: {args.token}")


class Foreseen:
    """A previewed program as the two kinds of requests that a policy pack gets."""

    def __init__(self, monitor: _Monitor) -> None:
        self._requests = monitor.requests
        self._outputs = monitor.outputs

    def resources(self) -> list[Any]:
        return [
            proto.AnalyzeRequest(
                type=request.type,
                urn=urn,
                name=request.name,
                properties=request.object,
                provider=self._provider(request),
            )
            for urn, request in self._requests.items()
        ]

    def stack(self) -> Any:
        return proto.AnalyzeStackRequest(
            resources=[
                proto.AnalyzerResource(
                    type=request.type,
                    urn=urn,
                    name=request.name,
                    properties=self._outputs[urn],
                    provider=self._provider(request),
                    parent=request.parent,
                    dependencies=request.dependencies,
                    propertyDependencies={
                        key: proto.AnalyzerPropertyDependencies(urns=value.urns)
                        for key, value in request.propertyDependencies.items()
                    },
                )
                for urn, request in self._requests.items()
            ]
        )

    def _provider(self, request: Any) -> Any:
        urn = request.provider.rpartition("::")[0]
        if urn not in self._requests:
            return None
        provider = self._requests[urn]
        return proto.AnalyzerProviderResource(
            type=provider.type, urn=urn, name=provider.name, properties=provider.object
        )


def stack_configuration(stack: str) -> dict[str, str]:
    """The configuration in the stack's file, as Pulumi hands it to a program."""
    document = yaml.safe_load((PROGRAM / f"Pulumi.{stack}.yaml").read_text())
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in document["config"].items()}


def preview(program: Callable[[], object], *, stack: str, config: dict[str, str]) -> Foreseen:
    """Run `program` to its end as a preview of a stack that does not exist yet."""
    monitor = _Monitor()

    def run() -> None:
        settings.ROOT.set(None)
        pulumi.runtime.configure(
            pulumi.runtime.Settings(
                project=PROJECT, stack=stack, monitor=monitor, engine=mocks.MockEngine(None), dry_run=True
            )
        )
        pulumi.runtime.set_all_config(config)
        asyncio.run(pulumi.runtime.run_in_stack(program))

    contextvars.copy_context().run(run)
    return Foreseen(monitor)


def preview_stack(stack: str, **changes: str) -> Foreseen:
    """Preview a stack of this repository by its own program and its own file, with some of that changed."""
    config = stack_configuration(stack) | {f"bailiwick:{key}": value for key, value in changes.items()}

    def program() -> None:
        runpy.run_path(str(PROGRAM / "__main__.py"), run_name="__main__")

    return preview(program, stack=stack, config=config)
