"""Runs a policy pack the way the real engine does: real protobuf requests to pulumi-policy's own servicer.

All policies are asked at once, because the servicer reads the request anew each time; where that raises, each is asked
alone, so that the exception can be laid at the right policy's door. Two answers of the SDK are read fail-closed: "can't
run policy", which it gives (as advisory, whatever the policy's level) when a policy reads an unknown value, and a
violation whose message starts with `unknown:`, which is what our rules report for the same reason. Both are `unknown`,
at the policy's own level.
"""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from google.protobuf import empty_pb2
from pulumi.runtime.proto import analyzer_pb2
from pulumi_policy import EnforcementLevel, Policy

from policies.deserialization import OncePerRequest
from policies.waivers import waived
from sandbox.engine.analyzer_process import AnalyzerProcess, answer, can_judge_apart
from sandbox.engine.errors import PolicyError
from sandbox.engine.events import Level, Status, Verdict
from sandbox.engine.paths import differences, value_at
from sandbox.engine.resource import ResourceState
from sandbox.engine.secrets import Redactor
from sandbox.engine.urn import name_of
from sandbox.engine.wire import from_struct, shown, to_struct
from sandbox.provider import Properties
from sandbox.values import Value

PACK_NAME: Final = "bailiwick"
PACK_VERSION: Final = "0.0.1"
UNKNOWN_PREFIX: Final = "unknown:"
CANNOT_RUN_PREFIX: Final = "can't run policy"

_SEVERITIES: Final = {
    analyzer_pb2.POLICY_SEVERITY_LOW: "low",
    analyzer_pb2.POLICY_SEVERITY_MEDIUM: "medium",
    analyzer_pb2.POLICY_SEVERITY_HIGH: "high",
    analyzer_pb2.POLICY_SEVERITY_CRITICAL: "critical",
}


@dataclass(frozen=True, slots=True)
class _Rule:
    name: str
    description: str
    level: Level
    severity: str
    is_stack_rule: bool
    servicer: Any


class PolicyHost:
    """A policy pack, each policy at its own level: the sandbox has no switch that makes a rule weaker.

    `remediate` names policies that may put right what they find (`EnforcementLevel.REMEDIATE`). `apart`: in a preview,
    which no verdict stops, another process judges resources where one can, and verdicts on them are outstanding.
    """

    def __init__(self, policies: Sequence[Policy], remediate: Collection[str] = (), *, apart: bool = False) -> None:
        self._apart = apart
        self._process: AnalyzerProcess | None = None
        self._rules = [rule for policy in policies if (rule := _rule(policy)) is not None]
        self._servicer = _servicer(policies)
        self._remedies = [rule for rule in self._rules if rule.name in remediate]
        for rule in self._remedies:
            level = analyzer_pb2.PolicyConfig(enforcementLevel=analyzer_pb2.REMEDIATE)
            rule.servicer.Configure(analyzer_pb2.ConfigureAnalyzerRequest(policyConfig={rule.name: level}), None)

    def begin(self) -> None:
        """A preview begins, with the stack's configuration in sight."""
        if self._apart and can_judge_apart():
            self._process = AnalyzerProcess(self._servicer)

    def end(self) -> None:
        """The preview is over."""
        if self._process is not None:
            self._process.end()
            self._process = None

    def outstanding(self, redactor: Redactor) -> Iterator[list[Verdict]]:
        """What was asked of another process and not yet told, each resource's verdicts at once."""
        rules = [rule for rule in self._rules if not rule.is_stack_rule]
        for request, response in self._process.collect() if self._process is not None else ():
            yield self._read(rules, "Analyze", request, response, request.urn, redactor)

    def remedy_resource(
        self, state: ResourceState, inputs: Properties, redactor: Redactor
    ) -> tuple[Properties, list[str]]:
        """`inputs` as remedies leave them, and one line for each value that one of them changed."""
        told = []
        for rule in self._remedies:
            request = _request(state, inputs, None)
            for remedy in _called(rule, rule.servicer.Remediate, request, state.urn, redactor).remediations:
                former, inputs = inputs, from_struct(remedy.properties)
                for path in differences(former, inputs):
                    was, now = (_printed(shown(value_at(one, path))) for one in (former, inputs))
                    told.append(f"{rule.name} remediated {state.type} {name_of(state.urn)}: {path} {was} → {now}")
        return inputs, told

    def judge_resource(
        self, state: ResourceState, inputs: Properties, provider: ResourceState | None, redactor: Redactor
    ) -> list[Verdict]:
        """What every resource policy says about one resource, on its checked inputs, before it is deployed."""
        rules = [rule for rule in self._rules if not rule.is_stack_rule]
        if not rules:
            return []
        request = _request(state, inputs, provider)
        if self._process is not None:
            self._process.ask("Analyze", request)
            return []
        return self._ask(rules, "Analyze", request, state.urn, redactor)

    def judge_stack(self, stack_urn: str, states: Iterable[ResourceState], redactor: Redactor) -> list[Verdict]:
        """What every stack policy says about the whole stack, on outputs (in a preview, on foreseen outputs)."""
        rules = [rule for rule in self._rules if rule.is_stack_rule]
        if not rules:
            return []
        states = list(states)
        by_urn = {state.urn: state for state in states}
        request = analyzer_pb2.AnalyzeStackRequest(
            resources=[
                analyzer_pb2.AnalyzerResource(
                    type=state.type,
                    urn=state.urn,
                    name=name_of(state.urn),
                    properties=to_struct(state.outputs),
                    options=_options(state),
                    provider=_provider(by_urn.get(state.provider_urn)),
                    parent=state.parent,
                    dependencies=state.dependencies,
                    propertyDependencies={
                        key: analyzer_pb2.AnalyzerPropertyDependencies(urns=urns)
                        for key, urns in state.property_dependencies.items()
                    },
                )
                for state in states
            ]
        )
        return self._ask(rules, "AnalyzeStack", request, stack_urn, redactor)

    def _ask(self, rules: Sequence[_Rule], method: str, request: Any, urn: str, redactor: Redactor) -> list[Verdict]:
        """What each of `rules` says: the answers of `method` of the servicer, by the names of the policies."""
        if self._process is not None:
            self._process.ask(method, request)
            ((_, response),) = self._process.collect()
        else:
            response = answer(self._servicer, method, request)
        return self._read(rules, method, request, response, urn, redactor)

    def _read(
        self, rules: Sequence[_Rule], method: str, request: Any, response: Any | None, urn: str, redactor: Redactor
    ) -> list[Verdict]:
        """What each of `rules` says in `response`, which is None where one of them raised."""
        if response is None:
            for rule in rules:
                _called(rule, getattr(rule.servicer, method), request, urn, redactor)
            raise PolicyError(f"a policy failed on {urn}, once; what is not judged is not deployed")
        diagnostics, not_applicable = defaultdict(list), defaultdict(list)
        for diagnostic in response.diagnostics:
            diagnostics[diagnostic.policyName].append(diagnostic)
        for reason in response.not_applicable:
            not_applicable[reason.policy_name].append(reason.reason)
        return [
            verdict
            for rule in rules
            for verdict in _verdicts(rule, diagnostics[rule.name], not_applicable[rule.name], urn, redactor)
        ]


