"""Genuine evidence: each quote with each collateral at each time gives the verdict that the index states."""

import json
from dataclasses import fields, replace
from datetime import datetime, timedelta

import pytest

from tests.verifier.tdx.genuine import CASES, GENUINE, INDEX, ONE_PER_QUOTE, SHARED, TDX, VERDICTS, collateral
from verifier.appraisal.policy import DEFAULT_POLICY, AppraisalPolicy
from verifier.appraisal.tdx import appraise
from verifier.errors import MalformedEvidence, UnreadableInput, VerificationFailed
from verifier.tdx import Collateral, parse, verify
from verifier.trust import TrustStore

SECOND = timedelta(seconds=1)

each = pytest.mark.parametrize("verdict", VERDICTS, ids=lambda verdict: verdict.id)
each_quote = pytest.mark.parametrize("verdict", ONE_PER_QUOTE, ids=lambda verdict: verdict.id)


@pytest.fixture(scope="module")
def trust():
    return TrustStore.production()


def failed_check(quote: bytes, offered: Collateral, trust: TrustStore, at: datetime) -> str:
    with pytest.raises(VerificationFailed) as failure:
        verify(parse(quote), offered, trust, at)
    return failure.value.check


@each
def test_each_verdict_is_the_expected_one_for_the_expected_reason(verdict, trust):
    expect = verdict.expect
    if expect["failed_check"] is not None:
        assert failed_check(verdict.quote, verdict.collateral, trust, verdict.at) == expect["failed_check"]
        return
    verified = verify(parse(verdict.quote), verdict.collateral, trust, verdict.at)
    assert verified.endorsement.chain.anchor.name == "intel"
    assert verified.endorsement.chain.platform.fmspc.hex() == verdict.case["fields"]["fmspc"]
    assert verified.tcb.status == expect["tcb_status"]
    assert list(verified.tcb.advisories) == expect["advisories"]
    result = appraise(verified, AppraisalPolicy.load(DEFAULT_POLICY), report_data=None)
    assert str(result.status) == expect["status"]
    assert [claim.name for claim in result.submods["cpu"].claims if claim.tier > 2] == expect["against"]


@each_quote
def test_it_fails_outside_the_time_of_its_collateral(verdict, trust):
    quote = parse(verdict.quote)
    endorsed = verify(quote, verdict.collateral, trust, verdict.at).endorsement
    for good in (endorsed.start, endorsed.end):
        assert verify(quote, verdict.collateral, trust, good).quote is quote
    for bad in (endorsed.start - SECOND, endorsed.end + SECOND):
        assert failed_check(verdict.quote, verdict.collateral, trust, bad).endswith(".validity")
    later = endorsed.tcb_info.next_update + timedelta(days=400)
    assert failed_check(verdict.quote, verdict.collateral, trust, later).endswith(".validity")


def test_the_time_of_each_collateral_is_that_of_the_index(trust):
    for entry in INDEX["collateral"]:
        verdicts = [verdict for verdict in GENUINE if verdict.entry["collateral"] == entry["id"]]
        for verdict in verdicts:
            endorsed = verify(parse(verdict.quote), verdict.collateral, trust, verdict.at).endorsement
            assert endorsed.tcb_info.tcb_evaluation_data_number == entry["tcb_evaluation_data_number"]
            assert endorsed.end == datetime.fromisoformat(entry["valid_until"])


@each_quote
def test_collateral_of_another_platform_is_refused(verdict, trust):
    for entry in INDEX["collateral"]:
        if entry["fmspc"] != verdict.case["fields"]["fmspc"]:
            assert failed_check(verdict.quote, collateral(entry["id"]), trust, verdict.at) == "tcb-info.fmspc"


@each_quote
def test_changing_any_signed_byte_breaks_it(verdict, trust):
    quote = verdict.quote
    signed = len(parse(quote).signed)
    for offset in [*range(0, signed, 16), *range(signed + 4, signed + 4 + 128, 8)]:
        changed = bytearray(quote)
        changed[offset] ^= 0x01
        with pytest.raises((VerificationFailed, MalformedEvidence)):
            verify(parse(bytes(changed)), verdict.collateral, trust, verdict.at)


@each_quote
def test_changing_the_qe_report_or_its_authentication_data_breaks_it(verdict, trust):
    quote = parse(verdict.quote)
    start = verdict.quote.index(quote.qe_report_signed)
    for offset in range(start, start + 384 + 64 + 2 + len(quote.qe_auth_data), 16):
        changed = bytearray(verdict.quote)
        changed[offset] ^= 0x80
        with pytest.raises((VerificationFailed, MalformedEvidence)):
            verify(parse(bytes(changed)), verdict.collateral, trust, verdict.at)


@each_quote
def test_signatures_in_the_wrong_byte_order_or_zero_break_it(verdict, trust):
    quote = parse(verdict.quote)
    for name, check in (("signature", "quote.signature"), ("qe_report_signature", "qe.signature")):
        value = getattr(quote, name)
        for wrong in (value[31::-1] + value[:31:-1], bytes(32) + value[32:], value[:32] + bytes(32), value[::-1]):
            with pytest.raises(VerificationFailed) as failure:
                verify(replace(quote, **{name: wrong}), verdict.collateral, trust, verdict.at)
            assert failure.value.check == check


