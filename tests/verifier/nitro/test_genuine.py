"""Genuine documents of AWS, by the library and by `verify_files`."""

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.verifier.emulated_aws import reference_values
from verifier import nitro, verify
from verifier.appraisal import AppraisalPolicy
from verifier.command import ExitCode, verify_files
from verifier.signer import SoftwareSigner
from verifier.trust import TrustStore

NITRO = Path(__file__).parents[2] / "evidence" / "nitro"
CASES = {case["id"]: case for case in json.loads((NITRO / "index.json").read_text(encoding="utf-8"))["cases"]}


def judged(name, at=None, **options):
    case = CASES[name]
    return verify_files(NITRO / case["file"], None, at=at or datetime.fromisoformat(case["verify_at"]), **options)


@pytest.mark.parametrize("name", CASES)
def test_each_is_genuine_under_the_pinned_root(name):
    verdict = judged(name)
    assert verdict.genuine
    assert verdict.verified.document.module_id == CASES[name]["module_id"]
    assert ("debug" in [claim.name for claim in verdict.claims if claim.tier > 2]) is CASES[name]["debug"]


def test_it_is_no_longer_valid_hours_later():
    at = datetime.fromisoformat(CASES["enclave"]["verify_at"])
    verdict = judged("enclave", at + timedelta(hours=3))
    assert verdict.failure.check == "chain.leaf.validity"
    assert set(verdict.as_json()["submods"]) == {"nitro"}
    assert verdict.exit_code is ExitCode.NOT_AFFIRMING


def test_a_strict_policy_wants_a_nonce_and_pcrs(tmp_path):
    (tmp_path / "policy.yaml").write_text("id: strict\n")
    verdict = judged("enclave", policy=tmp_path / "policy.yaml")
    assert [claim.name for claim in verdict.claims if claim.tier > 2] == ["nonce", "pcrs"]


def test_its_pcrs_can_be_listed(tmp_path):
    document = nitro.parse((NITRO / CASES["enclave"]["file"]).read_bytes())
    policy = AppraisalPolicy(freshness="if-given", nitro={"pcrs": {0: [document.pcrs[0].hex()]}})
    at = datetime.fromisoformat(CASES["enclave"]["verify_at"])
    verdict = verify((NITRO / CASES["enclave"]["file"]).read_bytes(), policy, None, at)
    assert verdict.acceptable
    assert verdict.as_json()["submods"]["nitro"]["ear.status"] == "affirming"


def test_other_evidence_needs_collateral(tmp_path):
    report = tmp_path / "report.bin"
    report.write_bytes((NITRO.parent / "snp" / "05b7438a" / "report.bin").read_bytes())
    verdict = verify_files(report, None, at=datetime.fromisoformat(CASES["enclave"]["verify_at"]))
    assert verdict.exit_code is ExitCode.UNUSABLE_INPUT
    assert "collateral" in verdict.error


@pytest.mark.parametrize(
    ("predicate", "signed", "found"),
    [
        ({}, True, "approved"),
        ({"attested": "nitrotpm"}, True, "pcrs: reference values with these PCRs are not among those that were given"),
        ({"pcrs": {"0": ["5c" * 48]}}, True, "pcrs: no reference values have these PCRs"),
        ({"tee": "snp"}, True, "predicate.tee"),
        ({}, False, "trusted key"),
    ],
)
def test_a_genuine_enclave_is_known_by_signed_values(tmp_path, predicate, signed, found):
    document = nitro.parse((NITRO / CASES["enclave"]["file"]).read_bytes())
    build, other = SoftwareSigner.generate(), SoftwareSigner.generate()
    measured = document.pcrs[0].hex()
    values = reference_values(
        build if signed else other,
        "enclave",
        subject=bytes.fromhex(predicate.get("pcrs", {"0": [measured]})["0"][0]),
        **{"attested": "enclave", "pcrs": {"0": [measured]}} | predicate,
    )
    (tmp_path / "values.json").write_text(json.dumps(values))
    (tmp_path / "policy.yaml").write_text("freshness: if-given\n")
    verdict = judged(
        "enclave",
        policy=tmp_path / "policy.yaml",
        reference_values=[tmp_path / "values.json"],
        build_keys=[build.public_key],
    )
    assert verdict.genuine is (verdict.error is None)
    if found == "approved":
        assert verdict.acceptable
        assert {claim.name: claim.reference for claim in verdict.claims}["pcrs"] == "enclave-1.0.0"
    else:
        assert found in verdict.summary


def test_the_root_is_aws_s():
    assert [it.certificate.fingerprint for it in TrustStore.production().anchors if "nitro" in it.scope] == [
        "641a0321a3e244efe456463195d606317ed7cdcc3c1756e09893f3c68f79bb5b"
    ]