def _servicer(policies: Sequence[Policy]) -> Any:
    return OncePerRequest(PACK_NAME, PACK_VERSION, list(policies), EnforcementLevel.MANDATORY)


def _rule(policy: Policy) -> _Rule | None:
    servicer = _servicer([policy])
    info = servicer.GetAnalyzerInfo(empty_pb2.Empty(), None).policies[0]
    level = info.enforcementLevel
    if level == analyzer_pb2.DISABLED:
        return None
    return _Rule(
        policy.name,
        policy.description,
        "advisory" if level == analyzer_pb2.ADVISORY else "mandatory",
        _SEVERITIES.get(info.severity, ""),
        info.policy_type == analyzer_pb2.POLICY_TYPE_STACK,
        servicer,
    )


def _printed(value: Value) -> str:
    """`value` as a stack file would have it."""
    if value is None:
        return "not stated"
    return value if isinstance(value, str) else json.dumps(value)


def _request(state: ResourceState, inputs: Properties, provider: ResourceState | None) -> analyzer_pb2.AnalyzeRequest:
    return analyzer_pb2.AnalyzeRequest(
        type=state.type,
        urn=state.urn,
        name=name_of(state.urn),
        properties=to_struct(inputs),
        options=_options(state),
        provider=_provider(provider),
    )


def _options(state: ResourceState) -> analyzer_pb2.AnalyzerResourceOptions:
    return analyzer_pb2.AnalyzerResourceOptions(
        protect=state.protect,
        ignoreChanges=state.ignore_changes,
        additionalSecretOutputs=state.additional_secret_outputs,
        parent=state.parent,
    )


def _provider(provider: ResourceState | None) -> analyzer_pb2.AnalyzerProviderResource | None:
    if provider is None:
        return None
    return analyzer_pb2.AnalyzerProviderResource(
        type=provider.type, urn=provider.urn, name=name_of(provider.urn), properties=to_struct(provider.inputs)
    )


def _called(rule: _Rule, method: Any, request: Any, urn: str, redactor: Redactor) -> Any:
    try:
        return method(request, None)
    except Exception as error:
        detail = redactor.clean(f"{type(error).__name__}: {error}")
        raise PolicyError(
            f"policy {rule.name} failed on {urn}: {detail}; what is not judged is not deployed"
        ) from error


def _verdicts(
    rule: _Rule, diagnostics: Sequence[Any], not_applicable: Sequence[str], urn: str, redactor: Redactor
) -> Iterator[Verdict]:
    """What one policy says of `urn`; that it passes, where it says nothing."""

    def verdict(status: Status, message: str = "", on: str = "") -> Verdict:
        return Verdict(rule.name, on or urn, rule.level, status, redactor.clean(message), rule.severity)

    if not diagnostics and not not_applicable:
        yield verdict("pass")
    for diagnostic in diagnostics:
        message = diagnostic.message.removeprefix(rule.description).lstrip("\n")
        is_unknown = message.startswith((UNKNOWN_PREFIX, CANNOT_RUN_PREFIX))
        yield verdict("unknown" if is_unknown else "fail", message or rule.description, diagnostic.urn)
    for reason in not_applicable:
        findings = waived(reason)
        yield from (verdict("waived", finding, on) for on, finding in findings)
        if not findings:
            yield verdict("not_applicable", reason)
