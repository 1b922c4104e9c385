"""The SDK's analyzer, closed against configuration that it does not know.

Pulumi passes an entry for a rule that does not exist, and a key that no rule reads, without a word
(`pkg/resource/analyzer/config.go` of the CLI): a typing error in `--policy-pack-config` would switch nothing on. Here
it stops the run, and so does an attempt to make a rule less than mandatory. The one level that a person may choose is
`remediate`, for a rule that can put a value right by itself.
"""

import sys
from collections.abc import Iterable, Mapping
from typing import Any

import grpc
from google.protobuf import json_format
from pulumi.runtime import proto
from pulumi_policy import EnforcementLevel, Policy, PolicyPack, ResourceValidationPolicy
from pulumi_policy import policy as sdk

import catalog
from policies.deserialization import OncePerRequest
from policies.pack import NAME, build
from policies.rule import STACK_SUFFIX
from policies.waivers import WaiverError

ALL = "all"
"""Pulumi's own name for every policy of a pack; it takes a level and nothing else."""


class FailClosedAnalyzer(OncePerRequest):
    """The SDK's one class that hosts policies, with a strict `Configure`.

    It is private, and the SDK offers no other place to see the configuration as a whole (1.21.0).
    """

    def __init__(self, name: str, version: str, policies: list[Any], *others: Any) -> None:
        super().__init__(name, version, policies, *others)
        self._levels = {policy.name: _levels(policy) for policy in policies}
        self._settings = {policy.name: _settings(policy) for policy in policies}

    def Configure(self, request: Any, context: Any) -> Any:  # noqa: N802 - the name in the protocol
        found = list(problems(request.policyConfig, self._levels, self._settings))
        if found:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "policy config: " + "; ".join(found))
        return super().Configure(request, context)


def serve() -> None:
    """Serve the pack to the engine that started this process; returns only when interrupted.

    Nothing may be printed before: the engine reads the port from the first line (sdk/go/common/resource/plugin).
    """
    # The SDK has no parameter for it.
    sdk._PolicyAnalyzerServicer = FailClosedAnalyzer  # type: ignore[assignment, misc]  # noqa: SLF001
    try:
        policies = build()
    except WaiverError as error:
        sys.exit(f"policy pack {NAME}: {error}")
    PolicyPack(NAME, policies, EnforcementLevel.MANDATORY)


def _levels(policy: Policy) -> tuple[str, ...]:
    """The levels that a policy may be given: mandatory, its own where that is less, and remediate if it can."""
    own = policy.enforcement_level or EnforcementLevel.MANDATORY
    can_remedy = isinstance(policy, ResourceValidationPolicy) and policy.has_remediation()
    levels = [EnforcementLevel.MANDATORY, own, *([EnforcementLevel.REMEDIATE] if can_remedy else [])]
    return tuple(dict.fromkeys(level.value for level in levels))


def _settings(policy: Policy) -> tuple[str, ...]:
    """The keys that a policy reads from its configuration."""
    return tuple(policy.config_schema.properties) if policy.config_schema else ()


def problems(
    config: Mapping[str, Any], levels: Mapping[str, tuple[str, ...]], settings: Mapping[str, tuple[str, ...]]
) -> Iterable[str]:
    """What is wrong with a policy configuration, one line each.

    `config` maps names to `PolicyConfig` messages, `levels` the policies' names to the levels that each may be given,
    `settings` to the keys that each may be.
    """
    for name, entry in config.items():
        properties = json_format.MessageToDict(entry.properties)
        if name == ALL:
            yield from _excess(name, properties, ())
        elif name not in levels:
            nearest = catalog.nearest(name, levels)
            yield f"'{name}' is not a rule of this pack" + (f"; nearest: {nearest}" if nearest else "")
            continue
        else:
            yield from _excess(name, properties, settings[name])
        asked = proto.EnforcementLevel.Name(entry.enforcementLevel).lower()
        allowed = levels.get(name, (EnforcementLevel.MANDATORY.value,))
        if asked not in allowed:
            yield f"{name.removesuffix(STACK_SUFFIX)}: enforcementLevel is {asked}; allowed: {' or '.join(allowed)}"


def _excess(name: str, properties: Mapping[str, Any], allowed: Iterable[str]) -> Iterable[str]:
    for key in properties:
        if key not in allowed:
            yield f"{name}: '{key}' is not a setting; allowed: {', '.join(['enforcementLevel', *allowed])}"
