"""What a person lets the pack put right: one value, nothing else, and never what is unknown."""

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pulumi_policy.proxy
import pytest
from google.protobuf import json_format, struct_pb2
from pulumi.runtime import proto
from pulumi_policy import EnforcementLevel, Policy

from policies import examples, pack, waivers
from policies.analyzer import FailClosedAnalyzer
from policies.examples import kubernetes
from policies.rule import Example, ExampleResource, Rule
from policies.testing import judge, leaves, secret, urn, variant

SENTINELS = [value for name, value in vars(pulumi_policy.proxy).items() if name.startswith("UNKNOWN_")]
REMEDIES = [rule for rule in pack.RULES if rule.remedy is not None]
CASES = [
    pytest.param(rule, example, id=f"{rule.id}-{cloud}-{index}")
    for rule in REMEDIES
    for cloud, covered in rule.examples.items()
    for index, example in enumerate((covered.passing, *covered.failing))
]
TLS_1_0 = examples.but(examples.AUDIT_STORE, {"minimumTlsVersion": "TLS1_0"})


def asked(resource: ExampleResource, policies: Sequence[Policy], *remediate: str) -> Any:
    """What the pack answers when the engine asks it for remedies, with these rules switched on."""
    analyzer: Any = FailClosedAnalyzer(pack.NAME, pack.VERSION, list(policies), EnforcementLevel.MANDATORY)
    level = proto.PolicyConfig(enforcementLevel=proto.REMEDIATE)
    analyzer.Configure(proto.ConfigureAnalyzerRequest(policyConfig=dict.fromkeys(remediate, level)), None)
    properties = struct_pb2.Struct()
    properties.update(dict(resource.props))
    request = proto.AnalyzeRequest(type=resource.type, name=resource.name, urn=urn(resource), properties=properties)
    return analyzer.Remediate(request, None)


def remedied(resource: ExampleResource, rule: Rule) -> Mapping[str, Any]:
    """The properties of `resource` after the engine has asked for remedies of `rule`, as they travel."""
    response = asked(resource, list(rule.policies()), rule.id)
    assert not [one.diagnostic for one in response.remediations if one.diagnostic]
    (remedy,) = [json_format.MessageToDict(one.properties) for one in response.remediations] or [dict(resource.props)]
    return dict(remedy)


def by_id(rule: str) -> Rule:
    return next(one for one in pack.RULES if one.id == rule)


def test_the_rules_with_one_right_value() -> None:
    assert {rule.id for rule in REMEDIES} == {"RES-04", "CVM-06", "KEY-03", "KEY-06", "NET-01", "NET-04"}


@pytest.mark.parametrize(("rule", "example"), CASES)
def test_a_remedy_changes_what_is_wrong_once_and_nothing_else(rule: Rule, example: Example) -> None:
    for resource in example.resources:
        after = remedied(resource, rule)
        changed = [path for path in leaves(dict(after)) if _at(after, path) != _at(resource.props, path)]
        lost = [path for path in leaves(dict(resource.props)) if _at(after, path) is None]
        assert [path for path in lost if path and _at(resource.props, path) is not None] == []
        again = ExampleResource(resource.type, resource.name, after)
        assert remedied(again, rule) == after
        left = [one.message for one in judge(list(rule.policies()), Example("", (again,), example.config)).violations]
        assert not [path for path in changed for message in left if f": {_shown(path)} is" in message]


@pytest.mark.parametrize("rule", REMEDIES, ids=lambda rule: rule.id)
def test_every_remedy_mends_an_example(rule: Rule) -> None:
    broken = [one for covered in rule.examples.values() for example in covered.failing for one in example.resources]
    assert [one for one in broken if remedied(one, rule) != dict(one.props)]


@pytest.mark.parametrize(("rule", "example"), CASES)
@pytest.mark.parametrize("sentinel", [SENTINELS[0], SENTINELS[-1]])
def test_what_is_unknown_is_never_overwritten(rule: Rule, example: Example, sentinel: str) -> None:
    for resource in example.resources:
        for path in leaves(dict(resource.props)):
            for length in range(1, len(path) + 1):
                hidden = _with(resource, path[:length], sentinel)
                assert _at(remedied(hidden, rule), path[:length]) == sentinel


