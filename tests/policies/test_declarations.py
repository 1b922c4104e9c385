"""What the stack and the policy config declare: nothing has a default, and a fence can only narrow."""

from collections.abc import Iterator, Mapping
from contextvars import copy_context
from dataclasses import replace
from typing import Any

import grpc
import pulumi
import pytest
from google.protobuf import struct_pb2
from pulumi.runtime import proto
from pulumi_policy import EnforcementLevel

from policies import examples, pack
from policies.analyzer import FailClosedAnalyzer
from policies.context import Declared
from policies.rule import Example, ExampleResource
from policies.subject import Resource
from policies.testing import UNKNOWN, judge
from policies.verdict import Finding

VAULT_IN_NETHERLANDS = examples.but(examples.VAULT, {"location": "westeurope"})


def violations(*resources: ExampleResource, rule: str, **config: str) -> list[str]:
    """Messages of one rule about these resources, in a stack with this configuration."""
    outcome = judge(pack.build([rule]), Example("", resources, config))
    assert all(violation.mandatory for violation in outcome.violations)
    return [violation.message for violation in outcome.violations]


@pytest.mark.parametrize("key", ["jurisdiction", "cloud"])
def test_a_stack_that_does_not_declare_itself_is_refused(key: str) -> None:
    (message,) = violations(examples.VAULT, rule="RES-01", **{key: ""})
    assert f"bailiwick:{key} is not set" in message
    assert f"fix: set bailiwick:{key} in the stack's configuration" in message


def test_an_unknown_jurisdiction_is_refused_with_the_nearest_one() -> None:
    (message,) = violations(examples.VAULT, rule="RES-01", jurisdiction="D3")
    assert "bailiwick:jurisdiction is not in the catalogue" in message
    assert "D3" not in message


def test_an_unknown_cloud_is_refused() -> None:
    (message,) = violations(examples.VAULT, rule="RES-01", cloud="azzure")
    assert "bailiwick:cloud is not in the catalogue" in message


def test_a_union_contains_its_members() -> None:
    assert violations(VAULT_IN_NETHERLANDS, rule="RES-01", jurisdiction="EU") == []


def test_a_message_says_what_was_found_what_is_allowed_and_how_to_fix_it() -> None:
    (message,) = violations(examples.but(examples.VM, {"location": "eastus"}), rule="RES-01")
    assert message == (
        "RES-01 azure-native:compute:VirtualMachine 'inference': location is 'eastus' (US), outside DE; "
        "allowed: germanynorth, germanywestcentral; "
        "fix: set bailiwick:location, or the resource's own location, to one of the allowed regions"
    )


def test_a_message_about_an_unknown_value_names_the_property() -> None:
    (message,) = violations(examples.but(examples.VM, {"securityProfile": UNKNOWN}), rule="CVM-01")
    assert message.startswith("unknown: CVM-01 azure-native:compute:VirtualMachine 'inference': securityProfile is ")
    assert "fix: state securityProfile as a value that does not depend on a resource" in message


def test_an_id_that_is_not_known_yet_does_not_block_where_only_the_relation_matters() -> None:
    path = "storageProfile.osDisk.managedDisk.securityProfile.diskEncryptionSet.id"
    machine = examples.but(examples.VM, {path: UNKNOWN})
    assert violations(examples.DISK_KEY, machine, rule="CVM-04") == []


def test_a_value_of_the_wrong_shape_is_a_violation_and_not_a_crash() -> None:
    messages = violations(examples.but(examples.VM, {"securityProfile": "ConfidentialVM"}), rule="CVM-01")
    assert messages
    assert all("securityProfile is not an object" in message for message in messages)


def test_a_name_cannot_forge_a_line_of_the_report() -> None:
    forged = examples.but(examples.VAULT, {"location": "eastus"}, name="keys'\nRES-01 passed")
    (message,) = violations(forged, rule="RES-01")
    assert "\n" not in message


class RefusedError(Exception):
    """What a gRPC context's `abort` raises."""


class Context:
    def abort(self, code: grpc.StatusCode, details: str) -> None:
        assert code is grpc.StatusCode.INVALID_ARGUMENT
        raise RefusedError(details)


def configure(analyzer: FailClosedAnalyzer, config: Mapping[str, Mapping[str, Any]]) -> None:
    """Configure the pack as the engine does after it has read `--policy-pack-config`."""
    entries = {}
    for name, settings in config.items():
        properties = struct_pb2.Struct()
        properties.update({key: value for key, value in settings.items() if key != "enforcementLevel"})
        level = proto.EnforcementLevel.Value(settings.get("enforcementLevel", "mandatory").upper())
        entries[name] = proto.PolicyConfig(enforcementLevel=level, properties=properties)
    analyzer.Configure(proto.ConfigureAnalyzerRequest(policyConfig=entries), Context())


