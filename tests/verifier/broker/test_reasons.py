"""What receipts say of a decision: each reason once, and no reason that is none."""

from typing import Any

import pytest

from tests.verifier.emulated_site import Guest, Refused, Site, reference_values
from verifier.appraisal import Appraisal, AttestationResult
from verifier.broker.judge import Judge
from verifier.broker.protocol import Evidence
from verifier.broker.service import TOKEN_KEYS, token_keys, token_signer
from verifier.signer import SoftwareSigner
from verifier.trust import TrustStore


@pytest.fixture
def judge(site: Site) -> Judge:
    return Judge(site.config, TrustStore.production().with_sandbox(site.pki.roots))


def test_a_result_that_says_nothing_opens_nothing(site: Site, judge: Judge) -> None:
    silent = AttestationResult.of({"cpu": Appraisal.of([], "policy", None)})
    found = judge.objections(silent, site.config.resources[0], "snp")
    assert found == ["status: none, affirming is required"]


def test_what_one_claim_says_is_not_said_of_the_status_again(site: Site, guest: Guest, refused: Refused) -> None:
    reasons = refused(guest.but(vmpl=2).attest(site.replica()), 401, "VMPL 2")["reasons"]
    assert not any(reason.startswith("status: ") for reason in reasons)


def test_a_bundle_that_is_not_used_is_no_reason_where_none_is_missing(
    site: Site, guest: Guest, refused: Refused
) -> None:
    unsigned = reference_values(SoftwareSigner.generate(), "training-guest")
    site.configure(reference_values=[*site.config.reference_values, unsigned])
    reasons = refused(guest.but(vmpl=2).attest(site.replica()), 401, "VMPL 2")["reasons"]
    assert not any("bundle" in reason for reason in reasons)
    site.change_policy(images=["inference-guest-1.0.0", "training-guest-1.0.0"])
    reasons = refused(guest.but(vmpl=2).attest(site.replica()), 401, "VMPL 2")["reasons"]
    missing = [reason for reason in reasons if reason.startswith("reference-values: none that a build key signed")]
    assert missing == ["reference-values: none that a build key signed for image training-guest-1.0.0 on snp"]
    assert any("bundle 1 is not used" in reason for reason in reasons)


def test_what_each_key_objects_to_is_said_once(site: Site, guest: Guest, refused: Refused) -> None:
    (resource,) = site.config.model_dump()["resources"]
    other = resource | {"path": "default/model-key/other", "policy": resource["policy"] | {"vmpl": [1]}}
    again = resource | {"path": "default/model-key/again"}
    site.configure(resources=[resource, other, again])
    reasons = refused(guest.but(vmpl=2).attest(site.replica()), 401, "VMPL 2")["reasons"]
    assert reasons == [f"vmpl: the report is from VMPL 2, the policy accepts {level}" for level in (0, 1)]


def test_an_allowed_decision_rests_on_what_was_affirmed(site: Site, guest: Guest) -> None:
    guest.token(site.replica())
    reasons = site.entries()[-1]["reasons"]
    assert any(reason.startswith("vmpl: ") for reason in reasons)
    assert not any(reason.startswith("revocation: ") for reason in reasons)


def test_archived_evidence_is_not_asked_for_the_age_of_its_collateral_again(site: Site, guest: Guest) -> None:
    guest.token(site.replica())
    site.change_policy(collateral={"maximum_age_days": {"amd-crl": 7}})
    (digest,) = site.log.archive.digests("evidence")
    evidence = Evidence.from_json(site.log.archive.get("evidence", digest))
    judge, resource = Judge(site.config, TrustStore.production().with_sandbox(site.pki.roots)), site.config.resources[0]
    genuine = judge.verify(evidence, site.now)

    def objections(**time: Any) -> list[str]:
        return judge.objections(judge.appraise(genuine, evidence, resource, **time), resource, "snp")

    assert objections() == []
    assert any("collateral.age-unknown" in reason for reason in objections(at=site.now))


def test_keys_that_signed_results_are_those_that_the_key_store_has(site: Site) -> None:
    former = TOKEN_KEYS["former-token"]
    token_signer(site.keystore)
    assert token_keys(site.keystore).keys() == {"token"}
    site.keystore.create_signing_key(former)
    try:
        assert token_keys(site.keystore).keys() == {"token", "former-token"}
    finally:
        site.keystore.destroy(former)
