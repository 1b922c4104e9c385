"""A region from boot to erasure, as the emulated cloud and the command line use it."""

import base64
import hashlib
import re
import time

import pytest

from sandbox.guest.artefact import DEK_BYTES
from sandbox.provider import ProviderError
from sandbox.region import RecordError, images
from sandbox.region.publisher import weights
from tests.sandbox.region.scenario import (
    GALLERY,
    KEK,
    MACHINES,
    NETWORK,
    RESOURCE,
    guest,
    key_for,
    machine,
    verifier,
    verifier_config,
    workload_config,
)
from verifier import snp
from verifier.keystore import KeyStoreError
from verifier.log import verify_receipt


def only(outcomes):
    (outcome,) = outcomes
    return outcome


def test_a_guest_is_attested_and_opens_its_model(attested):
    _, region = attested
    outcome = only(region.outcomes())
    assert (outcome.status, outcome.reason) == ("attested", None)
    assert outcome.measurement == images.gallery()["inference-guest-1.0.0"].measurement().hex()
    assert outcome.artefact.decrypted
    assert outcome.artefact.sha256 == hashlib.sha256(weights("llm")).hexdigest()
    assert [step.name for step in outcome.steps] == ["challenge", "report", "attest", "key", "fetch", "decrypt"]


def test_the_recorded_evidence_is_genuine_in_format(attested):
    _, region = attested
    outcome = only(region.outcomes())
    report = snp.parse(base64.b64decode(outcome.report))
    assert report.measurement.hex() == outcome.measurement
    assert report.host_data == hashlib.sha256(guest().custom_data).digest()


def test_the_claims_affirm_the_guest(attested):
    _, region = attested
    cpu = only(region.outcomes()).claims["submods"]["cpu"]
    assert cpu["ear.status"] == "affirming"
    assert cpu["ear.veraison.policy-claims"]["revocation"]["value"] == "checked"


def test_the_release_is_in_the_log_and_its_receipt_verifies(attested):
    _, region = attested
    outcome = only(region.outcomes())
    key = region.custody.log.public_key
    for receipt in outcome.receipts:
        verify_receipt(receipt, key)
    entries = [receipt["entry"] for receipt in outcome.receipts]
    decisions = [(entry["event"], entry["decision"]) for entry in entries]
    assert decisions == [("attestation", "allow"), ("release", "allow")]


def test_no_secret_is_anywhere_outside_the_hsm(attested, caplog):
    scenario, region = attested
    wrapped = region.custody.wrapped.get(RESOURCE)
    dek = region.custody.keystore.unwrap(KEK, wrapped.blob)
    pin = (scenario.data_dir / "hsm" / "pin").read_bytes()
    assert len(dek) == DEK_BYTES
    secrets = {pin, *spellings(dek)}
    outside = [
        path
        for path in (*scenario.data_dir.rglob("*"), *scenario.hardware_dir.rglob("*"))
        if path.is_file() and not path.is_relative_to(scenario.data_dir / "hsm")
    ]
    assert {path.name for path in outside} >= {"inference.json", "llm.enc", "log.db", "ark.pem"}
    found = [path.name for path in outside for secret in secrets if secret in path.read_bytes()]
    assert found == []
    assert not any(secret.decode("latin-1") in caplog.text for secret in secrets)
    assert weights("llm")[:64] not in next(scenario.data_dir.glob("blobs/*/models/llm.enc")).read_bytes()


def spellings(secret: bytes) -> set[bytes]:
    encoded = {base64.b64encode(secret), base64.urlsafe_b64encode(secret)}
    return {secret, secret.hex().encode(), secret.hex().upper().encode()} | {text.rstrip(b"=") for text in encoded}


def test_files_are_for_their_owner_only(attested):
    scenario, _ = attested
    for path in (scenario.data_dir / "hsm" / "pin", scenario.data_dir / "guests" / "inference.json"):
        assert path.stat().st_mode & 0o077 == 0


def test_a_later_process_sees_the_outcome_and_starts_the_verifier_on_demand(scenario, region):
    region.boot(guest())
    first = only(region.settle(30))
    region.close()
    later = scenario.open()
    try:
        assert later.outcomes() == [first]
        later.boot(guest("second"))
        outcomes = {outcome.machine: outcome for outcome in later.settle(30)}
        assert outcomes["inference"] == first
        assert outcomes["second"].status == "attested"
        assert outcomes["second"].artefact.sha256 == first.artefact.sha256
    finally:
        later.close()


def test_both_replicas_serve_and_one_may_be_gone(scenario, region):
    region.boot(verifier("verifier-1"))
    scenario.backends = [f"{MACHINES}/gone", f"{MACHINES}/verifier-1"]
    region.power_off(verifier().id)
    region.boot(guest())
    assert only(region.settle(30)).status == "attested"


