"""`bailiwick verify`, without the terminal: files in, one of three exit codes and one line out."""

import json
import shutil
from datetime import UTC, datetime

import pytest

from tests.verifier.fake_amd import milan
from tests.verifier.genuine import CASES, PAIRINGS, ROOTS, SNP, time_of
from tests.verifier.tdx.genuine import VERDICTS as TDX_VERDICTS
from verifier import dsse
from verifier.command import verify_files
from verifier.reference import PREDICATE_TYPE
from verifier.signer import SoftwareSigner
from verifier.trust import TrustStore

AT = datetime(2026, 7, 1, tzinfo=UTC)
GENUINE = SNP / "05b7438a"
REPORT = GENUINE / "report.bin"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_each_genuine_case_gets_its_expected_verdict(case):
    verdict = verify_files(SNP / case["report"], SNP / case["id"], at=time_of(case))
    expected = case["expect"]
    assert verdict.exit_code == (0 if expected["status"] == "affirming" else 1)
    assert verdict.genuine is (expected["failed_check"] is None)
    assert (verdict.failure.check if verdict.failure else None) == expected["failed_check"]
    if verdict.genuine:
        assert [claim.name for claim in verdict.claims if claim.tier > 2] == expected["against"]


@pytest.mark.parametrize("pairing", PAIRINGS, ids=lambda pairing: pairing["id"])
def test_each_negative_pairing_is_not_genuine(pairing, tmp_path):
    leaf = SNP / pairing["leaf"]
    shutil.copyfile(leaf, tmp_path / leaf.name)
    for role in ("intermediate", "ark"):
        if role in pairing:
            shutil.copyfile(ROOTS / pairing[role], tmp_path / pairing[role])
    verdict = verify_files(SNP / pairing["report"], tmp_path, at=time_of(pairing))
    assert verdict.exit_code == 1
    assert not verdict.genuine
    assert verdict.failure.check == pairing["failed_check"]
    assert verdict.summary.startswith(f"not shown to be genuine: {pairing['failed_check']}: ")


@pytest.mark.parametrize("verdict", TDX_VERDICTS, ids=lambda verdict: verdict.id)
def test_each_genuine_tdx_quote_gets_its_expected_verdict(verdict, tmp_path):
    path = tmp_path / "quote.bin"
    path.write_bytes(verdict.quote)
    found = verify_files(path, verdict.folder, at=verdict.at)
    expected = verdict.expect
    assert found.exit_code == (0 if expected.get("status") == "affirming" else 1)
    assert (found.failure.check if found.failure else None) == expected["failed_check"]
    if found.genuine:
        assert [claim.name for claim in found.claims if claim.tier > 2] == expected["against"]
        assert (
            found.as_json()["submods"]["cpu"]["ear.veraison.annotated-evidence"]["tcb_status"]
            == (expected["tcb_status"])
        )


class TestTdxInput:
    """A TDX quote with inputs that cannot be used, or that are another kind's."""

    VERDICT = next(verdict for verdict in TDX_VERDICTS if verdict.expect.get("status") == "affirming")

    def check(self, tmp_path, content, folder, **options):
        path = tmp_path / "quote.bin"
        path.write_bytes(content)
        return verify_files(path, folder, at=self.VERDICT.at, **options)

    def test_a_truncated_quote(self, tmp_path):
        found = self.check(tmp_path, self.VERDICT.quote[:1000], self.VERDICT.folder)
        assert found.exit_code == 2
        assert "malformed at byte 1000 (0x3e8): signature data" in found.summary

    def test_a_quote_of_sgx(self, tmp_path):
        content = self.VERDICT.quote[:4] + bytes(4) + self.VERDICT.quote[8:]
        found = self.check(tmp_path, content, self.VERDICT.folder)
        assert (found.exit_code, "TEE type 0x0 (SGX), 0x81 (TDX) expected" in found.summary) == (2, True)

    def test_a_folder_for_another_kind(self, tmp_path):
        found = self.check(tmp_path, self.VERDICT.quote, GENUINE)
        assert found.exit_code == 1
        assert found.failure.check == "collateral.missing"

    def test_a_chain_that_does_not_parse(self, tmp_path):
        content = self.VERDICT.quote.replace(b"-----BEGIN CERTIFICATE-----\nMIIE", b"-----BEGIN CERTIFICATE-----\nNIIE")
        found = self.check(tmp_path, content, self.VERDICT.folder)
        assert found.exit_code == 2
        assert "PCK chain, PCK certificate" in found.summary

    def test_reference_values_of_another_kind(self, tmp_path):
        build = SoftwareSigner.generate()
        bundle = TestReferenceValues().bundle(tmp_path, build, "00" * 48)
        options = {"reference_values": [bundle], "build_keys": [build.public_key]}
        found = self.check(tmp_path, self.VERDICT.quote, self.VERDICT.folder, **options)
        assert found.exit_code == 2
        assert "azure-hcl-1.json" in found.summary

    @pytest.mark.parametrize(("length", "code"), [(64, 0), (63, 1)])
    def test_the_nonce_is_held_against_report_data(self, tmp_path, length, code):
        report_data = bytes.fromhex(self.VERDICT.case["fields"]["report_data"])
        found = self.check(tmp_path, self.VERDICT.quote, self.VERDICT.folder, nonce=report_data[:length])
        assert found.exit_code == code