@pytest.fixture
def analyzer() -> FailClosedAnalyzer:
    return FailClosedAnalyzer(pack.NAME, pack.VERSION, pack.build(), EnforcementLevel.MANDATORY)


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"RES-1": {}}, "'RES-1' is not a rule of this pack; nearest: RES-"),
        ({"RES-01": {"juristiction": "DE"}}, "RES-01: 'juristiction' is not a setting; allowed: enforcementLevel"),
        ({"RES-01": {"enforcementLevel": "advisory"}}, "RES-01: enforcementLevel is advisory; allowed: mandatory"),
        ({"KEY-06-stack": {"enforcementLevel": "disabled"}}, "KEY-06: enforcementLevel is disabled"),
        ({"all": {"enforcementLevel": "disabled"}}, "all: enforcementLevel is disabled"),
        ({"all": {"enforcementLevel": "remediate"}}, "all: enforcementLevel is remediate; allowed: mandatory"),
        ({"RES-01": {"enforcementLevel": "remediate"}}, "RES-01: enforcementLevel is remediate; allowed: mandatory"),
        (
            {"NET-04": {"enforcementLevel": "advisory"}},
            "NET-04: enforcementLevel is advisory; allowed: mandatory or rem",
        ),
        ({"KEY-06-stack": {"enforcementLevel": "remediate"}}, "KEY-06: enforcementLevel is remediate; allowed: mandat"),
        ({"all": {"jurisdiction": "DE"}}, "all: 'jurisdiction' is not a setting"),
        (
            {"KEY-01": {"ownHardwareFrom": "secret"}},
            "KEY-01: 'ownHardwareFrom' is not a setting; allowed: enfo",
        ),
    ],
)
def test_a_policy_config_that_the_pack_does_not_know_stops_the_run(
    analyzer: FailClosedAnalyzer, config: Mapping[str, Mapping[str, Any]], says: str
) -> None:
    with pytest.raises(RefusedError) as refused:
        configure(analyzer, config)
    assert says in str(refused.value)


def test_a_policy_config_that_the_pack_knows_is_taken(analyzer: FailClosedAnalyzer) -> None:
    configure(analyzer, {"RES-01": {"jurisdiction": "DE"}, "all": {"enforcementLevel": "mandatory"}})


@pytest.mark.parametrize(("fence", "expected"), [("DE", ["RES-01"]), ("EU", []), ("ZZ", ["RES-01"])])
def test_a_fence_in_the_policy_config_narrows_what_a_stack_declares(
    monkeypatch: pytest.MonkeyPatch, fence: str, expected: list[str]
) -> None:
    configured: list[FailClosedAnalyzer] = []

    class Fenced(FailClosedAnalyzer):
        def __init__(self, *args: Any) -> None:
            super().__init__(*args)
            configure(self, {"RES-01": {"jurisdiction": fence}})
            configured.append(self)

    monkeypatch.setattr("policies.testing.FailClosedAnalyzer", Fenced)
    outcome = judge(pack.build(["RES-01"]), Example("", (VAULT_IN_NETHERLANDS,), {"jurisdiction": "EU"}))
    assert configured
    assert [violation.rule for violation in outcome.violations] == expected


def test_a_selection_names_rules_that_exist() -> None:
    assert [policy.name for policy in pack.build(["KEY-06"])] == ["KEY-06", "KEY-06-stack"]
    with pytest.raises(ValueError, match="no such rule: KEY-99; allowed: ATT-01"):
        pack.build(["KEY-99"])


def test_a_package_generated_for_one_api_version_hides_nothing() -> None:
    machine = examples.but(
        examples.VM,
        {"securityProfile.securityType": "Standard"},
        type="azure-native_compute_v20241101:compute:VirtualMachine",
    )
    (message,) = violations(machine, rule="CVM-01")
    assert "securityProfile.securityType is 'Standard'" in message


def test_a_defect_of_a_rule_blocks_under_the_rule_s_name_and_tells_no_value() -> None:
    def defective(resource: Resource, _: Declared) -> Iterator[Finding]:
        raise ValueError(resource.props.at("location").text)

    rule = replace(next(one for one in pack.RULES if one.id == "CVM-01"), check=defective)
    planted = examples.but(examples.VM, {"location": "planted"})
    (violation,) = judge(list(rule.policies()), Example("", (planted,))).violations
    assert violation.mandatory
    assert violation.message.startswith("CVM-01 azure-native:compute:VirtualMachine 'inference': this could not be")
    assert "ValueError" in violation.message
    assert "planted" not in violation.message


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({}, None),
        ({"ownHardwareFrom": "confidential"}, "makes keys in an HSM that every customer of the region shares"),
        ({"ownHardwareFrom": "anything"}, "ownHardwareFrom is no class of data"),
    ],
)
def test_a_team_may_ask_for_hsms_of_its_own_from_confidential_data_on(
    analyzer: FailClosedAnalyzer, asked: Mapping[str, str], says: str | None
) -> None:
    configure(analyzer, {"KEY-02": asked})
    properties = struct_pb2.Struct()
    properties.update(dict(examples.VAULT.props))
    vault = proto.AnalyzeRequest(type=examples.VAULT.type, name="keys", urn="urn:keys", properties=properties)

    def judged() -> list[str]:
        pulumi.runtime.set_all_config({f"bailiwick:{key}": value for key, value in examples.CONFIG.items()})
        return [one.message for one in analyzer.Analyze(vault, None).diagnostics if one.policyName == "KEY-02"]

    found = copy_context().run(judged)
    assert bool(found) is (says is not None)
    assert all(says in one for one in found if says)