@pytest.mark.parametrize("sentinel", SENTINELS)
@pytest.mark.parametrize("wrapped", [False, True])
def test_every_sentinel_survives_and_blocks(sentinel: str, wrapped: bool) -> None:
    value: Any = secret(sentinel) if wrapped else sentinel
    unknown = examples.but(examples.AUDIT_STORE, {"minimumTlsVersion": value})
    after = remedied(unknown, by_id("NET-04"))
    assert after == unknown.props
    (violation,) = judge(list(by_id("NET-04").policies()), Example("", (unknown,))).violations
    assert violation.unknown
    assert violation.mandatory


def test_a_switch_beside_something_unknown_is_set() -> None:
    hidden = examples.but(TLS_1_0, {"location": SENTINELS[0], "sku": {"name": SENTINELS[0]}})
    assert remedied(hidden, by_id("NET-04")) == {**hidden.props, "minimumTlsVersion": "TLS1_2"}


def test_a_secret_stays_one() -> None:
    hidden = examples.but(examples.AUDIT_STORE, {"minimumTlsVersion": secret("TLS1_0"), "sku": secret({"name": "x"})})
    assert remedied(hidden, by_id("NET-04")) == {**hidden.props, "minimumTlsVersion": secret("TLS1_2")}


def test_a_switch_inside_a_secret_is_set_and_the_rest_of_the_secret_stays() -> None:
    body = dict(examples.VAULT.props["properties"])
    whole = examples.but(examples.VAULT, {"properties": secret({**body, "enablePurgeProtection": secret(False)})})
    mended = secret({**body, "enablePurgeProtection": secret(True)})
    assert remedied(whole, by_id("KEY-03"))["properties"] == mended


@pytest.mark.parametrize("kept", [lambda value: value, secret, lambda value: secret(secret(value))])
def test_objects_on_the_way_are_made_in_a_secret_where_one_holds_nothing(kept: Callable[[object], object]) -> None:
    bare = ExampleResource("azure-native:keyvault:Vault", "keys", {"properties": {"networkAcls": kept(None)}})
    assert remedied(bare, by_id("KEY-06")) == {
        "properties": {"networkAcls": kept({"defaultAction": "Deny"}), "publicNetworkAccess": "Disabled"}
    }


@pytest.mark.parametrize("odd", [7, ["TLS1_0"], {"version": "TLS1_0"}])
def test_what_is_no_single_value_is_left_to_a_person(odd: Any) -> None:
    strange = examples.but(examples.AUDIT_STORE, {"minimumTlsVersion": odd})
    assert remedied(strange, by_id("NET-04")) == strange.props


def test_a_container_of_several_is_mended_in_its_place() -> None:
    pod = kubernetes.COVERED["CVM-06"].passing.resources[0]
    place = next(path for path in leaves(dict(pod.props)) if path[-1] == "allowPrivilegeEscalation")
    assert remedied(_with(pod, place, True), by_id("CVM-06")) == pod.props


def test_a_waived_resource_stays_as_it_is() -> None:
    class Everything(waivers.Waivers):
        def of(self, rule: str, urn: str) -> Any:
            return type("Waived", (), {"says": lambda self: f"waived: {rule} for {urn}"})()

    answer = asked(TLS_1_0, list(by_id("NET-04").policies(Everything())), "NET-04")
    assert not answer.remediations
    assert [one.reason for one in answer.not_applicable] == [f"waived: NET-04 for {urn(TLS_1_0)}"]


def test_nothing_is_put_right_unless_a_person_says_so() -> None:
    assert not asked(TLS_1_0, pack.build()).remediations
    assert asked(TLS_1_0, pack.build(), "NET-04").remediations


def _at(value: Any, path: tuple[str | int, ...]) -> Any:
    for key in path:
        try:
            value = value[key]
        except (KeyError, IndexError):
            return None
    return value


def _with(resource: ExampleResource, path: tuple[str | int, ...], value: Any) -> ExampleResource:
    example = Example("", (copy.deepcopy(resource),))
    return variant(example, resource.name, path, lambda _: value).resources[0]


def _shown(path: tuple[str | int, ...]) -> str:
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path).removeprefix(".")
