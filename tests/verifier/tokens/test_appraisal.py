"""What tokens state, against a policy: each claim can be the only one that is not affirmed."""

import base64
import copy
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.errors import CliError
from cli.verify import app
from tests.verifier.tokens.fake_issuer import (
    AZURE,
    DEVICE,
    GOOGLE,
    INTEL,
    MEASUREMENTS,
    NONCE,
    NVIDIA,
    POLICY,
    against,
    bundle,
    good,
    jwks,
    jwt,
    verified,
    with_claims,
)
from verifier.appraisal import AppraisalPolicy, Component, Tier
from verifier.appraisal.tokens import appraise
from verifier.command import verify_token

AZURE_SNP = "x-ms-sevsnpvm-"


def changed(name: str, path: tuple[str, ...], value: Any) -> bytes:
    """A token of an issuer with one member, however deep, replaced; or removed by None."""
    token = jwt(name)
    claims = copy.deepcopy(token.claims)
    inner = claims
    for member in path[:-1]:
        inner = inner[member]
    inner[path[-1]] = value
    return with_claims(token, **claims).encode().encode()


@pytest.mark.parametrize("name", [AZURE, GOOGLE, INTEL, NVIDIA])
def test_a_good_token_gives_the_same_vector_as_evidence(name):
    assert against(good(name), name) == []
    result = appraise(verified(good(name), name), POLICY, nonce=NONCE)
    (submodule,) = result.submods.values()
    assert result.status is Tier.AFFIRMING
    assert set(submodule.vector) == {
        Component.INSTANCE_IDENTITY,
        Component.HARDWARE,
        Component.CONFIGURATION,
        Component.EXECUTABLES,
    }


@pytest.mark.parametrize("name", [AZURE, GOOGLE, INTEL, NVIDIA])
class TestOfEveryIssuer:
    def test_nobody_is_believed_by_default(self, name):
        assert "asserted-by" in against(good(name), name, issuers=frozenset())

    def test_the_law_that_the_operator_is_under(self, name):
        assert against(good(name), name, operator_countries=frozenset({"DE"})) == ["asserted-by"]
        assert against(good(name), name, operator_countries=frozenset({"US"})) == []

    @pytest.mark.parametrize("nonce", [None, b"another", b""])
    def test_another_nonce(self, name, nonce):
        assert set(against(good(name), name, nonce)) == {"nonce"}

    def test_another_audience(self, name):
        expected = [] if name == GOOGLE else ["audience"]
        assert against(good(name), name, audiences=frozenset({"https://verifier.example"})) == expected
        assert against(good(name), name, audiences=frozenset({"https://other.example"})) == ["audience"]
        assert set(against(good(name), name, audiences=frozenset())) == {"audience"}


@pytest.mark.parametrize("name", [AZURE, GOOGLE, INTEL])
def test_another_measurement(name):
    assert against(good(name), name, measurements=frozenset({"00" * 48})) == ["measurement"]
    assert against(good(name), name, measurements=None) == ["measurement"]
    lenient = POLICY.model_copy(update={"reference_values": "if-given"})
    assert against(good(name), name, policy=lenient, measurements=None) == []


TEE = "x-ms-isolation-tee"


