"""Runs rules the way the engine does: through the SDK's own servicer, with real protobuf requests.

`policy.validate(args)` with hand-made arguments hides what happens at run time (proxies, unknown values, unwrapped
secrets; pulumi-policy#445). This module builds `AnalyzeRequest`s, sentinels included, and reads the responses.
"""

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import copy_context
from dataclasses import dataclass
from typing import Any, Final

import pulumi
from google.protobuf import struct_pb2
from pulumi.runtime import proto
from pulumi_policy import EnforcementLevel, Policy
from pulumi_policy.deserialize import SPECIAL_SECRET_SIG, SPECIAL_SIG_KEY
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE

from policies import examples
from policies.analyzer import FailClosedAnalyzer
from policies.context import NAMESPACE, TODAY
from policies.pack import NAME, VERSION
from policies.rule import STACK_SUFFIX, Example, ExampleResource
from policies.verdict import UNKNOWN_PREFIX

UNKNOWN: Final = UNKNOWN_STRING_VALUE
"""Put this where a value exists only after deployment."""
_STACK_URN = "urn:pulumi:example::bailiwick::pulumi:pulumi:Stack::bailiwick-example"


@dataclass(frozen=True, slots=True)
class Violation:
    """One violation as the engine receives it. `urn` is empty for the stack."""

    rule: str
    urn: str
    message: str
    mandatory: bool

    @property
    def unknown(self) -> bool:
        """Whether it is about a value that exists only after deployment."""
        return self.message.startswith(UNKNOWN_PREFIX)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a pack says about a stack: its violations, and where which rule did not apply, by rule and URN."""

    violations: tuple[Violation, ...]
    not_applicable: Mapping[tuple[str, str], str]


def secret(value: object) -> dict[str, object]:
    """`value` as the engine sends a secret."""
    return {SPECIAL_SIG_KEY: SPECIAL_SECRET_SIG, "value": value}


def urn(resource: ExampleResource) -> str:
    """The URN under which the resource of an example is analyzed."""
    return f"urn:pulumi:example::bailiwick::{resource.type}::{resource.name}"


def judge(policies: Sequence[Policy], example: Example) -> Outcome:
    """Analyze every resource of `example`, then the stack, as the engine does at preview."""
    return copy_context().run(_judge, policies, example)


def _judge(policies: Sequence[Policy], example: Example) -> Outcome:
    TODAY.set(examples.TODAY)
    config = {**examples.CONFIG, **example.config}
    pulumi.runtime.set_all_config({f"{NAMESPACE}:{key}": value for key, value in config.items() if value})
    analyzer = FailClosedAnalyzer(NAME, VERSION, list(policies), EnforcementLevel.MANDATORY)
    violations: list[Violation] = []
    not_applicable: dict[tuple[str, str], str] = {}

    def take(response: Any, on: str) -> None:
        for diagnostic in response.diagnostics:
            rule = diagnostic.policyName.removesuffix(STACK_SUFFIX)
            message = diagnostic.message.removeprefix(diagnostic.description + "\n")
            mandatory = diagnostic.enforcementLevel == proto.MANDATORY
            violations.append(Violation(rule, diagnostic.urn or on, message, mandatory))
        for skipped in response.not_applicable:
            not_applicable[skipped.policy_name, on] = skipped.reason

    for resource in example.resources:
        take(analyzer.Analyze(_request(resource), None), urn(resource))
    take(analyzer.AnalyzeStack(_stack_request(example.resources), None), "")
    return Outcome(tuple(violations), not_applicable)


def _request(resource: ExampleResource) -> Any:
    return proto.AnalyzeRequest(
        type=resource.type, name=resource.name, urn=urn(resource), properties=_struct(resource.props)
    )


def _stack_request(resources: Sequence[ExampleResource]) -> Any:
    urns = {resource.name: urn(resource) for resource in resources}
    return proto.AnalyzeStackRequest(
        resources=[
            proto.AnalyzerResource(
                type=resource.type,
                name=resource.name,
                urn=urns[resource.name],
                properties=_struct(resource.props),
                parent=urns.get(resource.parent or "", _STACK_URN),
                propertyDependencies={
                    key: proto.AnalyzerPropertyDependencies(urns=[urns[name] for name in names if name in urns])
                    for key, names in resource.uses.items()
                },
            )
            for resource in resources
        ]
    )


def _struct(props: Mapping[str, Any]) -> Any:
    struct = struct_pb2.Struct()
    struct.update(dict(props))
    return struct


Path = tuple[str | int, ...]


def leaves(value: Any, path: Path = ()) -> Iterator[Path]:
    """The path of every value in a property bag that is not an object or a list with something in it."""
    items = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    inner = list(items)
    if not inner:
        yield path
    for key, item in inner:
        yield from leaves(item, (*path, key))


def shown(path: Path) -> str:
    """`path` as a rule's messages spell it: `subnets[0].natGateway`."""
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path).removeprefix(".")


def variant(example: Example, name: str, path: Path, change: Callable[[Any], Any]) -> Example:
    """`example` with the value at `path` of the resource `name` put through `change`."""

    def changed(resource: ExampleResource) -> ExampleResource:
        props = copy.deepcopy(dict(resource.props))
        holder: Any = props
        for key in path[:-1]:
            holder = holder[key]
        holder[path[-1]] = change(holder[path[-1]])
        return ExampleResource(resource.type, resource.name, props, resource.uses, resource.parent)

    resources = tuple(changed(one) if one.name == name else one for one in example.resources)
    return Example(example.says, resources, example.config)
