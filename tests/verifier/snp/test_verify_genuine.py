"""Genuine evidence: each case passes or fails at the check that its index states, at the time that it states."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509

from tests.verifier.genuine import CASES, PAIRINGS, SHARED, endorsements_of, genuine, report_of, time_of
from verifier.errors import MalformedEvidence, VerificationFailed
from verifier.pki import Certificate
from verifier.snp import Endorsements, SigningKey, parse, verify
from verifier.trust import TrustStore

GENUINE = genuine()
SECOND = timedelta(seconds=1)

each = pytest.mark.parametrize("evidence", GENUINE, ids=lambda evidence: evidence.id)


@pytest.fixture(scope="module")
def trust():
    return TrustStore.production()


def failed_check(report: bytes, endorsements: Endorsements, trust: TrustStore, at: datetime) -> str:
    with pytest.raises(VerificationFailed) as failure:
        verify(parse(report), endorsements, trust, at)
    return failure.value.check


@each
def test_genuine_evidence_verifies_at_its_time(evidence, trust):
    verified = verify(parse(evidence.report), evidence.endorsements, trust, evidence.at)
    case = next(case for case in CASES if evidence.id.startswith(case["id"]))
    assert verified.product == case["product"]
    assert verified.chain.anchor.name == "amd"


@each
def test_it_fails_before_its_certificate_starts_and_after_it_ends(evidence, trust):
    report = parse(evidence.report)
    for good in (evidence.not_before, evidence.not_after):
        assert verify(report, evidence.endorsements, trust, good).report is report
    for bad in (evidence.not_before - SECOND, evidence.not_after + SECOND):
        assert failed_check(evidence.report, evidence.endorsements, trust, bad) == "chain.leaf.validity"


@pytest.mark.parametrize("pairing", PAIRINGS, ids=lambda pairing: pairing["id"])
def test_negative_pairings_fail_for_the_expected_reason(pairing, trust):
    report = report_of(pairing)
    kind = parse(report).signing_key
    endorsements = endorsements_of(pairing, kind)
    assert failed_check(report, endorsements, trust, time_of(pairing)) == pairing["failed_check"]


def test_every_leaf_has_serial_number_0_and_nothing_depends_on_a_library_that_accepts_it(monkeypatch):
    def refuse(*_args, **_options):
        raise ValueError("serial number must be positive")

    monkeypatch.setattr(x509, "load_der_x509_certificate", refuse)
    monkeypatch.setattr(x509, "load_pem_x509_certificate", refuse)
    store = TrustStore.production()
    for evidence in GENUINE:
        assert Certificate.parse(evidence.endorsements.leaf).serial_number == 0
        assert verify(parse(evidence.report), evidence.endorsements, store, evidence.at).chain.anchor.name == "amd"


def test_no_genuine_certificate_endorses_another_chips_report(trust):
    kinds = [evidence for evidence in GENUINE if evidence.endorsements.kind is SigningKey.VCEK]
    for evidence in kinds:
        chip = parse(evidence.report).chip_id
        for other in kinds:
            if parse(other.report).chip_id != chip:
                check = failed_check(evidence.report, other.endorsements, trust, max(evidence.at, other.at))
                assert check in {"chip-id", "product"}


def test_one_chip_can_have_several_valid_certificates_with_one_key(trust):
    pair = [evidence for evidence in GENUINE if evidence.id.startswith("e75e8d4e")]
    chains = [verify(parse(it.report), it.endorsements, trust, it.at).chain for it in pair]
    assert chains[0].members[0].fingerprint != chains[1].members[0].fingerprint
    assert chains[0].key == chains[1].key


@each
def test_changing_any_signed_field_breaks_it(evidence, trust):
    for offset in range(0, 0x2A0, 8):
        changed = bytearray(evidence.report)
        changed[offset] ^= 0x01
        with pytest.raises((VerificationFailed, MalformedEvidence)):
            verify(parse(bytes(changed)), evidence.endorsements, trust, evidence.at)


@each
def test_a_signature_in_the_wrong_byte_order_or_with_a_zero_breaks_it(evidence, trust):
    swapped = bytearray(evidence.report)
    for start in (0x2A0, 0x2E8):
        swapped[start : start + 48] = swapped[start : start + 48][::-1]
        zero = bytearray(evidence.report)
        zero[start : start + 48] = bytes(48)
        check = failed_check(bytes(zero), evidence.endorsements, trust, evidence.at)
        assert check == "signature.range"
    check = failed_check(bytes(swapped), evidence.endorsements, trust, evidence.at)
    assert check in {"signature", "signature.range"}


@each
def test_each_certificate_byte_counts(evidence, trust):
    """Flip one bit in every 16th byte of the leaf: it never verifies."""
    leaf = evidence.endorsements.leaf
    for offset in range(0, len(leaf), 16):
        changed = leaf[:offset] + bytes([leaf[offset] ^ 0x04]) + leaf[offset + 1 :]
        with pytest.raises((VerificationFailed, MalformedEvidence)):
            verify(parse(evidence.report), replace(evidence.endorsements, leaf=changed), trust, evidence.at)


SHARED_ONLY = (
    [
        case
        for case in json.loads((SHARED / "index.json").read_text(encoding="utf-8"))["cases"]
        if case["id"] not in {case["id"] for case in CASES}
    ]
    if (SHARED / "index.json").is_file()
    else []
)


@pytest.mark.skipif(not SHARED_ONLY, reason="shared evidence is not beside the repository (../shared/evidence/snp)")
def test_shared_evidence_of_other_licences(trust):
    for case in SHARED_ONLY:
        report = parse((SHARED / case["id"] / "report.bin").read_bytes())
        assert report.measurement.hex() == case["measurement"]
        at = datetime.fromisoformat(case.get("verify_at", "2026-07-01T00:00:00Z"))
        if case["endorsements"]:
            endorsements = Endorsements.from_directory(SHARED / case["id"], report.signing_key)
            assert verify(report, endorsements, trust, at).product == case["product"]
        else:
            with pytest.raises(VerificationFailed) as failure:
                Endorsements.from_directory(SHARED / case["id"], report.signing_key)
            assert failure.value.check == "endorsement.missing"


def test_ahead_of_time_nothing_is_valid(trust):
    evidence = GENUINE[0]
    at = datetime(2019, 1, 1, tzinfo=UTC)
    assert failed_check(evidence.report, evidence.endorsements, trust, at) == "chain.leaf.validity"