@pytest.mark.parametrize(
    ("name", "path", "value", "claim"),
    [
        (AZURE, (TEE, "x-ms-attestation-type"), "azurevm", "tee"),
        (AZURE, (TEE, "x-ms-compliance-status"), "none", "compliance"),
        (AZURE, ("secureboot",), False, "secure-boot"),
        (AZURE, (TEE, f"{AZURE_SNP}is-debuggable"), True, "debug"),
        (AZURE, (TEE, f"{AZURE_SNP}is-debuggable"), None, "debug"),
        (AZURE, (TEE, f"{AZURE_SNP}migration-allowed"), True, "migration"),
        (AZURE, (TEE, f"{AZURE_SNP}vmpl"), 2, "vmpl"),
        (AZURE, (TEE, f"{AZURE_SNP}vmpl"), False, "vmpl"),
        (AZURE, (TEE, f"{AZURE_SNP}vmpl"), 0.0, "vmpl"),
        (AZURE, (TEE, f"{AZURE_SNP}launchmeasurement"), None, "measurement"),
        (GOOGLE, ("hwmodel",), "GCP_SHIELDED_VM", "tee"),
        (GOOGLE, ("hwmodel",), "GCP_AMD_SEV", "tee"),
        (GOOGLE, ("dbgstat",), "enabled", "debug"),
        (GOOGLE, ("secboot",), False, "secure-boot"),
        (GOOGLE, ("swname",), "GCE", "software"),
        (GOOGLE, ("submods", "confidential_space", "support_attributes"), ["USABLE"], "support"),
        (GOOGLE, ("submods", "confidential_space", "support_attributes"), "UNSTABLE", "support"),
        (GOOGLE, ("eat_nonce",), [[NONCE.hex()]], "nonce"),
        (GOOGLE, ("submods", "container", "image_digest"), None, "measurement"),
        (INTEL, ("tdx", "attester_type"), "SGX", "tee"),
        (INTEL, ("tdx", "attester_tcb_status"), "OutOfDate", "tcb-status"),
        (INTEL, ("tdx", "tdx_is_debuggable"), True, "debug"),
        (INTEL, ("policy_ids_unmatched",), [{"id": "p"}], "policies"),
        (INTEL, ("tdx", "tdx_mrtd"), 5, "measurement"),
    ],
)
def test_what_a_token_states(name, path, value, claim):
    assert against(changed(name, path, value), name) == [claim]


@pytest.mark.parametrize(
    ("member", "value", "claim"),
    [
        ("measres", "failure", "measurements"),
        ("dbgstat", "enabled", "debug"),
        ("secboot", False, "secure-boot"),
        ("x-nvidia-gpu-arch-check", False, "checks"),
        ("x-nvidia-gpu-attestation-report-nonce-match", False, "checks"),
        (
            "x-nvidia-gpu-driver-rim-cert-chain",
            {"x-nvidia-cert-status": "valid", "x-nvidia-cert-ocsp-status": "revoked"},
            "chains",
        ),
        ("x-nvidia-gpu-driver-rim-cert-chain", "valid", "chains"),
        ("eat_nonce", "00" * 32, "nonce"),
    ],
)
def test_what_nvidia_states_of_a_device(member, value, claim):
    assert against(bundle(device={member: value}), NVIDIA) == [claim]


def test_a_device_of_which_nvidia_states_no_check_or_no_chain():
    checks = [name for name, value in DEVICE.items() if isinstance(value, bool) and name != "secboot"]
    chains = [name for name in DEVICE if name.endswith("-cert-chain")]
    assert against(bundle(device=dict.fromkeys(checks)), NVIDIA) == ["checks"]
    assert against(bundle(device=dict.fromkeys(chains)), NVIDIA) == ["chains"]
    assert against(bundle(device={"x-nvidia-attempts": 0, "x-nvidia-other": {}}), NVIDIA) == []


def test_an_empty_nonce_is_none():
    assert against(changed(GOOGLE, ("eat_nonce",), ""), GOOGLE, b"") == ["nonce"]
    assert against(changed(GOOGLE, ("aud",), {"https://verifier.example": 1}), GOOGLE, audiences=frozenset({"a"})) == [
        "audience"
    ]


TEXT_NONCE = b"nonce of ours?>!"


@pytest.mark.parametrize(
    "spelling",
    [
        TEXT_NONCE.hex(),
        TEXT_NONCE.hex().upper(),
        base64.b64encode(TEXT_NONCE).decode(),
        base64.urlsafe_b64encode(TEXT_NONCE).decode(),
        base64.urlsafe_b64encode(TEXT_NONCE).decode().rstrip("="),
        TEXT_NONCE.decode(),
    ],
)
def test_how_a_nonce_may_be_spelled(spelling):
    assert against(changed(GOOGLE, ("eat_nonce",), spelling), GOOGLE, TEXT_NONCE) == []


