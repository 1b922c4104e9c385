"""A confidential VM of Google's: its processor's report and its vTPM are one verdict; each check fails alone."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from tests.verifier import fake_amd, genuine
from tests.verifier.emulated_site import reference_values
from tests.verifier.fake_x509 import FakeCertificate
from tests.verifier.google import fake_machine, test_endorsement, test_vtpm
from tests.verifier.google.fake_machine import AT, GUID, NONCE, REPORT_DATA, Machine, extra
from tests.verifier.tdx import fake_intel
from verifier import snp
from verifier.appraisal import AppraisalPolicy, Tier
from verifier.appraisal.google_policy import GooglePolicy
from verifier.collateral.carried import Carried
from verifier.collateral.source import Folder, SnpCollateral, Source, TdxCollateral
from verifier.command import ExitCode, verify_files
from verifier.errors import MalformedEvidence, UnreadableInput
from verifier.google import vtpm
from verifier.google.machine import VerifiedMachine
from verifier.library import verify
from verifier.reference import read_bundle
from verifier.signer import SoftwareSigner
from verifier.verdict import Verdict

POLICY = AppraisalPolicy(
    reference_values="if-given",
    google=GooglePolicy(launch_endorsement="required", pcrs=test_vtpm.POLICY.google.pcrs),
)
ENDORSEMENT = test_endorsement.endorsement()
SNP = fake_machine.snp()
TDX = fake_machine.tdx()


@dataclass(frozen=True)
class Given:
    """A source with what a test gives it; whatever certificates come with a report go before its own."""

    world: fake_amd.World | fake_intel.World
    firmware: bytes | None = ENDORSEMENT
    crls: tuple[bytes, ...] = ()

    def snp(self, _: snp.SnpReport, given: snp.Endorsements | None = None) -> SnpCollateral:
        assert isinstance(self.world, fake_amd.World)
        return SnpCollateral(given or self.world.endorsements(), self.crls, firmware=self.firmware)

    def tdx(self, _: object) -> TdxCollateral:
        assert isinstance(self.world, fake_intel.World)
        return TdxCollateral(self.world.collateral(), firmware=self.firmware)

    def devices(self, *_: object) -> Any:
        raise AssertionError


def judged(machine: Machine, policy: AppraisalPolicy = POLICY, **options: Any) -> Verdict:
    source: Source = options.pop("source", Given(machine.cpu))
    return machine.verdict(policy, source, **options)


def against(machine: Machine, policy: AppraisalPolicy = POLICY, **options: Any) -> list[tuple[str, str]]:
    """Submodule and claim of each finding against."""
    verdict = judged(machine, policy, **options)
    assert verdict.genuine, verdict.summary
    assert verdict.result is not None
    found = verdict.result.submods.items()
    return [(name, it.name) for name, part in found for it in part.claims if it.tier > Tier.AFFIRMING]


def failed(machine: Machine, **options: Any) -> tuple[str, str]:
    """The check that does not hold, and the submodule that says so."""
    verdict = judged(machine, **options)
    assert verdict.failure is not None
    assert verdict.result is not None
    (name,) = verdict.result.submods
    return name, verdict.failure.check


def other_signer(leaf: FakeCertificate) -> FakeCertificate:
    return replace(leaf, signer=fake_amd.other_key())


def claim(verdict: Verdict, submodule: str, name: str) -> Any:
    assert verdict.result is not None
    (found,) = (it for it in verdict.result.submods[submodule].claims if it.name == name)
    return found


@pytest.mark.parametrize("machine", [SNP, TDX], ids=["snp", "tdx"])
class TestBoth:
    def test_report_and_vtpm_are_one_verdict(self, machine: Machine) -> None:
        verdict = judged(machine)
        assert verdict.acceptable, verdict.summary
        assert verdict.result is not None
        assert verdict.result.submods.keys() == {"cpu", "vtpm"}
        assert {part.policy_id for part in verdict.result.submods.values()} == {POLICY.identifier}
        assert isinstance(verdict.verified, VerifiedMachine)
        assert claim(verdict, "cpu", "launch-endorsement").tier is Tier.AFFIRMING
        assert claim(verdict, "vtpm", "attestation-key").value == "name"
        assert claim(verdict, "vtpm", "report").value == REPORT_DATA.hex()
        assert "neither of them signs" in claim(verdict, "vtpm", "report").reason

    def test_a_report_for_another_nonce_than_the_quote_s(self, machine: Machine) -> None:
        """Where the caller has the one in mind, and where none."""
        fields = {"report_data": b"\x90\x0a".ljust(64, b"\0")}
        cpu = machine.cpu
        other = replace(
            machine, cpu=cpu.with_fields(**fields) if isinstance(cpu, fake_amd.World) else cpu.with_td(**fields)
        )
        assert against(other) == [("cpu", "report-data"), ("vtpm", "report")]
        assert against(other, nonce=fields["report_data"][:2]) == [("vtpm", "nonce"), ("vtpm", "report")]
        lenient = POLICY.model_copy(update={"freshness": "if-given"})
        assert against(other, lenient, nonce=None) == [("vtpm", "report")]
        assert against(machine, lenient, nonce=None) == []

    def test_a_quote_without_a_nonce_binds_nothing(self, machine: Machine) -> None:
        quotes = test_vtpm.quote(test_vtpm.NO_NONCE, "sha256")
        attested = replace(machine.vtpm, quotes=quotes, log=b"")
        zeros = {"report_data": bytes(64)}
        cpu = machine.cpu
        other = replace(
            machine,
            vtpm=attested,
            cpu=cpu.with_fields(**zeros) if isinstance(cpu, fake_amd.World) else cpu.with_td(**zeros),
        )
        assert ("vtpm", "report") in against(other, nonce=None)

    def test_pcrs_over_firmware_that_nobody_knows(self, machine: Machine) -> None:
        policy = POLICY.model_copy(update={"google": GooglePolicy(pcrs=POLICY.google.pcrs)})
        assert against(machine, policy, source=Given(machine.cpu, firmware=None)) == [("vtpm", "firmware")]
        assert against(machine, policy) == []
        unlisted = POLICY.model_copy(update={"google": GooglePolicy()})
        assert against(machine, unlisted, source=Given(machine.cpu, firmware=None)) == []

    def test_firmware_that_google_did_not_endorse(self, machine: Machine) -> None:
        other = test_endorsement.endorsement(
            test_endorsement.snp_part(bytes(48)) + test_endorsement.tdx_part(bytes(48))
        )
        for firmware in (other, None, b"none"):
            found = against(machine, source=Given(machine.cpu, firmware=firmware))
            assert found == [("cpu", "launch-endorsement"), ("vtpm", "firmware")]

    def test_another_boot_loader(self, machine: Machine) -> None:
        google = POLICY.google.model_copy(update={"pcrs": {4: frozenset({"5c" * 32})}})
        assert against(machine, POLICY.model_copy(update={"google": google})) == [("vtpm", "pcr4")]

    def test_what_fails_is_said_of_the_part_that_it_is_about(self, machine: Machine) -> None:
        assert failed(replace(machine, anchors=())) == ("vtpm", "vtpm.ak.chain")
        assert failed(replace(machine, vtpm=replace(machine.vtpm, certificate=b""))) == ("vtpm", "vtpm.ak.missing")
        changed = test_vtpm.quote(test_vtpm.GENUINE, "sha256", pcrs={4: bytes(32)})
        assert failed(replace(machine, vtpm=replace(machine.vtpm, quotes=changed))) == ("vtpm", "vtpm.tpm.pcr-digest")

    def test_without_the_report_it_is_judged_as_a_vtpm_s(self, machine: Machine) -> None:
        verdict = verify(machine.vtpm.encoded, POLICY, None, AT, nonce=NONCE, trust=machine.trust())
        assert verdict.acceptable
        assert verdict.result is not None
        assert verdict.result.submods.keys() == {"vtpm"}


class TestSnp:
    def test_the_message_s_certificates_are_enough(self) -> None:
        chain = SNP.certificates() + extra(GUID, ENDORSEMENT)
        alone = replace(SNP, chain=chain)
        assert alone.verdict(POLICY, None).acceptable
        assert judged(alone, source=Given(SNP.cpu, firmware=None)).acceptable
        revoked = POLICY.model_copy(update={"revocation": "required"})
        assert against(alone, revoked, source=None) == [("cpu", "revocation")]
        crl = fake_amd.milan().crl().encode()
        assert against(alone, revoked, source=Given(SNP.cpu, crls=(crl,))) == []

    def test_they_go_before_the_source_s_which_has_the_later_endorsement(self) -> None:
        world = fake_amd.milan()
        forged = replace(SNP, cpu=replace(world.with_fields(report_data=REPORT_DATA), leaf=other_signer(world.leaf)))
        assert failed(forged, source=Given(world)) == ("cpu", "chain.leaf.signature")
        stale = replace(SNP, chain=SNP.certificates() + extra(GUID, b"stale"))
        assert judged(stale).acceptable
        assert against(stale, source=Given(SNP.cpu, firmware=None)) == [
            ("cpu", "launch-endorsement"),
            ("vtpm", "firmware"),
        ]

    def test_what_a_caller_names_goes_before_both(self) -> None:
        report = vtpm.parse(SNP.message()).report
        assert report is not None
        assert isinstance(report.evidence, snp.SnpReport)
        named = snp.Endorsements(b"named", snp.SigningKey.VCEK)
        for beside in (None, Given(SNP.cpu)):
            assert Carried(report, beside).snp(report.evidence, named).endorsements is named

    def test_a_signer_of_the_launch_says_nothing_of_firmware_that_nobody_knows(self) -> None:
        google = GooglePolicy(pcrs=POLICY.google.pcrs)
        policy = POLICY.model_copy(update={"google": google, "id_key_digests": frozenset({"00" * 48})})
        verdict = judged(SNP, policy, source=Given(SNP.cpu, firmware=None))
        assert claim(verdict, "cpu", "id-key").score == claim(judged(SNP), "cpu", "launch-endorsement").score
        assert [it.name for it in verdict.claims if it.tier > Tier.AFFIRMING] == ["firmware"]

    def test_without_any_the_source_has_them(self) -> None:
        bare = replace(SNP, chain=b"")
        assert judged(bare).acceptable
        with pytest.raises(UnreadableInput, match="name a collateral store or a folder"):
            bare.verdict(POLICY, None)

    def test_a_guest_that_may_be_debugged(self) -> None:
        machine = fake_machine.snp(policy=0x3001F | 1 << 19)
        assert ("cpu", "policy.debug") in against(machine)

    def test_another_policy_than_google_launches_with(self) -> None:
        assert against(fake_machine.snp(policy=0x2001F)) == [("cpu", "launch-endorsement.policy")]

    def test_a_processor_below_the_minimum(self) -> None:
        policy = POLICY.model_copy(update={"minimum_tcb": {}})
        assert ("cpu", "tcb.minimum") in against(SNP, policy)

    def test_a_field_that_was_changed(self) -> None:
        message = SNP.message()
        found = message.index(REPORT_DATA)
        changed = message[:found] + b"\x91" + message[found + 1 :]
        verdict = verify(changed, POLICY, Given(SNP.cpu), AT, nonce=NONCE, trust=SNP.trust())
        assert verdict.failure is not None
        assert verdict.result is not None
        assert (verdict.failure.check, verdict.result.submods.keys()) == ("signature", {"cpu"})

    def test_reference_values_are_of_the_report(self) -> None:
        build = SoftwareSigner.generate()
        google = GooglePolicy(pcrs=POLICY.google.pcrs)
        policy = POLICY.model_copy(update={"google": google, "reference_values": "required"})
        source = Given(SNP.cpu, firmware=None)
        assert against(SNP, policy, source=source) == [("cpu", "measurement"), ("vtpm", "firmware")]
        measurement = test_endorsement.MEASUREMENT
        known = [read_bundle(reference_values(build, measurement=measurement), [build.public_key])]
        assert against(SNP, policy, source=source, reference_values=known) == []
        other = [read_bundle(reference_values(build), [build.public_key])]
        assert ("cpu", "measurement") in against(SNP, policy, source=source, reference_values=other)

    def test_an_event_log_beside_a_report(self) -> None:
        with pytest.raises(UnreadableInput, match="this evidence has no registers for it"):
            judged(SNP, event_log=b"log")


class TestTdx:
    def test_a_quote_needs_collateral(self) -> None:
        with pytest.raises(UnreadableInput, match="name a collateral store or a folder"):
            TDX.verdict(POLICY, None)

    def test_a_td_under_debug(self) -> None:
        assert ("cpu", "memory") in against(fake_machine.tdx(td_attributes=1 << 28 | 1))

    def test_a_td_whose_firmware_the_policy_lists(self) -> None:
        listed = POLICY.tdx.model_copy(update={"mr_td": frozenset({test_endorsement.MR_TD.hex()})})
        policy = POLICY.model_copy(update={"tdx": listed, "google": GooglePolicy(pcrs=POLICY.google.pcrs)})
        assert against(TDX, policy, source=Given(TDX.cpu, firmware=None)) == []

    def test_its_event_log_is_a_td_s(self) -> None:
        with pytest.raises(MalformedEvidence):
            judged(TDX, event_log=b"log")


def test_the_command_shows_both(tmp_path: Path) -> None:
    machine = replace(SNP, chain=SNP.certificates() + extra(GUID, ENDORSEMENT))
    (tmp_path / "attestation.pb").write_bytes(machine.message())
    pcr4 = test_vtpm.GENUINE.pcrs[test_vtpm.layout.SHA256][4].hex()
    (tmp_path / "policy.yaml").write_text(
        f"reference_values: if-given\ngoogle: {{launch_endorsement: required, pcrs: {{4: [{pcr4}]}}}}\n"
    )
    options: dict[str, Any] = {
        "at": AT,
        "policy": tmp_path / "policy.yaml",
        "nonce": NONCE,
        "trust": machine.trust(),
    }
    verdict = verify_files(tmp_path / "attestation.pb", None, **options)
    assert verdict.exit_code is ExitCode.AFFIRMING, verdict.summary
    assert verdict.as_json()["submods"].keys() == {"cpu", "vtpm"}
    values = verify_files(tmp_path / "attestation.pb", None, **options, reference_values=[tmp_path / "values.json"])
    assert "values.json: " in (values.error or "")


def test_a_folder_has_what_the_message_lacks(tmp_path: Path) -> None:
    (tmp_path / "vcek.der").write_bytes(fake_amd.milan().leaf.encode())
    (tmp_path / "ask.der").write_bytes(fake_amd.milan().intermediate.encode())
    (tmp_path / "milan.crl").write_bytes(fake_amd.milan().crl().encode())
    (tmp_path / "launch_endorsement.binarypb").write_bytes(ENDORSEMENT)
    bare = replace(SNP, chain=b"")
    verdict = bare.verdict(POLICY, Folder(tmp_path))
    assert verdict.acceptable, verdict.summary
    assert claim(verdict, "cpu", "revocation").value == "checked"
    (tmp_path / "vcek.der").unlink()
    assert SNP.verdict(POLICY, Folder(tmp_path)).acceptable, "the message has it"
    assert "endorsement.missing" in bare.verdict(POLICY, Folder(tmp_path)).summary


def test_genuine_parts_of_different_machines() -> None:
    """Under the roots that ship: both are genuine, and did not answer one nonce."""
    case = next(it for it in genuine.genuine() if it.endorsements.kind is snp.SigningKey.VCEK)
    attestation = fake_machine.snp_attestation(case.report, fake_machine.member(1, case.endorsements.leaf))
    message = test_vtpm.message("vtpm-nonce") + fake_machine.member(8, attestation)
    verdict = verify(message, AppraisalPolicy(), None, case.at, nonce=NONCE)
    assert verdict.genuine, verdict.summary
    assert claim(verdict, "cpu", "report-data").tier is Tier.CONTRAINDICATED
    assert claim(verdict, "vtpm", "nonce").tier is Tier.AFFIRMING
    assert claim(verdict, "vtpm", "report").tier is Tier.CONTRAINDICATED
