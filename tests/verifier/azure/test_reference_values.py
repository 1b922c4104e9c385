"""`bailiwick verify --reference-values` for Azure: signed PCRs say which image a vTPM quoted."""

import json
from pathlib import Path

import pytest

from sandbox.hardware import PARAVISOR_MEASUREMENT, Measured, firmware_pcr
from tests.verifier.emulated_azure import APPLICATION, KERNEL, extended, reference_values
from tests.verifier.emulated_files import FileSite
from verifier.command import Verdict
from verifier.signer import SoftwareSigner

BUILD = SoftwareSigner.generate()


@pytest.fixture
def site(tmp_path: Path) -> FileSite:
    made = FileSite(tmp_path)
    made.ask(reference_values="required")
    return made


def judged(site: FileSite, envelope: object, booted: tuple[Measured, ...] = (KERNEL, APPLICATION)) -> Verdict:
    report, _ = site.start_vm(booted=booted)
    bundle = site.write("values.json", json.dumps(envelope).encode())
    return site.verify(report, reference_values=[bundle], build_keys=[BUILD.public_key])


def claim(verdict: Verdict, name: str) -> tuple[str, str | None]:
    (found,) = (claim for claim in verdict.claims if claim.name == name)
    return str(found.tier), found.reference


def test_signed_pcrs_name_the_image_and_signed_measurements_the_paravisor(site: FileSite) -> None:
    verdict = judged(site, reference_values(BUILD, "tdx"))
    assert verdict.exit_code == 0, verdict.summary
    assert claim(verdict, "pcrs") == ("affirming", "inference-guest-1.0.0")
    assert claim(verdict, "measurement") == ("affirming", "azure-paravisor-1.0.0")


def test_an_image_that_booted_something_else(site: FileSite) -> None:
    verdict = judged(site, reference_values(BUILD, "tdx"), (Measured(4, 0x80000003, b"another kernel"), APPLICATION))
    assert (verdict.exit_code, verdict.genuine) == (1, True)
    assert verdict.summary.startswith("genuine, but not acceptable: pcrs: no reference values have these PCRs")


def test_one_of_several_values_of_a_pcr_is_enough_and_every_pcr_is_needed(site: FileSite) -> None:
    values = {"4": ["00" * 32], "11": ["00" * 32]}
    for register, event in ((4, KERNEL), (11, APPLICATION)):
        assert judged(site, reference_values(BUILD, "tdx", pcrs=values)).exit_code == 1
        values[str(register)].append(extended(firmware_pcr(register), event))
    assert judged(site, reference_values(BUILD, "tdx", pcrs=values)).exit_code == 0


def test_values_of_the_other_hardware_are_none(site: FileSite) -> None:
    verdict = judged(site, reference_values(BUILD, "snp"))
    assert verdict.exit_code == 1
    assert claim(verdict, "pcrs")[0] == claim(verdict, "measurement")[0] == "warning"


def test_values_of_the_other_hardware_alone_do_not_count_as_none_given(site: FileSite) -> None:
    site.ask()
    verdict = judged(site, reference_values(BUILD, "snp"))
    assert (verdict.genuine, verdict.acceptable) == (True, False)
    assert verdict.summary == "genuine, but not acceptable: measurement: no reference value has this MRTD"


def test_values_of_images_that_the_policy_does_not_accept_do_not_name_the_paravisor(site: FileSite) -> None:
    site.ask(images=["other-1.0.0"])
    verdict = judged(site, reference_values(BUILD, "tdx"))
    assert [str(it.tier) for it in verdict.claims if it.name == "pcrs"] == ["contraindicated"]
    assert [it.reason for it in verdict.claims if it.name == "measurement"] == [
        "the policy accepts other-1.0.0, and no reference values were given: what booted is not known"
    ]


def test_pcrs_mean_nothing_under_a_paravisor_that_nobody_knows(site: FileSite) -> None:
    """Any TD can make a key of its own, name it in REPORTDATA, and sign with it the PCRs that a policy lists."""
    pcrs = {"pcrs": {"4": [extended(firmware_pcr(4), KERNEL)]}}
    report, _ = site.start_vm(booted=(KERNEL, APPLICATION))
    site.ask(azure=pcrs)
    verdict = site.verify(report)
    assert claim(verdict, "pcr4")[0] == "affirming"
    assert verdict.summary.startswith("genuine, but not acceptable: measurement: the policy lists azure.pcrs alone")
    site.ask(azure=pcrs, tdx={"mr_td": [PARAVISOR_MEASUREMENT.hex()]})
    assert site.verify(report).acceptable


def test_a_policy_that_accepts_other_images(site: FileSite) -> None:
    site.ask(reference_values="required", images=["training-guest-1.0.0"])
    verdict = judged(site, reference_values(BUILD, "tdx"))
    assert claim(verdict, "pcrs")[0] == "contraindicated"
    assert claim(verdict, "measurement")[0] == "warning"


def test_pcrs_that_the_policy_lists_and_pcrs_that_the_build_signed_must_both_hold(site: FileSite) -> None:
    site.ask(azure={"pcrs": {"4": ["00" * 32]}})
    verdict = judged(site, reference_values(BUILD, "tdx"))
    assert (claim(verdict, "pcr4")[0], claim(verdict, "pcrs")[0]) == ("contraindicated", "affirming")
    assert verdict.exit_code == 1
