"""`bailiwick verify` for Azure confidential VMs: an HCL report, and a folder with the rest."""

import shutil
from dataclasses import replace

import pytest

from tests.verifier.azure.fake_azure import Vm
from tests.verifier.azure.genuine import CASES, EVIDENCE
from verifier.azure.evidence import with_event_log
from verifier.command import verify_files
from verifier.errors import UnreadableInput

SNP = CASES["snp-milan-v3-b"]


def folder_for(case, path):
    """One folder with what the VM sent and what endorses it."""
    shutil.copytree(case.folder, path)
    shutil.copytree(EVIDENCE / case.entry["endorsements"], path, dirs_exist_ok=True)
    if "td_quote" in case.entry:
        shutil.copyfile(EVIDENCE / case.entry["td_quote"], path / "td_quote.bin")
    return path


def judged(case, folder, **options):
    options = {"nonce": case.nonce} | options
    return verify_files(folder / "hcl_report.bin", folder, at=case.at, **options)


@pytest.mark.parametrize("case", CASES.values(), ids=lambda case: case.entry["id"])
def test_each_genuine_case_gets_its_expected_verdict(case, tmp_path):
    verdict = judged(case, folder_for(case, tmp_path / "vm"))
    expect = case.expect
    assert (verdict.failure.check if verdict.failure else None) == expect["failed_check"]
    assert verdict.exit_code == (0 if expect.get("status") == "affirming" else 1)
    if verdict.genuine:
        assert [claim.name for claim in verdict.claims if claim.tier > 2] == expect["against"]
        assert set(verdict.as_json()["submods"]) == {"cpu", "vtpm"}


def test_another_nonce_is_not_acceptable(tmp_path):
    verdict = judged(SNP, folder_for(SNP, tmp_path / "vm"), nonce=b"other")
    assert (verdict.exit_code, verdict.genuine) == (1, True)
    assert verdict.summary.startswith("genuine, but not acceptable: nonce: ")


def test_a_forged_quote_counts_against_the_vtpm(tmp_path):
    folder = folder_for(SNP, tmp_path / "vm")
    (folder / "tpm_quote.sig").write_bytes(bytes(256))
    verdict = judged(SNP, folder)
    assert verdict.summary.startswith("not shown to be genuine: tpm.signature: ")
    assert list(verdict.as_json()["submods"]) == ["vtpm"]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("hcl_report.bin", b"HCLA", "an HCL report has 1236 to 16384 bytes, 4 given"),
        ("tpm_quote.msg", b"\xffTCG", "tpm_quote.msg: malformed at byte 4"),
        ("tpm_quote.sig", b"", "tpm_quote.sig: malformed at byte 0"),
        ("pcrs.json", b"{}", "pcrs.json: a list of at most 24 PCRs is expected"),
        ("pcrs.json", b"[" + b'"00",' * 24 + b'"00"]', "pcrs.json: a list of at most 24 PCRs is expected"),
        ("pcrs.json", b"[1]", "pcrs.json: PCRs are texts in hex"),
        ("pcrs.json", b"[", "pcrs.json: not JSON"),
        ("event_log.bin", b"\0", "event_log.bin: malformed at byte 0"),
        ("td_quote.bin", b"\0", "td_quote.bin: malformed at byte 1"),
        ("vcek.der", b"\0", "malformed at byte"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(tmp_path, name, content, said):
    folder = folder_for(SNP, tmp_path / "vm")
    (folder / name).write_bytes(content)
    verdict = judged(SNP, folder)
    assert verdict.exit_code == 2
    assert said in verdict.summary
    assert "\n" not in verdict.summary


@pytest.mark.parametrize("name", ["tpm_quote.sig", "pcrs.json"])
def test_a_quote_needs_its_signature_and_its_pcrs(tmp_path, name):
    folder = folder_for(SNP, tmp_path / "vm")
    (folder / name).unlink()
    verdict = judged(SNP, folder)
    assert verdict.exit_code == 2
    assert f"{name}: No such file" in verdict.summary


def test_a_log_that_no_quote_attests_cannot_be_used():
    with pytest.raises(UnreadableInput, match="there is no quote by the vTPM that could attest it"):
        with_event_log(replace(Vm().evidence(), vtpm=None), b"")
