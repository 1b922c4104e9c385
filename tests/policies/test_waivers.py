"""Waivers: who may waive what, until when, and what happens to one that does not hold."""

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pulumi_policy import Severity

from policies import examples, pack
from policies.rule import Example, Rule
from policies.testing import judge, urn
from policies.waivers import KEYS, POLICY, Waiver, WaiverError, Waivers, load, sign, waived
from sandbox.engine.events import Verdict
from sandbox.engine.policy import PolicyHost
from sandbox.engine.resource import ResourceState
from sandbox.engine.secrets import Redactor

TODAY = date(2026, 11, 1)
SEVERITIES = {"KEY-03": Severity.MEDIUM, "KEY-01": Severity.CRITICAL, "NET-01": Severity.HIGH, "ADV-01": Severity.LOW}
FIELDS = {
    "rule": "KEY-03",
    "urn": "urn:pulumi:example::bailiwick::*::keys",
    "owner": "security@example.org",
    "reason": "The vault is replaced in March.",
    "expires": date(2027, 3, 31),
}
SIGNER = Ed25519PrivateKey.generate()


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    folder = tmp_path / "waiver-keys"
    folder.mkdir()
    (folder / "security.pem").write_bytes(
        SIGNER.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    return folder


def signed(**changes: Any) -> dict[str, Any]:
    return sign(Waiver.model_validate({**FIELDS, **changes}), SIGNER).model_dump()


def read(keys: Path, *entries: object) -> Waivers:
    file = keys.parent / "waivers.yaml"
    file.write_text(yaml.safe_dump({"waivers": list(entries)}))
    return load(SEVERITIES, file, keys, TODAY)


def test_a_signed_waiver_holds(keys: Path) -> None:
    assert read(keys, signed()).of("KEY-03", "urn:pulumi:example::bailiwick::a:b:Vault::keys")
    assert read(keys, signed(expires=TODAY)).entries, "valid through its last day"


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        (signed(expires=date(2026, 10, 31)), "expired on 2026-10-31; renew it with its owner security@example.org"),
        (signed(expires=date(2029, 1, 1)), "at most 366 days ahead"),
        (signed(rule="KEY-01"), "critical severity; only medium can be waived"),
        (signed(rule="NET-01"), "high severity; only medium can be waived"),
        (signed(rule="ADV-01"), "low severity; only medium can be waived"),
        (signed(rule="KEY-99"), "no such rule"),
        (FIELDS, "is not signed by a key of waiver-keys/"),
        ({**signed(), "reason": "Another reason."}, "is not signed"),
        ({**signed(), "urn": "urn:pulumi:*::*::*::*"}, "is not signed"),
        ({**signed(), "signature": "AAAA"}, "is not signed"),
        ({**signed(), "signature": "no base64!"}, "is not signed"),
        ({**signed(), "until": "ever"}, "waivers[0].until: Extra inputs are not permitted"),
        ({key: value for key, value in signed().items() if key != "owner"}, "waivers[0].owner: Field required"),
        ({**signed(), "urn": "*"}, "waivers[0].urn: String should match pattern"),
        ({**signed(), "owner": "a\nb"}, "waivers[0].owner: String should match pattern"),
        ("KEY-03", "waivers[0]: Input should be"),
    ],
)
def test_a_waiver_that_does_not_hold_stops_the_run(keys: Path, entry: object, says: str) -> None:
    with pytest.raises(WaiverError) as refused:
        read(keys, entry)
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_key_of_another_kind_signs_nothing(keys: Path) -> None:
    other = ec.generate_private_key(ec.SECP384R1()).public_key()
    (keys / "other.pem").write_bytes(other.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    with pytest.raises(WaiverError, match=r"other\.pem: is not an Ed25519 key"):
        read(keys, signed())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "waivers:\n",
        "- rule: x\n",
        "waivers: {}\n",
        "waivers: [\n",
        "\xff",
        "waivers: [{expires: 2027-02-30}]\n",
        "waivers: " + "[" * 5000,
    ],
)
def test_a_file_that_is_none_stops_the_run(keys: Path, text: str) -> None:
    file = keys.parent / "waivers.yaml"
    file.write_bytes(text.encode("latin-1"))
    with pytest.raises(WaiverError, match=r"waivers\.yaml: "):
        load(SEVERITIES, file, keys, TODAY)


def test_the_shipped_pack_waives_nothing() -> None:
    assert list(KEYS.glob("*.pem")) == []
    assert POLICY not in [policy.name for policy in pack.build()]


