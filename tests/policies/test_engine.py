"""The pack under the real engine: levels, configuration and remedies as a user of `pulumi` meets them."""

from pathlib import Path

from policies import examples
from policies.rule import ExampleResource
from tests.policies.real_engine import analyze, events, needs_pulumi

pytestmark = needs_pulumi

DNS = ExampleResource(
    "azure-native:network:PrivateDnsZoneGroup",
    "keys-endpoint-dns",
    {"privateEndpointName": "keys-endpoint"},
    uses={"privateEndpointName": ("keys-endpoint",)},
)
TAGGED = tuple(
    examples.but(one, {"tags": examples.TAGS}) for one in (examples.VAULT, examples.VAULT_DOOR, examples.AUDIT_STORE)
)
COMPLIANT = (examples.PROVIDER, *TAGGED, DNS, examples.AUDIT_STREAM)


def test_a_compliant_state_passes(tmp_path: Path) -> None:
    done = analyze(tmp_path, COMPLIANT)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_violation_ends_the_run_and_reads_the_same_as_everywhere(tmp_path: Path) -> None:
    abroad = examples.but(examples.VAULT, {"location": "eastus"})
    done = analyze(tmp_path, [abroad, *(one for one in COMPLIANT if one is not examples.VAULT)])
    assert done.returncode == 1
    assert "RES-01 azure-native:keyvault:Vault 'keys': location is 'eastus' (US), outside DE" in done.stdout
    assert "[mandatory]" in done.stdout


def test_a_typing_error_in_the_policy_config_stops_the_run(tmp_path: Path) -> None:
    done = analyze(tmp_path, COMPLIANT, policy_config={"RES-1": "mandatory"})
    assert done.returncode != 0
    assert "'RES-1' is not a rule of this pack" in done.stdout + done.stderr


def test_a_rule_cannot_be_switched_off(tmp_path: Path) -> None:
    done = analyze(tmp_path, COMPLIANT, policy_config={"RES-01": "disabled"})
    assert done.returncode != 0
    assert "RES-01: enforcementLevel is disabled; allowed: mandatory" in done.stdout + done.stderr


def test_a_rule_that_is_let_puts_right_what_it_can_and_the_engine_says_so(tmp_path: Path) -> None:
    leaky = examples.but(examples.AUDIT_STORE, {"minimumTlsVersion": "TLS1_0"})
    done = analyze(tmp_path, [leaky], "--json", policy_config={"NET-04": {"enforcementLevel": "remediate"}})
    (remedy,) = events(done, "policyRemediationEvent")
    assert remedy["policyName"] == "NET-04"
    assert remedy["before"] == leaky.props
    assert remedy["after"] == {**leaky.props, "minimumTlsVersion": "TLS1_2"}


def test_a_rule_without_a_remedy_is_not_let(tmp_path: Path) -> None:
    done = analyze(tmp_path, COMPLIANT, policy_config={"RES-01": "remediate"})
    assert done.returncode != 0
    assert "RES-01: enforcementLevel is remediate; allowed: mandatory" in done.stdout + done.stderr