class TestUnusableInput:
    def verdict(self, *arguments, **options):
        verdict = verify_files(*arguments, at=AT, **options)
        assert verdict.exit_code == 2
        assert "\n" not in verdict.summary
        assert not verdict.genuine
        assert not verdict.acceptable
        assert verdict.claims == ()
        return verdict.summary

    def test_a_truncated_report(self, tmp_path):
        path = tmp_path / "report.bin"
        path.write_bytes(REPORT.read_bytes()[:1000])
        assert self.verdict(path, GENUINE) == (
            f"{path}: malformed at byte 1000 (0x3e8): an SNP report has 1184 bytes, 1000 given"
        )

    def test_no_report(self, tmp_path):
        assert "No such file" in self.verdict(tmp_path / "none.bin", GENUINE)

    def test_no_folder(self, tmp_path):
        assert "it should hold vcek.der or vlek.der" in self.verdict(REPORT, tmp_path / "none")

    def test_a_certificate_that_is_none(self, tmp_path):
        (tmp_path / "vcek.der").write_bytes(b"certificate")
        assert "VCEK certificate" in self.verdict(REPORT, tmp_path)

    def test_a_pem_without_a_certificate(self, tmp_path):
        (tmp_path / "vcek.pem").write_text("-----BEGIN PRIVATE KEY-----\n")
        assert "PEM without a certificate" in self.verdict(REPORT, tmp_path)

    def test_a_policy_that_is_none(self, tmp_path):
        policy = tmp_path / "policy.yaml"
        policy.write_text("allow_everything: true")
        assert "allow_everything" in self.verdict(REPORT, GENUINE, policy=policy)

    def test_a_nonce_that_is_too_long(self):
        assert "REPORT_DATA holds at most 64" in self.verdict(REPORT, GENUINE, nonce=bytes(65))

    def test_reference_values_that_nobody_signed(self, tmp_path):
        path = tmp_path / "guest.json"
        path.write_text("{}")
        assert "guest.json" in self.verdict(REPORT, GENUINE, reference_values=[path])


class TestNonce:
    NONCE = bytes.fromhex("af2910341dd8108360e485f1b72494255190b9cdd5ccb44b73b883037cf99f21")

    def test_the_nonce_is_followed_by_zeros(self):
        verdict = verify_files(REPORT, GENUINE, at=AT, nonce=self.NONCE)
        assert verdict.exit_code == 0
        assert "report-data" not in verdict.summary

    @pytest.mark.parametrize("nonce", [NONCE[:-1], NONCE + b"\x01", b"", bytes(64)])
    def test_another_nonce_is_not_acceptable(self, nonce):
        verdict = verify_files(REPORT, GENUINE, at=AT, nonce=nonce)
        assert verdict.exit_code == 1
        assert verdict.genuine
        assert "report-data" in verdict.summary


