"""Genuine evidence: each report with each set of RIMs at each time gives the verdict that the index states."""

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from tests.verifier.nvidia.fake_nvidia import pem
from tests.verifier.nvidia.genuine import (
    CASES,
    GENUINE_RIMS,
    GPU,
    ONE_PER_DEVICE,
    RIMS,
    SHARED,
    VERDICTS,
    kinds,
    rim,
)
from verifier.appraisal import AppraisalPolicy
from verifier.appraisal.nvidia import appraise
from verifier.appraisal.policy import DEFAULT_POLICY
from verifier.errors import MalformedEvidence, VerificationFailed
from verifier.nvidia import Collateral, DeviceKind, RimKind, parse, parse_evidence_list, verify, verify_rim
from verifier.pki.files import pem_values
from verifier.trust import TrustStore

each = pytest.mark.parametrize("verdict", VERDICTS, ids=lambda verdict: verdict.id)
each_device = pytest.mark.parametrize("verdict", ONE_PER_DEVICE, ids=lambda verdict: verdict.case["id"])


@pytest.fixture(scope="module")
def trust():
    return TrustStore.production()


def failed_check(report: bytes, chain: bytes, trust: TrustStore, at: datetime) -> str:
    with pytest.raises(VerificationFailed) as failure:
        verify(parse(report), chain, Collateral(), trust, at)
    return failure.value.check


@each
def test_each_verdict_is_the_expected_one_for_the_expected_reason(verdict, trust):
    expect = verdict.expect
    report = parse(verdict.report)
    if expect["failed_check"] is not None:
        with pytest.raises(VerificationFailed) as failure:
            verify(report, verdict.chain, verdict.collateral, trust, verdict.at)
        assert failure.value.check == expect["failed_check"]
        return
    verified = verify(report, verdict.chain, verdict.collateral, trust, verdict.at)
    assert verified.device.chain.anchor.name == "nvidia"
    assert bytes.fromhex(verdict.case["fields"]["opaque_fwid"] or verdict.case["fields"]["leaf_fwid"]) in (
        verified.device.firmware.fwids
    )
    result = appraise([verified], AppraisalPolicy.load(DEFAULT_POLICY), nonce=verdict.nonce)
    against = [f"{name}.{claim.name}" for name, it in result.submods.items() for claim in it.claims if claim.tier > 2]
    assert (str(result.status), against) == (expect["status"], expect["against"])
    if "different" in expect:
        reasons = [
            claim.reason for it in result.submods.values() for claim in it.claims if claim.name == "measurements"
        ]
        assert reasons[0].endswith(f"RIM indexes {', '.join(map(str, expect['different']))}")


@pytest.mark.parametrize("entry", RIMS, ids=lambda entry: entry["file"])
def test_each_rim_is_genuine_or_refused_for_the_expected_reason(entry, trust):
    expect = entry["expect"]
    if expect["failed_check"] is not None:
        with pytest.raises(VerificationFailed) as failure:
            verify_rim(rim(entry["file"]), *kinds(entry), trust)
        assert failure.value.check == expect["failed_check"]
        return
    found = verify_rim(rim(entry["file"]), *kinds(entry), trust)
    assert (found.product, found.version) == (entry["product"], entry["version"])
    assert sorted(found.golden) == expect["active_indexes"]
    assert [f"{it:%Y-%m-%dT%H:%M:%SZ}" for it in (found.signers.start, found.signers.end)] == expect["signers_valid"]


@each_device
def test_it_fails_before_its_certificates_begin(verdict, trust):
    chain = verify(parse(verdict.report), verdict.chain, Collateral(), trust, verdict.at).device.chain
    assert chain.end.year == 9999
    report, second = parse(verdict.report), timedelta(seconds=1)
    assert verify(report, verdict.chain, Collateral(), trust, chain.start).report is report
    assert failed_check(verdict.report, verdict.chain, trust, chain.start - second).endswith(".validity")


@each_device
def test_changing_any_signed_byte_breaks_it(verdict, trust):
    report = verdict.report
    signed = len(parse(report).signed)
    for offset in [*range(0, signed, 29), *range(signed, signed + 96, 8)]:
        changed = bytearray(report)
        changed[offset] ^= 0x01
        with pytest.raises((VerificationFailed, MalformedEvidence)):
            verify(parse(bytes(changed)), verdict.chain, Collateral(), trust, verdict.at)


@each_device
def test_signatures_in_the_wrong_byte_order_or_zero_break_it(verdict, trust):
    report = parse(verdict.report)
    value = report.signature
    for wrong in (value[47::-1] + value[:47:-1], bytes(48) + value[48:], value[:48] + bytes(48), value[::-1], b""):
        with pytest.raises(VerificationFailed) as failure:
            verify(replace(report, signature=wrong), verdict.chain, Collateral(), trust, verdict.at)
        assert failure.value.check == "report.signature"


def test_the_chain_of_another_device_of_the_same_model_is_refused(trust):
    reports = [it for it in ONE_PER_DEVICE if it.case["fields"]["driver"] == "590.12"]
    assert len(reports) == 5
    for one, other in pairwise(reports):
        assert failed_check(one.report, other.chain, trust, one.at) == "report.signature"


