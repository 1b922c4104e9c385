"""`bailiwick verify` on files of NVIDIA devices."""

import base64
import json
from pathlib import Path

import pytest

from tests.verifier.nvidia.fake_nvidia import AT, NONCE, hopper, switch, trust
from verifier.command import ExitCode, verify_files
from verifier.errors import UnreadableInput
from verifier.nvidia import Collateral


@pytest.fixture
def folder(tmp_path) -> Path:
    """Evidence of a Hopper, and the collateral for it and for a switch."""
    (tmp_path / "rims").mkdir()
    (tmp_path / "ocsp").mkdir()
    for world in (hopper(), switch()):
        for name, rim in world.rims.items():
            (tmp_path / "rims" / f"{name}.xml").write_bytes(rim.encode())
    (tmp_path / "chain.pem").write_bytes(hopper().chain())
    (tmp_path / "report.bin").write_bytes(hopper().report())
    return tmp_path


def verdict(folder: Path, evidence: str = "report.bin", **options):
    return verify_files(folder / evidence, folder, at=AT, trust=trust(), **{"nonce": NONCE, **options})


def listed(*worlds) -> bytes:
    return json.dumps(
        [
            {
                "evidence": base64.b64encode(it.report()).decode(),
                "certificate": base64.b64encode(it.chain()).decode(),
            }
            for it in worlds
        ]
    ).encode()


def test_a_report_is_genuine_and_acceptable(folder):
    found = verdict(folder)
    assert found.exit_code is ExitCode.AFFIRMING, found.summary
    assert found.summary == "genuine and acceptable; not appraised: revocation, cc-mode"
    assert set(found.as_json()["submods"]) == {"gpu0"}


def test_a_list_of_devices_has_a_submodule_for_each(folder):
    (folder / "devices.json").write_bytes(listed(hopper(), switch()))
    found = verdict(folder, "devices.json")
    assert found.genuine
    assert set(found.as_json()["submods"]) == {"gpu0", "switch0", "fabric"}
    assert found.exit_code is ExitCode.NOT_AFFIRMING, "the fabric does not close"


def test_which_device_is_not_genuine_is_said(folder):
    (folder / "devices.json").write_bytes(listed(hopper(), hopper().with_certificate(0, subject="Other")))
    found = verdict(folder, "devices.json")
    assert not found.genuine
    assert found.failure.check == "chain.model"
    assert found.summary.startswith("not shown to be genuine: chain.model: device 1: ")
    assert set(found.as_json()["submods"]) == {"devices"}
    assert found.exit_code is ExitCode.NOT_AFFIRMING


def test_another_nonce_is_not_acceptable(folder):
    found = verdict(folder, nonce=bytes(32))
    assert found.genuine
    assert found.summary.startswith("genuine, but not acceptable: nonce:")


def test_without_a_nonce_freshness_is_not_appraised(folder):
    assert verdict(folder, nonce=None).summary == "genuine and acceptable; not appraised: revocation, nonce, cc-mode"


def test_a_policy_may_demand_more(folder):
    (folder / "policy.yaml").write_text("nvidia: {stated_mode: if-given, minimum_driver: '590.12'}")
    assert verdict(folder, policy=folder / "policy.yaml").summary == (
        "genuine, but not acceptable: driver.version: the driver is below 590.12"
    )


@pytest.mark.parametrize(
    ("spoil", "options", "reason"),
    [
        (lambda folder: (folder / "chain.pem").unlink(), {}, "chain.pem: No such file"),
        (lambda folder: (folder / "report.bin").write_bytes(hopper().report()[:-1]), {}, "malformed at byte"),
        (lambda folder: (folder / "report.bin").write_bytes(b"[]"), {}, "1 to 64 objects"),
        (lambda folder: (folder / "ocsp" / "a.der").write_bytes(b"?"), {}, "OCSP response"),
        (lambda folder: next((folder / "rims").glob("*VBIOS*")).write_bytes(b"?"), {}, "RIM NV_GPU_VBIOS_1010"),
        (lambda folder: None, {"nonce": b"short"}, "a device is asked with 32"),
        (lambda folder: None, {"reference_values": [Path("any")]}, "compared with their RIMs"),
    ],
)
def test_an_input_that_cannot_be_used_is_said_in_one_line(folder, spoil, options, reason):
    spoil(folder)
    found = verdict(folder, **options)
    assert found.exit_code is ExitCode.UNUSABLE_INPUT
    assert reason in found.error
    assert "\n" not in found.error


def test_collateral_without_folders_is_empty(tmp_path):
    assert Collateral.from_directory(tmp_path).rims == {}
    with pytest.raises(UnreadableInput, match="no such folder"):
        Collateral.from_directory(tmp_path / "none")
