"""The two services that a program talks to, as objects: `pulumirpc.ResourceMonitor` and `pulumirpc.Engine`.

Only what the Python SDK calls is here, under the protocol's own names. What the local engine does not do is not
advertised as a feature, so that the SDK refuses it, or is refused here by name.
"""
# ruff: noqa: N802 - the methods carry the names of the protocol

from pathlib import Path
from typing import Any, Final

from google.protobuf import empty_pb2
from pulumi.runtime.proto import engine_pb2, provider_pb2, resource_pb2

from sandbox.engine.deploy import Deployment
from sandbox.engine.errors import EngineError
from sandbox.engine.events import Severity
from sandbox.engine.goal import Goal, goal_from
from sandbox.engine.position import position_of
from sandbox.engine.run import Run
from sandbox.engine.transforms import Transforms
from sandbox.engine.urn import make_urn
from sandbox.engine.wire import UNKNOWN_STRING, for_provider, from_struct, to_struct
from sandbox.provider import ProviderError

_FEATURES: Final = (
    resource_pb2.RESOURCE_MONITOR_FEATURE_SECRETS,
    resource_pb2.RESOURCE_MONITOR_FEATURE_RESOURCE_REFERENCES,
    resource_pb2.RESOURCE_MONITOR_FEATURE_ALIAS_SPECS,
    resource_pb2.RESOURCE_MONITOR_FEATURE_DELETED_WITH,
    resource_pb2.RESOURCE_MONITOR_FEATURE_TRANSFORMS,
    resource_pb2.RESOURCE_MONITOR_FEATURE_INVOKE_TRANSFORMS,
)
_STACK_REFERENCE: Final = "pulumi:pulumi:StackReference"
_GET_RESOURCE: Final = "pulumi:pulumi:getResource"


class LocalMonitor:
    """Answers a program's registrations from a deployment."""

    def __init__(self, run: Run, deployment: Deployment, directory: Path) -> None:
        self._run = run
        self._deployment = deployment
        self._directory = directory
        self._transforms = Transforms()

    def close(self) -> None:
        self._transforms.close()

    def GetDeploymentInfo(self, _request: Any) -> Any:
        return resource_pb2.DeploymentInfo(supportedFeatures=_FEATURES)

    def RegisterResource(self, request: Any) -> Any:
        urn = make_urn(self._run.stack, self._run.project, request.parent, request.type, request.name)
        goal = goal_from(self._transforms.apply(request, urn), urn)
        inherited = self._run.positions.get(goal.parent, "")
        self._run.positions[goal.urn] = position_of(request, self._directory) or inherited
        state = self._deployment.register(goal)
        if state is None:
            return resource_pb2.RegisterResourceResponse(urn=goal.urn, result=resource_pb2.FAIL)
        outputs = state.outputs if state.custom else {}
        return resource_pb2.RegisterResourceResponse(urn=state.urn, id=state.id, object=to_struct(outputs))

    def RegisterResourceOutputs(self, request: Any) -> Any:
        self._deployment.set_outputs(request.urn, from_struct(request.outputs))
        return empty_pb2.Empty()

    def ReadResource(self, request: Any) -> Any:
        if request.type == _STACK_REFERENCE:
            raise EngineError(
                f"stack reference {request.name}: the local engine knows one stack at a time; pass the value as"
                " configuration, or use --engine pulumi"
            )
        goal = Goal(
            urn=make_urn(self._run.stack, self._run.project, request.parent, request.type, request.name),
            type=request.type,
            custom=True,
            inputs=from_struct(request.properties),
            parent=request.parent,
            provider=request.provider,
            version=request.version,
            dependencies=tuple(sorted(request.dependencies)),
            additional_secret_outputs=tuple(request.additionalSecretOutputs),
        )
        if request.id in ("", UNKNOWN_STRING):
            return resource_pb2.ReadResourceResponse(urn=goal.urn, unknown=True)
        state = self._deployment.read(goal, request.id)
        if state is None:
            return resource_pb2.ReadResourceResponse(urn=goal.urn, result=resource_pb2.FAIL)
        return resource_pb2.ReadResourceResponse(urn=state.urn, id=state.id, properties=to_struct(state.outputs))

    def Invoke(self, request: Any) -> Any:
        request = self._transforms.apply_to_invoke(request)
        args = from_struct(request.args)
        if request.tok == _GET_RESOURCE:
            return self._get_resource(str(args.get("urn")))
        try:
            provider = self._deployment.provider(request.tok, request.version)
            result = provider.invoke(request.tok, for_provider(args))
        except ProviderError as error:
            reason = self._run.redactor.clean(str(error))
            return resource_pb2.ResourceInvokeResponse(failures=[provider_pb2.CheckFailure(reason=reason)])
        return _invoke_response(to_struct(result))

    def _get_resource(self, urn: str) -> Any:
        state = self._deployment.deployed(urn)
        if state is None:
            raise EngineError(f"{urn} is not a resource of this stack")
        return _invoke_response(to_struct({"urn": urn, "id": state.id, "state": state.outputs}))

    def Call(self, request: Any) -> Any:
        raise EngineError(f"{request.tok}: methods of resources need the pulumi command (--engine pulumi)")

    def RegisterPackage(self, request: Any) -> Any:
        raise EngineError(f"package {request.name}: parameterized providers need the pulumi command (--engine pulumi)")

    def RegisterStackTransform(self, callback: Any) -> Any:
        self._transforms.add_to_stack(callback)
        return empty_pb2.Empty()

    def RegisterStackInvokeTransform(self, callback: Any) -> Any:
        self._transforms.add_to_invokes(callback)
        return empty_pb2.Empty()

    def SignalAndWaitForShutdown(self, _request: Any) -> Any:
        self.close()  # the SDK stops the server of the transforms next, and gRPC would tell the user
        return empty_pb2.Empty()


def _invoke_response(returned: Any) -> Any:
    response = resource_pb2.ResourceInvokeResponse()
    getattr(response, "return").CopyFrom(returned)
    return response


class LocalLog:
    """Takes what a program says with `pulumi.log`."""

    _SEVERITIES: Final[dict[int, Severity]] = {
        engine_pb2.DEBUG: "debug",
        engine_pb2.INFO: "info",
        engine_pb2.WARNING: "warning",
        engine_pb2.ERROR: "error",
    }

    def __init__(self, run: Run) -> None:
        self._run = run

    def Log(self, request: Any) -> Any:
        severity = self._SEVERITIES[request.severity]
        if severity != "debug":
            self._run.message(severity, request.message, request.urn)
        return empty_pb2.Empty()