class TestFolder:
    def check(self, folder, world, **options):
        report = folder / "report.bin"
        report.write_bytes(world.report())
        store = options.pop("trust", world.trust())
        return verify_files(report, folder, at=world.at, trust=store, **options)

    def test_the_intermediate_and_the_crl_are_found_by_name(self, tmp_path):
        world = milan()
        (tmp_path / "vcek.der").write_bytes(world.leaf.encode())
        (tmp_path / "milan_ask.der").write_bytes(world.intermediate.encode())
        assert self.check(tmp_path, world).exit_code == 0
        (tmp_path / "amd.crl").write_bytes(world.crl(revoked=(0x10001,)).encode())
        assert self.check(tmp_path, world).failure.check == "chain.intermediate.revoked"

    def test_a_chain_as_amds_kds_serves_it(self, tmp_path):
        shutil.copyfile(GENUINE / "vcek.der", tmp_path / "vcek.der")
        chain = (ROOTS / "milan-ask.pem").read_text() + (ROOTS / "milan-ark.pem").read_text()
        (tmp_path / "cert_chain.pem").write_text(chain)
        assert verify_files(REPORT, tmp_path, at=AT).exit_code == 0
        (tmp_path / "cert_chain.pem").write_text(chain + chain)
        assert verify_files(REPORT, tmp_path, at=AT).exit_code == 2

    def test_a_vlek_in_the_vceks_file_is_refused(self, tmp_path):
        shutil.copyfile(SNP / "decdab94" / "vlek.der", tmp_path / "vcek.der")
        assert verify_files(REPORT, tmp_path, at=AT).failure.check == "endorsement.kind"

    def test_a_folder_with_only_the_other_kind_says_so(self, tmp_path):
        shutil.copyfile(SNP / "decdab94" / "vlek.der", tmp_path / "vlek.der")
        verdict = verify_files(REPORT, tmp_path, at=AT)
        assert verdict.failure.check == "endorsement.missing"
        assert "only vlek.der" in verdict.summary

    def test_production_roots_are_the_default(self, tmp_path):
        world = milan()
        (tmp_path / "vcek.der").write_bytes(world.leaf.encode())
        (tmp_path / "ask.der").write_bytes(world.intermediate.encode())
        verdict = self.check(tmp_path, world, trust=None)
        assert verdict.failure.check.startswith("chain.")


class TestReferenceValues:
    @pytest.fixture
    def build(self):
        return SoftwareSigner.generate()

    def bundle(self, tmp_path, build, measurement):
        content = {
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{"name": "azure-hcl-1", "digest": {"sha384": measurement}}],
            "predicateType": PREDICATE_TYPE,
            "predicate": {
                "image": {"name": "azure-hcl", "version": "1"},
                "tee": "snp",
                "product": "milan",
                "launch_measurements": [measurement],
                "minimum_tcb": {},
                "guest_policy": {"debug": False},
                "built_at": "2026-01-01T00:00:00Z",
            },
        }
        path = tmp_path / "azure-hcl-1.json"
        path.write_text(json.dumps(dsse.sign(dsse.IN_TOTO, json.dumps(content).encode(), build)))
        return path

    def test_a_known_image_is_named(self, tmp_path, build):
        measurement = next(it for it in CASES if it["id"] == "05b7438a")["fields"]["measurement"]
        path = self.bundle(tmp_path, build, measurement)
        verdict = verify_files(REPORT, GENUINE, at=AT, reference_values=[path], build_keys=[build.public_key])
        assert verdict.exit_code == 0
        assert next(it for it in verdict.claims if it.name == "measurement").reference == "azure-hcl-1"

    def test_an_unknown_image_is_not_acceptable(self, tmp_path, build):
        path = self.bundle(tmp_path, build, "00" * 48)
        verdict = verify_files(REPORT, GENUINE, at=AT, reference_values=[path], build_keys=[build.public_key])
        assert verdict.exit_code == 1
        assert verdict.summary.startswith("genuine, but not acceptable: measurement:")
        assert not verdict.summary.endswith("more)")


def test_the_json_form_says_both_answers_and_every_claim():
    verdict = verify_files(SNP / "377e6241" / "report.bin", SNP / "377e6241", at=AT)
    content = json.loads(json.dumps(verdict.as_json()))
    assert (content["exit_code"], content["genuine"], content["acceptable"]) == (1, True, False)
    assert content["status"] == "contraindicated"
    debug = content["submods"]["cpu"]["ear.veraison.policy-claims"]["policy.debug"]
    assert (debug["tier"], debug["value"]) == ("contraindicated", "on")


def test_the_json_form_of_a_forgery_names_the_check(tmp_path):
    shutil.copyfile(SNP / "ec43daae" / "vcek.der", tmp_path / "vcek.der")
    content = verify_files(REPORT, tmp_path, at=AT).as_json()
    assert (content["genuine"], content["failed_check"]) == (False, "chip-id")


def test_what_was_not_appraised_is_said_in_the_summary():
    summary = verify_files(REPORT, GENUINE, at=AT).summary
    assert summary == "genuine and acceptable; not appraised: revocation, report-data, measurement"


def test_a_report_that_no_chip_signed_is_not_genuine(tmp_path):
    world = milan().with_fields(key_info=7 << 2)
    (tmp_path / "report.bin").write_bytes(world.report())
    (tmp_path / "vcek.der").write_bytes(world.leaf.encode())
    verdict = verify_files(tmp_path / "report.bin", tmp_path, at=world.at, trust=TrustStore(()))
    assert verdict.failure.check == "signing-key"
