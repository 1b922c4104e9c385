"""The emulated GPU: genuine in format, and endorsed by nobody but the sandbox's own stand-in for NVIDIA."""

from datetime import UTC, datetime, timedelta

import pytest

from sandbox.hardware import Gpu, NvidiaPki, publish_device_collateral
from sandbox.hardware.nvidia_pki import FIRMWARE_ID, pdi
from verifier import nvidia
from verifier.appraisal import AppraisalPolicy, Tier
from verifier.appraisal import nvidia as appraisal
from verifier.appraisal.nvidia_policy import ConfidentialMode
from verifier.errors import VerificationFailed
from verifier.nvidia import Revocation, RimKind
from verifier.trust import TrustStore

NONCE = bytes(range(32))


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    return tmp_path_factory.mktemp("nvidia")


@pytest.fixture(scope="module")
def pki(directory):
    return NvidiaPki(directory / "pki")


@pytest.fixture(scope="module")
def gpu(pki, directory):
    made = Gpu(pki, "host-1")
    publish_device_collateral(pki, directory / "collateral")
    return made


def verified(gpu, pki, directory, at=None, trust=None):
    roots = trust or TrustStore.production().with_sandbox(pki.root.pem + pki.rim_root.pem)
    collateral = nvidia.Collateral.from_directory(directory / "collateral")
    return nvidia.verify(nvidia.parse(gpu.report(NONCE)), gpu.chain, collateral, roots, at or datetime.now(UTC))


def test_it_is_a_hopper_that_measures_what_its_rims_say(gpu, pki, directory):
    found = verified(gpu, pki, directory)
    assert (found.device.chip, found.device.pdi) == ("GH100", pdi("host-1"))
    assert (found.report.nonce, found.report.opaque.fwid) == (NONCE, FIRMWARE_ID)
    assert (found.report.opaque.driver_version, found.report.opaque.vbios_version) == ("580.95.05", "96.00.74.00.1A")
    assert found.rims.keys() == {RimKind.DRIVER, RimKind.VBIOS}
    states = {*found.revocation.values(), *(state for rim in found.rim_revocation.values() for state in rim.values())}
    assert states == {Revocation.GOOD}
    policy = AppraisalPolicy(revocation="required")
    assert appraisal.appraise([found], policy, nonce=NONCE, stated_mode=ConfidentialMode.ON).status is Tier.AFFIRMING


def test_the_same_host_has_the_same_gpu_and_another_host_another(pki, gpu, directory):
    again = NvidiaPki(directory / "pki")
    assert Gpu(again, "host-1").chain == gpu.chain
    assert Gpu(pki, "host-2").chain != gpu.chain
    assert Gpu(pki, "host-2").uuid != gpu.uuid


def test_the_pinned_roots_of_nvidia_do_not_vouch_for_it(gpu, pki, directory):
    with pytest.raises(VerificationFailed, match=r"chain\.root"):
        verified(gpu, pki, directory, trust=TrustStore.production())


def test_responses_are_renewed_before_they_are_out_of_date(gpu, pki, directory):
    with pytest.raises(VerificationFailed, match=r"ocsp\.validity"):
        verified(gpu, pki, directory, at=datetime.now(UTC) + timedelta(days=2))
    path = next((directory / "collateral" / "ocsp").iterdir())
    kept = path.read_bytes()
    publish_device_collateral(pki, directory / "collateral")
    assert path.read_bytes() == kept
    path.unlink()
    publish_device_collateral(pki, directory / "collateral")
    assert path.exists()


def test_a_gpu_is_asked_with_a_nonce_of_32_bytes(gpu):
    with pytest.raises(ValueError, match="asked with 32 bytes"):
        gpu.report(bytes(31))