def test_a_guest_without_a_way_to_the_models_says_so_and_has_its_model_when_there_is_one(scenario, region):
    scenario.way_to_storage = False
    region.boot(guest())
    failed = only(region.settle(30))
    assert failed.status == "failed"
    host = "modelstest.germanywestcentral.objects.example"
    assert failed.reason == (
        f"model unreachable at https://{host}/models/llm.enc: {NETWORK} has no private endpoint for {host}"
    )
    scenario.way_to_storage = True
    assert only(region.settle(30)).status == "attested"


def test_a_guest_that_boots_before_its_verifier_waits_for_it(scenario):
    scenario.patience = 20
    region = scenario.open()
    try:
        region.create_key("vault", KEK, {})
        region.boot(guest())
        time.sleep(0.3)
        assert region.outcomes() == []
        region.boot(verifier())
        assert only(region.settle(30)).status == "attested"
    finally:
        region.close()


def test_without_a_dns_record_the_guest_fails_and_says_where_it_looked(scenario, region):
    scenario.patience, scenario.backends = 0, []
    region.close()
    region = scenario.open()
    try:
        region.boot(guest())
        outcome = only(region.settle(30))
        assert outcome.status == "failed"
        assert "verifier unreachable at http://verifier.test.bailiwick.internal:8443" in outcome.reason
        assert "A record" in outcome.reason
        scenario.backends = [verifier().id]
        assert only(region.settle(30)).status == "attested"
    finally:
        region.close()


def test_settle_reports_a_guest_that_is_still_busy(scenario):
    scenario.patience = 20
    region = scenario.open()
    try:
        region.boot(guest())
        outcome = only(region.settle(0.2))
        assert (outcome.status, outcome.reason) == ("failed", "the guest is still booting after 0.2 s")
        assert region.outcomes() == []
    finally:
        region.close()


@pytest.mark.parametrize(
    ("booted", "reason"),
    [
        (machine("inference", "inference-guest-1.0.0", workload_config(), tee=None), "has no TEE"),
        (machine("inference", "inference-guest-9.9.9", workload_config()), "there is no image"),
        (machine("inference", "inference-guest-1.0.0", workload_config(resource="llm")), "customData.*resource"),
        (
            machine(
                "inference",
                "inference-guest-1.0.0",
                workload_config(verifier="http://verifier.test.bailiwick.internal:80"),
            ),
            "listens on port 8443, not on 80",
        ),
    ],
)
def test_a_machine_that_cannot_attest_says_why(scenario, region, booted, reason):
    region.close()
    scenario.patience = 0
    region = scenario.open()
    try:
        region.boot(booted)
        outcome = only(region.settle(30))
        assert outcome.status == "failed"
        assert re.search(reason, outcome.reason)
    finally:
        region.close()


@pytest.mark.parametrize("custom_data", [None, b"\xff\xfe", b"#cloud-config", b"[]"])
def test_a_machine_without_our_configuration_just_runs(region, custom_data):
    region.boot(machine("plain", "inference-guest-1.0.0", {}, custom_data=custom_data))
    assert region.settle(5) == []


def test_a_verifier_with_a_wrong_configuration_does_not_boot(region):
    with pytest.raises(ProviderError, match=r"OSProvisioningClientError: .*port"):
        region.boot(machine("verifier-9", "verifier-1.0.0", verifier_config(port=0)))


def test_switching_off_forgets_the_machine_and_its_guest(scenario, region):
    region.boot(guest())
    region.settle(30)
    region.power_off(guest().id)
    region.power_off(guest().id)
    assert region.outcomes() == []
    assert not list((scenario.data_dir / "machines").glob("inference*"))


def test_erasing_leaves_nothing(scenario, region):
    region.boot(guest())
    region.settle(30)
    region.erase()
    assert [path for path in scenario.data_dir.rglob("*") if path.is_file()] == []


def test_gallery_facts(region):
    facts = region.image(f"{GALLERY}/verifier/versions/1.0.0")
    assert (facts["name"], facts["version"]) == ("verifier", "1.0.0")
    assert "ConfidentialVM" in facts["securityTypes"]
    assert region.image(f"{GALLERY}/verifier/versions/2.0.0") is None


def test_a_vault_key_is_found_again_and_is_another_one_after_purging(scenario, region):
    first = region.create_key("vault", "disk", {"kty": "RSA-HSM"})
    assert region.create_key("vault", "disk", {}) == first
    assert "d" not in first.public_jwk
    region.destroy_key("vault", "disk")
    region.destroy_key("vault", "disk")
    assert region.create_key("vault", "disk", {}).version != first.version