def test_a_qe_report_of_another_platform_is_refused(trust):
    one, other = (parse(verdict.quote) for verdict in ONE_PER_QUOTE[:2])
    mixed = replace(
        one,
        qe_report=other.qe_report,
        qe_report_signed=other.qe_report_signed,
        qe_report_signature=other.qe_report_signature,
    )
    verdict = ONE_PER_QUOTE[0]
    with pytest.raises(VerificationFailed) as failure:
        verify(mixed, verdict.collateral, trust, verdict.at)
    assert failure.value.check == "qe.signature"


class TestCollateral:
    """Each part of genuine collateral, changed; of the root that comes with it only the name and the key count."""

    VERDICT = ONE_PER_QUOTE[0]

    @pytest.mark.parametrize("name", [field.name for field in fields(Collateral)])
    def test_each_byte_counts(self, name, trust):
        verdict, part = self.VERDICT, getattr(self.VERDICT.collateral, name)
        step = max(1, len(part) // 40)
        end = part.index(b"-----END") if name == "tcb_signing_chain" else len(part)
        for offset in range(0, end, step):
            changed = part[:offset] + bytes([part[offset] ^ 0x02]) + part[offset + 1 :]
            if name == "tcb_signing_chain" and part[offset] in b"\r\n":
                continue
            offered = replace(verdict.collateral, **{name: changed})
            with pytest.raises((VerificationFailed, MalformedEvidence)):
                verify(parse(verdict.quote), offered, trust, verdict.at)

    @pytest.mark.parametrize("name", ["tcb_info", "qe_identity"])
    def test_reserialised_json_is_refused(self, name, trust):
        document = json.loads(getattr(self.VERDICT.collateral, name))
        offered = replace(self.VERDICT.collateral, **{name: json.dumps(document).encode()})
        check = f"{name.replace('_', '-')}.signature"
        assert failed_check(self.VERDICT.quote, offered, trust, self.VERDICT.at) == check

    def test_a_root_crl_in_place_of_the_pck_crl_is_refused(self, trust):
        offered = replace(self.VERDICT.collateral, pck_crl=self.VERDICT.collateral.root_crl)
        assert failed_check(self.VERDICT.quote, offered, trust, self.VERDICT.at) == "crl.pck.issuer"

    def test_older_collateral_of_the_same_platform_is_refused_later(self, trust):
        verdicts = [it for it in GENUINE if it.case["id"] == "23d9095c"]
        first, last = verdicts[-1], verdicts[0]
        assert first.at < last.at
        assert failed_check(first.quote, first.collateral, trust, last.at).endswith(".validity")

    def test_a_folder_that_is_none_cannot_be_read(self, tmp_path):
        with pytest.raises(UnreadableInput, match=r"no such folder; it should hold tcb_info\.json"):
            Collateral.from_directory(tmp_path / "none")

    def test_a_folder_names_what_is_missing(self, tmp_path):
        (tmp_path / "tcb_info.json").write_bytes(b"{}")
        with pytest.raises(VerificationFailed, match=r"has no tcb_info\.sig, qe_identity\.json") as failure:
            Collateral.from_directory(tmp_path)
        assert failure.value.check == "collateral.missing"


SHARED_INDEX = json.loads((SHARED / "index.json").read_text(encoding="utf-8")) if SHARED.is_dir() else {"cases": []}
_HELD = {(case["id"], entry["collateral"]) for case in CASES for entry in case["verdicts"]}
SHARED_ONLY = [
    (case, entry)
    for case in SHARED_INDEX["cases"]
    for entry in case["verdicts"]
    if (case["id"], entry["collateral"]) not in _HELD
]
_CHECK_OF = {"fail: No matching TCB level": "tcb.level", "fail: PCK certificate not yet": "chain.pck.validity"}


@pytest.mark.skipif(not SHARED_ONLY, reason="shared evidence is not beside the repository (../shared/evidence/tdx)")
def test_shared_evidence_of_other_licences(trust):
    for case, entry in SHARED_ONLY:
        offered = Collateral.from_directory(SHARED / "collateral" / entry["collateral"])
        quote, at = (SHARED / case["file"]).read_bytes(), datetime.fromisoformat(entry["at"])
        check = next((check for text, check in _CHECK_OF.items() if entry["expected"].startswith(text)), None)
        if check is not None:
            assert failed_check(quote, offered, trust, at) == check
            continue
        tcb = verify(parse(quote), offered, trust, at).tcb
        assert tcb.platform.status == entry["spec_tcb_level"]
        assert (tcb.module.status if tcb.module else "n/a (module major 0)") == entry["spec_tdx_module"]


def test_every_case_of_the_index_is_used():
    assert {verdict.case["id"] for verdict in VERDICTS} == {case["id"] for case in CASES}
    assert all((TDX / case["quote"]).is_file() for case in CASES)