def test_nvidia_s_overall_result():
    assert against(bundle({"x-nvidia-overall-att-result": False}), NVIDIA) == ["overall"]


@pytest.mark.parametrize(
    ("stated", "allowed", "status"),
    [
        (False, True, Tier.AFFIRMING),
        (True, True, Tier.WARNING),
        (True, False, Tier.CONTRAINDICATED),
        (None, True, Tier.CONTRAINDICATED),
    ],
)
def test_a_debug_guest_is_never_better_than_a_warning(stated, allowed, status):
    data = changed(AZURE, (TEE, f"{AZURE_SNP}is-debuggable"), stated)
    policy = POLICY.model_copy(update={"allow_debug": allowed})
    assert appraise(verified(data, AZURE), policy, nonce=NONCE).status is status


@pytest.mark.parametrize(
    ("path", "value", "weakness"),
    [
        (("secureboot",), False, {"azure": AppraisalPolicy(azure={"require_secure_boot": False}).azure}),
        ((TEE, f"{AZURE_SNP}migration-allowed"), True, {"allow_migration": True}),
    ],
)
def test_a_weakness_that_the_policy_accepts(path, value, weakness):
    data = changed(AZURE, path, value)
    assert len(against(data, AZURE)) == 1
    assert against(data, AZURE, policy=POLICY.model_copy(update=weakness)) == []


OF_THE_WHOLE = {"iss", "iat", "nbf", "exp", "eat_nonce"}
DEVICE_WITHIN = {name: value for name, value in DEVICE.items() if name not in OF_THE_WHOLE}


class TestCompositeTokens:
    """Intel's, with NVIDIA's word on a GPU in them: its status is the worse of both."""

    def against(self, device: object) -> list[str]:
        token = with_claims(jwt(INTEL), nvgpu=device).encode().encode()
        result = appraise(verified(token, INTEL), POLICY, nonce=NONCE)
        found = [claim.name for claim in result.submods["gpu0"].claims if claim.tier > Tier.AFFIRMING]
        assert not [claim.name for claim in result.submods["cpu"].claims if claim.tier > Tier.AFFIRMING]
        assert (result.status is Tier.AFFIRMING) is (not found)
        return found

    def test_a_good_gpu(self):
        assert self.against(DEVICE_WITHIN) == []

    def test_a_gpu_that_measures_something_else(self):
        assert self.against(DEVICE_WITHIN | {"measres": "comparison-fail"}) == ["measurements"]

    def test_checks_in_an_object_of_their_own(self):
        older = DEVICE_WITHIN | {"x-nvidia-attestation-detailed-result": {"x-nvidia-gpu-measurements-match": False}}
        assert self.against(older) == ["checks"]

    @pytest.mark.parametrize("device", ["GPU", [DEVICE], {}])
    def test_a_gpu_of_which_nothing_is_stated(self, device):
        assert self.against(device) == ["measurements", "debug", "secure-boot", "checks", "chains"]


def test_a_td_on_azure():
    tee = {
        "x-ms-attestation-type": "tdxvm",
        "x-ms-compliance-status": "azure-compliant-cvm",
        "dbgstat": "disabled",
        "tdx_mrtd": min(MEASUREMENTS),
    }
    token = with_claims(jwt(AZURE), **{TEE: tee}).encode().encode()
    assert against(token, AZURE, measurements=frozenset({min(MEASUREMENTS)})) == []
    token = with_claims(jwt(AZURE), **{TEE: tee | {"dbgstat": "enabled"}}).encode().encode()
    assert against(token, AZURE, measurements=frozenset({min(MEASUREMENTS)})) == ["debug"]


