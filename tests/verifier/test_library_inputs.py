"""`verifier.verify` asked in a way that its evidence does not allow: an error that says what would be right."""

from pathlib import Path
from typing import Any

import pytest

import verifier
from tests.verifier.emulated_site import reference_values
from tests.verifier.genuine import SNP
from tests.verifier.google import test_vtpm as fake_vtpm
from tests.verifier.nitro.fake_nitro import World
from tests.verifier.nvidia.fake_nvidia import AT, NONCE, hopper, trust
from tests.verifier.nvidia.test_files import listed
from verifier import library, verify
from verifier.appraisal import AppraisalPolicy
from verifier.errors import InvalidReferenceValues, UnreadableInput
from verifier.reference import read_bundle
from verifier.signer import SoftwareSigner

POLICY = AppraisalPolicy(id="any")
REPORT = (SNP / "05b7438a" / "report.bin").read_bytes()


@pytest.mark.parametrize("evidence", [REPORT, listed(hopper())], ids=["report", "devices"])
def test_collateral_that_is_needed_and_not_given(evidence: bytes) -> None:
    with pytest.raises(UnreadableInput, match="name a collateral store or a folder"):
        verify(evidence, POLICY, None, AT)


@pytest.mark.parametrize("evidence", [REPORT, listed(hopper()), World().document()], ids=["report", "devices", "nitro"])
def test_an_event_log_beside_evidence_without_registers(evidence: bytes, tmp_path: Path) -> None:
    with pytest.raises(UnreadableInput, match="this evidence has no registers for it"):
        verify(evidence, POLICY, tmp_path, AT, event_log=b"log")


def test_reference_values_for_devices(tmp_path: Path) -> None:
    build = SoftwareSigner.generate()
    values = [read_bundle(reference_values(build), [build.public_key])]
    options: dict[str, Any] = {"nonce": NONCE, "trust": trust()}
    assert verify(listed(hopper()), POLICY, tmp_path, AT, **options).genuine
    with pytest.raises(InvalidReferenceValues, match="compared with their RIMs"):
        verify(listed(hopper()), POLICY, tmp_path, AT, reference_values=values, **options)


def test_reference_values_for_a_google_vtpm() -> None:
    build = SoftwareSigner.generate()
    values = [read_bundle(reference_values(build), [build.public_key])]
    with pytest.raises(InvalidReferenceValues, match=r"their PCRs are in the policy, google\.pcrs"):
        verify(fake_vtpm.GOOD.encoded, POLICY, None, AT, reference_values=values)


def test_the_package_has_one_function_and_says_what_it_has_not() -> None:
    assert verifier.verify is library.verify
    with pytest.raises(AttributeError, match="module 'verifier' has no attribute 'verified'"):
        verifier.verified  # noqa: B018


def test_one_devices_report_without_its_certificates() -> None:
    with pytest.raises(UnreadableInput, match="needs its certificates"):
        verify(hopper().report(), POLICY, None, AT)