def test_a_bad_key_name_is_the_clouds_error(region):
    with pytest.raises(ProviderError, match="KeyCreationFailed: key a/b"):
        region.create_key("vault", "a/b", {})


def test_purging_the_key_makes_the_model_unreadable_for_good(region):
    region.boot(guest())
    region.settle(30)
    wrapped = region.custody.wrapped.get(RESOURCE)
    region.destroy_key("vault", KEK)
    region.create_key("vault", KEK, {})
    with pytest.raises(KeyStoreError):
        region.custody.keystore.unwrap(KEK, wrapped.blob)
    region.boot(guest("second"))
    assert {outcome.status for outcome in region.settle(30)} == {"attested"}
    assert region.custody.wrapped.get(RESOURCE).blob != wrapped.blob


def test_a_damaged_record_is_named(scenario, region):
    (scenario.data_dir / "guests").mkdir(exist_ok=True)
    (scenario.data_dir / "guests" / "inference.json").write_text("{")
    with pytest.raises(RecordError, match=r"inference\.json.*delete the file"):
        region.outcomes()


def test_a_damaged_hardware_key_fails_the_guest_and_names_the_file(scenario, region, tmp_path):
    region.close()
    scenario.hardware_dir = tmp_path / "hardware"
    scenario.hardware_dir.mkdir()
    (scenario.hardware_dir / "ark.pem").write_text("nothing")
    region = scenario.open()
    try:
        region.boot(guest())
        outcome = only(region.settle(30))
    finally:
        region.close()
    assert outcome.status == "failed"
    assert "ark.pem" in outcome.reason


def test_a_replaced_machine_boots_anew_while_its_old_guest_still_waits(scenario):
    scenario.patience = 20
    region = scenario.open()
    try:
        region.create_key("vault", KEK, {})
        region.boot(guest())
        region.boot(guest(private_ip="10.20.1.9"))
        region.boot(verifier())
        assert only(region.settle(30)).status == "attested"
    finally:
        region.close()


def test_a_refused_guest_is_asked_once_for_each_time_it_is_waited_for(scenario, region):
    region.boot(guest(image="inference-guest-1.1.0"))
    first = only(region.settle(30))
    assert first.status == "refused"
    assert first.reason.startswith("policy: measurement")
    assert region.custody.log.size == 1
    again = only(region.settle(30))
    assert again.nonce != first.nonce
    assert region.custody.log.size == 2


def test_an_attested_guest_attests_again_under_another_policy(region):
    """What the older policy passed, the newer may refuse: the guest is asked, and its key does not excuse it."""
    region.boot(guest())
    first = only(region.settle(30))
    assert only(region.settle(30)) == first
    region.boot(verifier("verifier-1"))
    assert only(region.settle(30)) == first
    for name in ("verifier-0", "verifier-1"):
        region.boot(verifier(name, **key_for(images=["inference-guest-1.1.0"])))
    refused = only(region.settle(30))
    assert (refused.status, refused.artefact) == ("refused", None)
    assert refused.nonce != first.nonce
    for name in ("verifier-0", "verifier-1"):
        region.boot(verifier(name))
    again = only(region.settle(30))
    assert again.status == "attested"
    assert again.nonce not in {first.nonce, refused.nonce}


def test_a_verifier_whose_hsm_is_lost_is_named(scenario, region):
    region.close()
    scenario.patience = 0
    (scenario.data_dir / "hsm" / "pin").write_text("0000")
    region = scenario.open()
    try:
        region.boot(guest())
        outcome = only(region.settle(30))
    finally:
        region.close()
    assert outcome.status == "failed"
    assert re.search("wrong (PIN|passphrase)", outcome.reason)


def test_a_machine_with_a_gpu_is_attested_wholly(region):
    region.boot(guest(gpu="h100"))
    outcome = only(region.settle(30))
    assert outcome.status == "attested"
    gpu = outcome.claims["submods"]["gpu0"]
    assert gpu["ear.status"] == "affirming"
    assert gpu["ear.veraison.annotated-evidence"]["trust_anchor"] == "sandbox"
    assert outcome.receipt["entry"]["devices"] == 1
    assert gpu["ear.veraison.policy-claims"]["revocation"]["value"] == "checked"


def test_a_key_that_demands_a_gpu_is_not_for_a_machine_without_one(scenario):
    region = scenario.open()
    try:
        region.create_key("vault", KEK, {})
        region.boot(verifier(**key_for(nvidia={})))
        region.boot(guest())
        outcome = only(region.settle(30))
        region.boot(guest(gpu="h100"))
        with_gpu = only(region.settle(30))
    finally:
        region.close()
    assert (outcome.status, with_gpu.status) == ("refused", "attested")
    assert "the policy demands evidence of GPUs, the guest sent none" in outcome.reason