def test_an_older_tcb_counts_only_if_its_advisories_are_dealt_with():
    policy = AppraisalPolicy.model_validate(
        POLICY.model_dump() | {"tdx": {"statuses": ["UpToDate", "OutOfDate"], "advisories": ["INTEL-SA-00001"]}}
    )
    refused = ["tcb-status"]
    cases = (["INTEL-SA-00001"], []), (["INTEL-SA-00002"], refused), ([], refused), ({"INTEL-SA-00001": 0}, refused)
    for advisories, expected in cases:
        token = jwt(INTEL)
        td = token.claims["tdx"] | {"attester_tcb_status": "OutOfDate", "attester_advisory_ids": advisories}
        assert against(with_claims(token, tdx=td).encode().encode(), INTEL, policy=policy) == expected


class TestCommand:
    """`bailiwick verify TOKEN --keys JWKS --issuer NAME`."""

    def invoke(self, tmp_path, *arguments: str, token: bytes | None = None, policy: dict[str, Any] | None = None):
        (tmp_path / "token").write_bytes(token or good(AZURE))
        (tmp_path / "keys.json").write_bytes(jwks(AZURE))
        (tmp_path / "policy.json").write_text(
            json.dumps(
                {"reference_values": "if-given"} | {"tokens": {"issuers": [AZURE]} if policy is None else policy}
            )
        )
        options = ["--at", "2026-06-01T12:00:00Z", "--policy", str(tmp_path / "policy.json"), "--nonce", NONCE.hex()]
        return CliRunner().invoke(app, [str(tmp_path / "token"), *options, *arguments])

    def keys(self, tmp_path) -> list[str]:
        return ["--keys", str(tmp_path / "keys.json"), "--issuer", AZURE]

    def test_an_affirmed_token_says_whose_word_it_is(self, tmp_path):
        outcome = self.invoke(tmp_path, *self.keys(tmp_path))
        assert outcome.exit_code == 0
        assert "asserted by a third party: Microsoft, DE, under the law of US" in outcome.stdout

    def test_as_json(self, tmp_path):
        content = json.loads(self.invoke(tmp_path, *self.keys(tmp_path), "--json").stdout)
        assert content["submods"]["cpu"]["ear.status"] == "affirming"
        assert content["asserted_by"].startswith("asserted by a third party")

    def test_a_policy_that_believes_nobody(self, tmp_path):
        outcome = self.invoke(tmp_path, *self.keys(tmp_path), policy={"tokens": {}})
        assert outcome.exit_code == 1

    def test_without_a_policy_nobody_is_believed(self, tmp_path):
        self.invoke(tmp_path, *self.keys(tmp_path))
        at = datetime(2026, 6, 1, 12, tzinfo=UTC)
        verdict = verify_token(tmp_path / "token", tmp_path / "keys.json", AZURE, at=at, nonce=NONCE)
        assert (verdict.genuine, verdict.acceptable) == (True, False)

    def test_a_token_that_is_not_genuine(self, tmp_path):
        forged = good(AZURE)[:-8] + b"AAAAAAAA"
        outcome = self.invoke(tmp_path, *self.keys(tmp_path), "--json", token=forged)
        assert outcome.exit_code == 1
        assert json.loads(outcome.stdout)["failed_check"] in {"token.signature", "token.key"}

    @pytest.mark.parametrize("given", [["--issuer", AZURE], ["--keys", "keys.json"]])
    def test_keys_and_issuer_belong_together(self, tmp_path, given):
        assert isinstance(self.invoke(tmp_path, *given).exception, CliError)

    @pytest.mark.parametrize(
        "option", ["--collateral", "--reference-values", "--build-key", "--sandbox-root", "--event-log"]
    )
    def test_what_is_about_evidence_is_not_silently_left_out(self, tmp_path, option):
        outcome = self.invoke(tmp_path, *self.keys(tmp_path), option, str(tmp_path / "file"))
        assert isinstance(outcome.exception, CliError)
        assert str(outcome.exception).startswith(f"{option}: for evidence, not for a token")

    @pytest.mark.parametrize("token", [b"no token", b"\xff\xff"])
    def test_what_is_no_token(self, tmp_path, token):
        outcome = self.invoke(tmp_path, *self.keys(tmp_path), token=token)
        assert isinstance(outcome.exception, CliError)
        assert outcome.exception.code == 2