@each_device
def test_a_chain_with_a_member_changed_moved_or_left_out_is_refused(verdict, trust):
    members = [pem(certificate) for certificate in pem_values(verdict.chain)]
    assert len(members) == 5
    for number in range(5):
        shorter = b"".join(members[:number] + members[number + 1 :])
        assert failed_check(verdict.report, shorter, trust, verdict.at) == "chain.length"
        doubled = b"".join(members[:number] + members[number : number + 1] * 2 + members[number + 1 :])
        assert failed_check(verdict.report, doubled, trust, verdict.at) == "chain.length"
    for number in range(4):
        swapped = [*members]
        swapped[number], swapped[number + 1] = swapped[number + 1], swapped[number]
        assert failed_check(verdict.report, b"".join(swapped), trust, verdict.at).startswith("chain.")


@pytest.mark.parametrize("entry", GENUINE_RIMS[::3], ids=lambda entry: entry["file"])
def test_changing_any_byte_of_a_rim_breaks_it(entry, trust):
    encoded = rim(entry["file"])
    known = verify_rim(encoded, *kinds(entry), trust)
    for offset in range(0, len(encoded), 149):
        changed = encoded[:offset] + bytes([encoded[offset] ^ 0x01]) + encoded[offset + 1 :]
        try:
            found = verify_rim(changed, *kinds(entry), trust)
        except (VerificationFailed, MalformedEvidence):
            continue
        assert replace(found, sha256="") == replace(known, sha256=""), f"byte {offset} does not count, and must not"


def test_a_rim_for_switches_is_none_for_gpus_nor_the_reverse(trust):
    for entry in GENUINE_RIMS:
        kind, device = kinds(entry)
        other = DeviceKind.GPU if device is DeviceKind.SWITCH else DeviceKind.SWITCH
        with pytest.raises(VerificationFailed, match=rf"rim\.{kind}\.content: edition"):
            verify_rim(rim(entry["file"]), kind, other, trust)


def test_four_gpus_with_one_nonce_are_four(trust):
    cases = [it for it in ONE_PER_DEVICE if it.case["id"].startswith("h100-590.12-multi-")]
    verified = [verify(parse(it.report), it.chain, Collateral(), trust, it.at) for it in cases]
    fabric = appraise(verified, AppraisalPolicy.load(DEFAULT_POLICY), nonce=cases[0].nonce).submods["fabric"]
    claims = {claim.name: claim for claim in fabric.claims}
    assert claims["distinct"].value == "4 devices"
    assert claims["one-mode"].value == "protected-pcie"
    assert "no evidence of an NVSwitch" in claims["topology"].reason


def test_one_switch_four_times_is_no_four(trust):
    """As the list of four in NVIDIA's multi_switch_ls10.json has it."""
    case = next(it for it in ONE_PER_DEVICE if it.case["id"] == "ls10-switch-961055")
    verified = verify(parse(case.report), case.chain, Collateral(), trust, case.at)
    fabric = appraise([verified] * 4, AppraisalPolicy.load(DEFAULT_POLICY), nonce=case.nonce).submods["fabric"]
    assert [claim.name for claim in fabric.against()] == ["distinct"]


def test_a_list_as_the_attestation_sdk_writes_it(trust):
    cases = [it for it in ONE_PER_DEVICE if it.case["id"].startswith("h100-590.12-multi-")]
    entries = [
        {
            "arch": "HOPPER",
            "nonce": it.case["nonce"],
            "version": "1.0",
            "evidence": base64.b64encode(it.report).decode(),
            "certificate": base64.b64encode(it.chain).decode(),
        }
        for it in cases
    ]
    devices = parse_evidence_list(json.dumps(entries).encode())
    assert [device.report.nonce for device in devices] == [it.nonce for it in cases]
    for device, case in zip(devices, cases, strict=True):
        assert verify(device.report, device.chain, Collateral(), trust, case.at).report == parse(case.report)


@pytest.mark.skipif(not SHARED.is_dir(), reason="needs ../shared/evidence/gpu")
def test_every_shared_rim_is_as_its_index_says(trust):
    for entry in json.loads((SHARED / "index.json").read_text())["rims"]:
        kind = RimKind.DRIVER if entry["kind"] == "driver" else RimKind.VBIOS
        device = DeviceKind.SWITCH if entry["kind"] == "switch bios" else DeviceKind.GPU
        encoded = (SHARED / entry["file"]).read_bytes()
        if entry["xml_signature"] is True and entry["signer_chain_to_pinned_root"] is True:
            found = verify_rim(encoded, kind, device, trust)
            assert sorted(found.golden) == entry["active_indexes"]
            assert found.signers.start <= datetime.fromisoformat(entry["verify_at"]) <= found.signers.end
        else:
            with pytest.raises(VerificationFailed):
                verify_rim(encoded, kind, device, trust)


@pytest.mark.skipif(not SHARED.is_dir(), reason="needs ../shared/evidence/gpu")
def test_every_shared_report_is_as_its_index_says(trust):
    at = datetime(2026, 11, 23, tzinfo=UTC)
    for case in json.loads((SHARED / "index.json").read_text())["cases"]:
        report, chain = ((SHARED / file).read_bytes() for file in case["files"])
        if case["signature_valid"] is True and case["chain_to_device_root"] is True:
            assert verify(parse(report), chain, Collateral(), trust, at).report.nonce.hex() == case["nonce"]
        else:
            failed_check(report, chain, trust, at)


def test_every_file_is_in_the_index():
    assert {path.name for path in (GPU / "rims").iterdir()} == {entry["file"] for entry in RIMS}
    assert {path.name for path in (GPU / "devices").iterdir()} == {case["id"] for case in CASES}
    assert {entry["licence"] for entry in RIMS + CASES} == {"Apache-2.0"}
