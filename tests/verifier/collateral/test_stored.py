"""Which of what is at hand a quote and devices get, and what evidence of other kinds needs: without a service."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.verifier.azure.fake_azure import Vm
from tests.verifier.collateral.test_intel import PROCESSOR_CA, WORLD, identity, info, pck_list
from tests.verifier.collateral.test_needs import record, stored
from tests.verifier.collateral.test_needs import report as parsed
from tests.verifier.collateral.test_nvidia import DEVICE, RIMS, SIGNERS, TRUST, subject_of, word
from tests.verifier.fake_amd import vlek
from tests.verifier.google import test_vtpm as fake_vtpm
from tests.verifier.nitro import fake_nitro
from tests.verifier.nvidia.fake_nvidia import DRIVER_ID, VBIOS_ID, hopper
from tests.verifier.tdx.fake_intel import FMSPC
from verifier import nitro, nvidia, tdx, tpm
from verifier.aws import AwsEvidence
from verifier.collateral.gathering import needs_of
from verifier.collateral.record import Kind, Record
from verifier.collateral.store import Store
from verifier.errors import VerificationFailed
from verifier.google import vtpm
from verifier.trust import TrustStore
from verifier.verdict import Evidence

QUOTE = tdx.parse(WORLD.quote())
LISTS = (record(Kind.ROOT_CRL, "root", WORLD.root_crl.encode()), record(Kind.PCK_CRL, "platform", pck_list()))


def issues(*updates: str) -> list[tuple[Record, bytes]]:
    """Both documents, in each of these issues."""
    found = []
    for update in updates:
        found += [record(Kind.TCB_INFO, FMSPC + update, info()), record(Kind.QE_IDENTITY, f"td{update}", identity())]
    return found


class TestQuote:
    """Intel's documents: the standard issue, else the early one, else the latest that is numbered."""

    @pytest.mark.parametrize(
        ("at_hand", "used"),
        [
            (("-21", "-early", ""), ""),
            (("-21", "-early"), "-early"),
            (("-9", "-21", "-20"), "-21"),
        ],
    )
    def test_the_issue_that_is_used(self, at_hand: tuple[str, ...], used: str) -> None:
        found = stored(*issues(*at_hand), *LISTS).tdx(QUOTE)
        names = [it.name for it, _ in found.used or ()]
        assert names[:2] == [f"intel-tcb-info/{FMSPC}{used}", f"intel-qe-identity/td{used}"]
        assert names[2:] == ["intel-root-crl/root", "intel-pck-crl/platform"]

    def test_no_issue_of_another_platform(self) -> None:
        other = record(Kind.TCB_INFO, "00906ed50001-21", info())
        with pytest.raises(VerificationFailed, match=f"collateral.missing: intel-tcb-info/{FMSPC} is not at hand"):
            stored(*issues("")[1:], other, *LISTS).tdx(QUOTE)

    def test_the_list_of_the_other_authority_does_not_stand_in(self) -> None:
        other = tdx.parse(replace(WORLD, pck=replace(WORLD.pck, issuer=PROCESSOR_CA.subject)).quote())
        with pytest.raises(VerificationFailed, match="intel-pck-crl/processor is not at hand"):
            stored(*issues(""), *LISTS).tdx(other)


GPU = nvidia.DeviceEvidence(hopper().report(), nvidia.parse(hopper().report()), hopper().chain())
OF_RIMS = [record(Kind.RIM, name, rim.encode()) for name, rim in RIMS.items()]
OF_SIGNERS = [record(Kind.OCSP, subject_of(number, SIGNERS), word(number, SIGNERS)) for number in range(3)]
OF_GPU = [record(Kind.OCSP, subject_of(number, DEVICE), word(number, DEVICE)) for number in range(1, 4)]


class TestDevices:
    """RIMs, and what the responder says; what is missing is left out."""

    def test_what_several_gpus_share_is_used_once(self) -> None:
        found = stored(*OF_RIMS, *OF_SIGNERS, *OF_GPU).devices([GPU, GPU], TRUST)
        names = [it.name for it, _ in found.used or ()]
        assert len(names) == len(set(names)) == 2 + 3 + 3
        assert found.collateral.rims.keys() == {DRIVER_ID, VBIOS_ID}

    def test_without_its_rim_nothing_is_known_of_the_signers(self) -> None:
        found = stored(*OF_SIGNERS, *OF_GPU).devices([GPU], TRUST)
        assert [it.name for it, _ in found.used or ()] == [it.name for it, _ in OF_GPU]

    @pytest.mark.parametrize("chain", [b"none", hopper().chain()])
    def test_a_device_that_is_not_genuine_needs_nothing(self, chain: bytes) -> None:
        found = stored(*OF_RIMS, *OF_GPU).devices([replace(GPU, chain=chain)], TrustStore([]))
        assert found.used == ()


class TestGathering:
    """What evidence needs by its kind."""

    @staticmethod
    def wanted(evidence: Evidence, directory: Path, *, google: bool = False) -> list[str]:
        return [need.name for need in needs_of(evidence, Store(directory), TRUST, google=google)]

    def test_a_quote(self, tmp_path: Path) -> None:
        names = self.wanted(QUOTE, tmp_path, google=True)
        assert names[0] == f"intel-tcb-info/{FMSPC}"
        assert names[4:] == [f"google-launch-endorsement/tdx-{QUOTE.report.mr_td.hex()}"]

    def test_devices(self, tmp_path: Path) -> None:
        names = self.wanted((GPU,), tmp_path)
        assert names == [*(it.name for it, _ in OF_GPU), f"nvidia-rim/{DRIVER_ID}", f"nvidia-rim/{VBIOS_ID}"]

    def test_what_amazon_signs_needs_nothing_and_its_report_a_list(self, tmp_path: Path) -> None:
        document = nitro.parse(fake_nitro.World().document())
        assert self.wanted(document, tmp_path) == []
        assert self.wanted(AwsEvidence(parsed(vlek()), document), tmp_path) == ["amd-crl/milan"]

    def test_what_google_signs_needs_nothing_and_its_report_as_any_other(self, tmp_path: Path) -> None:
        alone = vtpm.parse(fake_vtpm.GOOD.encoded)
        assert self.wanted(alone, tmp_path, google=True) == []
        report = parsed(vlek())
        beside = replace(alone, report=tpm.CarriedReport(report))
        endorsement = f"google-launch-endorsement/snp-{report.measurement.hex()}"
        assert self.wanted(beside, tmp_path, google=True) == ["amd-crl/milan", endorsement]

    def test_a_paravisor_s_report_or_quote(self, tmp_path: Path) -> None:
        evidence = Vm().evidence()
        assert [name.partition("/")[0] for name in self.wanted(evidence, tmp_path)] == ["amd-vcek"]
        td = replace(evidence, hcl=replace(evidence.hcl, snp_report=None), td_quote=QUOTE)
        assert self.wanted(td, tmp_path)[0] == f"intel-tcb-info/{FMSPC}"
        with pytest.raises(VerificationFailed, match=r"td-quote\.missing"):
            self.wanted(replace(td, td_quote=None), tmp_path)
