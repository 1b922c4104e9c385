"""Genuine VMs: each gives the verdict that the index states, for the stated reason, and no part can be exchanged."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tests.verifier.azure.genuine import AZURE, CASES, GENUINE, QUOTED
from tests.verifier.tpm.genuine import CAPTURED
from verifier import tpm
from verifier.appraisal.azure import appraise
from verifier.appraisal.policy import DEFAULT_POLICY, AppraisalPolicy
from verifier.azure import check_binding, parse, verify
from verifier.errors import MalformedEvidence, VerificationFailed
from verifier.tpm import event_log
from verifier.trust import TrustStore

DEFAULT = AppraisalPolicy.load(DEFAULT_POLICY)

each = pytest.mark.parametrize("case", CASES.values(), ids=lambda case: case.entry["id"])
each_genuine = pytest.mark.parametrize("case", GENUINE, ids=lambda case: case.entry["id"])
each_quoted = pytest.mark.parametrize("case", QUOTED, ids=lambda case: case.entry["id"])


@pytest.fixture(scope="module")
def trust():
    return TrustStore.production()


def judged(case, trust, evidence=None, at=None):
    return verify(evidence or case.evidence, case.endorsements, trust, at or case.at)


def failed_check(act) -> str:
    with pytest.raises(VerificationFailed) as failure:
        act()
    return failure.value.check


def against(result) -> list[str]:
    return [claim.name for submod in result.submods.values() for claim in submod.claims if claim.tier > 2]


@each
def test_each_verdict_is_the_expected_one_for_the_expected_reason(case, trust):
    expect = case.expect
    if expect["failed_check"] is not None:
        assert failed_check(lambda: judged(case, trust)) == expect["failed_check"]
        return
    result = appraise(judged(case, trust), DEFAULT, nonce=case.nonce)
    assert list(result.submods) == ["cpu", "vtpm"]
    assert (str(result.status), against(result)) == (expect["status"], expect["against"])


@each
def test_every_report_binds_its_claims_and_has_the_fields_of_the_index(case):
    report, fields = parse(case.report), case.entry["fields"]
    check_binding(report)
    assert report.version == fields["hcl_version"]
    assert report.hosted.name.lower() == case.entry["tee"]
    assert list(report.claims.keys) == fields["kids"]
    assert (report.claims.user_data.hex() if report.claims.user_data else None) == fields["user_data"]
    assert report.claims.configuration.vm_id == fields["vm_id"]
    assert report.claims.configuration.secure_boot is fields["secure_boot"]


@each_quoted
def test_the_quote_covers_the_pcrs_of_the_index(case, trust):
    pcrs = judged(case, trust).vtpm.pcrs
    assert [len(registers) for registers in pcrs.values()] == [case.entry["fields"]["pcrs"]]


@each
def test_changing_any_byte_of_the_claims_breaks_the_binding(case):
    end = 1236 + len(parse(case.report).runtime_json)
    for offset in range(1236, end, 11):
        changed = bytearray(case.report)
        changed[offset] ^= 0x01
        with pytest.raises((VerificationFailed, MalformedEvidence)):
            check_binding(parse(bytes(changed)))


@each_genuine
def test_changing_the_hardware_report_breaks_it(case, trust):
    signed = range(32, 32 + 0x2A0) if case.entry["tee"] == "snp" else range(160, 224)
    for offset in signed[::16]:
        changed = bytearray(case.report)
        changed[offset] ^= 0x01
        with pytest.raises((VerificationFailed, MalformedEvidence)):
            judged(case, trust, replace(case.evidence, hcl=parse(bytes(changed))))


@each_quoted
@pytest.mark.parametrize("other", QUOTED, ids=lambda case: case.entry["id"])
def test_the_quote_of_another_vm_is_refused(case, other, trust):
    mixed = replace(case.evidence, vtpm=other.evidence.vtpm)
    if case.evidence.hcl.claims.keys == other.evidence.hcl.claims.keys:
        assert judged(case, trust, mixed).vtpm is not None
    else:
        assert failed_check(lambda: judged(case, trust, mixed)) == "tpm.signature"


def test_the_td_quote_of_another_vm_is_refused(trust):
    one, other = CASES["tdx-v1"], CASES["tdx-ita"]
    mixed = replace(one.evidence, td_quote=other.evidence.td_quote)
    assert failed_check(lambda: judged(one, trust, mixed)) == "td-quote.report-data"


def test_endorsements_of_the_other_vendor_are_refused(trust):
    one, other = CASES["tdx-v1"], CASES["snp-live"]
    for case, offered in ((one, other), (other, one)):
        refused = failed_check(lambda: verify(case.evidence, offered.endorsements, trust, case.at))  # noqa: B023
        assert refused == "endorsement.kind"


@each_genuine
def test_it_fails_outside_the_time_of_its_endorsements(case, trust):
    for at in (datetime(2020, 1, 1, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC)):
        assert failed_check(lambda: judged(case, trust, at=at)).endswith("validity")  # noqa: B023


@each_quoted
def test_the_quoted_nonce_is_fresh_and_no_other_is(case, trust):
    verified = judged(case, trust)
    assert "nonce" not in against(appraise(verified, DEFAULT, nonce=case.nonce))
    for wrong in (case.nonce + b"\0", case.nonce[:-1], b"", b"other"):
        assert "nonce" in against(appraise(verified, DEFAULT, nonce=wrong))


def test_a_genuine_quote_without_a_nonce_fails_freshness(trust):
    captured = CAPTURED["gce-cos-85-no-nonce-sha256"]
    quoted = tpm.verify(tpm.parse(captured.quote), tpm.parse_signature(captured.signature), captured.key, captured.pcrs)
    verified = replace(judged(CASES["snp-live"], trust), vtpm=quoted)
    for nonce in (b"", b"challenge"):
        result = appraise(verified, DEFAULT, nonce=nonce)
        assert against(result) == ["nonce"]
        assert str(result.submods["vtpm"].status) == "contraindicated"
        assert "no nonce" in next(claim.reason for claim in result.submods["vtpm"].claims if claim.name == "nonce")


def test_the_event_log_of_another_machine_is_refused(trust):
    case = CASES["snp-genoa-v3"]
    log = event_log.parse(CAPTURED["gce-cos-85-nonce-sha256"].event_log)
    evidence = case.evidence
    with_log = replace(evidence, vtpm=replace(evidence.vtpm, log=log))
    assert failed_check(lambda: judged(case, trust, with_log)) == "event-log.pcr0"


def test_user_data_is_the_nonce_where_there_is_no_quote(trust):
    verified = judged(CASES["tdx-ita"], trust)
    policy = AppraisalPolicy.load(DEFAULT_POLICY).model_copy(
        update={"azure": DEFAULT.azure.model_copy(update={"vtpm_quote": "if-given"})}
    )
    assert against(appraise(verified, policy, nonce=verified.hcl.claims.user_data)) == ["td.sept-ve-disable"]
    assert against(appraise(verified, policy, nonce=b"other")) == ["td.sept-ve-disable", "nonce"]


def test_every_case_of_the_index_is_used():
    assert set(CASES) == {path.name for path in AZURE.iterdir() if path.is_dir()}