def medium(rule_id: str) -> Rule:
    return replace(next(rule for rule in pack.RULES if rule.id == rule_id), severity=Severity.MEDIUM)


def verdicts(rule: Rule, waivers: Waivers, example: Example) -> tuple[list[str], dict[tuple[str, str], str]]:
    outcome = judge([*rule.policies(waivers), *waivers.policies()], example)
    return [violation.message for violation in outcome.violations], dict(outcome.not_applicable)


def holding(**changes: Any) -> Waivers:
    return Waivers((Waiver.model_validate({**FIELDS, **changes}),))


SHORT = examples.but(examples.VAULT, {"properties.softDeleteRetentionInDays": 7})


def test_a_waived_finding_does_not_block_and_says_who_answers_for_it() -> None:
    messages, reasons = verdicts(medium("KEY-03"), holding(), Example("", (SHORT,)))
    assert messages == []
    ((on, finding),) = waived(reasons["KEY-03", urn(SHORT)])
    assert on == urn(SHORT)
    assert finding.startswith("KEY-03 azure-native:keyvault:Vault 'keys': properties.softDeleteRetentionInDays is 7;")
    assert finding.endswith("; waived until 2027-03-31 by security@example.org: The vault is replaced in March.")


def test_a_waiver_covers_its_rule_and_its_resource_only() -> None:
    other = replace(SHORT, name="other")
    messages, _ = verdicts(medium("KEY-03"), holding(), Example("", (SHORT, other)))
    assert [message for message in messages if "'other'" in message]
    assert len(messages) == 1
    messages, _ = verdicts(medium("KEY-06"), holding(), Example("", (SHORT, examples.VAULT_DOOR)))
    assert messages == []


def test_a_finding_of_a_stack_rule_is_waived_on_its_resource() -> None:
    example = Example("", (examples.VAULT, replace(examples.VAULT, name="other"), examples.VAULT_DOOR))
    waivers = holding(rule="KEY-06", urn="urn:pulumi:example::bailiwick::*::other")
    messages, reasons = verdicts(medium("KEY-06"), waivers, example)
    assert messages == []
    ((on, finding),) = [one for (_, on), reason in reasons.items() if not on for one in waived(reason)]
    assert on == urn(example.resources[1])
    assert finding.endswith(holding().entries[0].says())


def test_every_waived_finding_is_counted_on_its_resource() -> None:
    two = examples.but(SHORT, {"properties.enablePurgeProtection": False})
    state = ResourceState(urn(two), two.type, inputs=dict(two.props))
    host = PolicyHost(list(medium("KEY-03").policies(holding())))
    found: list[Verdict] = host.judge_resource(state, state.inputs, None, Redactor())
    assert [(one.status, one.urn, one.blocks) for one in found] == [("waived", urn(two), False)] * 2
    assert {one.message.split(" ")[3] for one in found} == {
        "properties.enablePurgeProtection",
        "properties.softDeleteRetentionInDays",
    }


@pytest.mark.parametrize(
    ("pattern", "refused"),
    [
        ("urn:pulumi:example::bailiwick::*::kyes", True),
        ("urn:pulumi:example::bailiwick::*Vault::k*s", False),
        ("urn:pulumi:*::bailiwick::*::kyes", True),
        ("urn:pulumi:another-stack::bailiwick::*::keys", False),
    ],
)
def test_a_waiver_that_matches_nothing_of_its_stack_is_a_violation(pattern: str, refused: bool) -> None:
    messages, _ = verdicts(medium("KEY-03"), holding(urn=pattern), Example("", (examples.VAULT,)))
    assert bool(messages) is refused
    assert all("matches no resource of stack 'example'" in message for message in messages)


@pytest.mark.parametrize(
    ("pattern", "astray"),
    [
        ("urn:pulumi:prod::shop::*::keys", False),
        ("urn:pulumi:pr*::shop::*::keys", False),
        ("urn:pulumi:prdo::shop::*::keys", True),
        ("urn:pulumi:prdo::*::*::keys", True),
        ("urn:pulumi:prdo::another-project::*::keys", False),
    ],
)
def test_a_waiver_of_no_stack_of_its_project_is_astray(pattern: str, astray: bool) -> None:
    (waiver,) = holding(urn=pattern).entries
    assert waiver.is_astray("shop", ["dev", "prod"]) is astray


@pytest.mark.parametrize("words", ["waived [by nobody]", "waived [1]", 'waived ["ab", "c"]', "not at all"])
def test_another_packs_reason_waives_nothing(words: str) -> None:
    assert waived(words) == []
