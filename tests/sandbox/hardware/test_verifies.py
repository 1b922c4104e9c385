"""The verifier accepts the emulated hardware only where a configuration names its root."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sandbox.hardware import Chip, LaunchPolicy, SandboxPki, SnpFirmware, Tcb
from verifier import snp
from verifier.appraisal import AppraisalPolicy
from verifier.appraisal.snp import appraise
from verifier.errors import VerificationFailed
from verifier.trust import TrustStore

POLICY = LaunchPolicy(abi=(1, 51), smt=True, migrate_ma=False, debug=False, single_socket=False)
NOW = datetime.now(UTC)
DEFAULT = AppraisalPolicy()


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    return SandboxPki(tmp_path_factory.mktemp("hardware"))


def evidence(pki, chip, policy=POLICY, cloud=None):
    firmware = SnpFirmware(pki, chip, cloud)
    report = snp.parse(firmware.report(firmware.launch(bytes(range(48)), policy), b"\x07" * 64))
    chain = firmware.certificates
    kind = snp.SigningKey.VCEK if cloud is None else snp.SigningKey.VLEK
    return report, snp.Endorsements(chain.leaf, kind, chain.intermediate, chain.ark)


def test_verifies_under_the_sandbox_root_with_its_own_tcb_and_chip(pki):
    chip = Chip("host-1", Tcb(bootloader=3, tee=1, snp=20, microcode=200))
    report, endorsements = evidence(pki, chip)
    trust = TrustStore.production().with_sandbox(pki.ark.pem)
    verified = snp.verify(report, endorsements, trust, NOW)
    assert verified.report.chip_id == chip.chip_id
    assert (verified.reported.bootloader, verified.reported.snp, verified.reported.microcode) == (3, 20, 200)
    assert verified.chain.anchor.name == "sandbox"


def test_a_cloud_s_key_vouches_for_the_cloud_and_no_chip(pki):
    chip = Chip("host-1", Tcb(bootloader=3, tee=1, snp=20, microcode=200))
    report, endorsements = evidence(pki, chip, cloud="CN=cc-eu-west-1.amazonaws.com")
    trust = TrustStore.production().with_sandbox(pki.ark.pem)
    verified = snp.verify(report, endorsements, trust, NOW)
    assert (verified.chain.csp_id, verified.chain.hardware_id) == ("CN=cc-eu-west-1.amazonaws.com", None)
    assert verified.report.chip_id == bytes(64)
    _, elsewhere = evidence(pki, chip, cloud="CN=cc-us-east-2.amazonaws.com")
    with pytest.raises(VerificationFailed):
        snp.verify(report, elsewhere, trust, NOW)
    listed = DEFAULT.model_copy(update={"chips": frozenset({chip.chip_id.hex()})})
    for policy, objections in ((DEFAULT, set()), (listed, {"chip-id"})):
        (cpu,) = appraise(verified, policy, report_data=report.report_data).submods.values()
        assert {claim.name for claim in cpu.against()} & {"chip-id", "csp-id"} == objections


def test_production_trust_refuses_it(pki):
    report, endorsements = evidence(pki, Chip("host-1"))
    with pytest.raises(VerificationFailed) as refusal:
        snp.verify(report, endorsements, TrustStore.production(), NOW)
    assert refusal.value.check.startswith("chain")


def test_another_projects_hardware_is_refused(pki, tmp_path):
    report, endorsements = evidence(pki, Chip("host-1"))
    elsewhere = TrustStore.production().with_sandbox(SandboxPki(tmp_path).ark.pem)
    with pytest.raises(VerificationFailed):
        snp.verify(report, endorsements, elsewhere, NOW)


def test_a_report_under_another_chips_vcek_is_refused(pki):
    report, _ = evidence(pki, Chip("host-1"))
    _, other = evidence(pki, Chip("host-2"))
    with pytest.raises(VerificationFailed):
        snp.verify(report, other, TrustStore.production().with_sandbox(pki.ark.pem), NOW)


def test_firmware_and_verifier_read_the_policy_alike(pki):
    report, _ = evidence(pki, Chip("host-1"), replace(POLICY, debug=True))
    bits = snp.layout.GuestPolicy
    allowed = {bit for bit in (bits.SMT, bits.MIGRATE_MA, bits.DEBUG, bits.SINGLE_SOCKET) if report.allows(bit)}
    assert allowed == {bits.SMT, bits.DEBUG}
    assert report.abi == (1, 51)


def test_the_roots_revocation_list_is_consulted(pki):
    report, endorsements = evidence(pki, Chip("host-1"))
    trust = TrustStore.production().with_sandbox(pki.ark.pem)
    verified = snp.verify(report, endorsements, trust, NOW, crls=[pki.revocation_list()])
    assert verified.revocation is snp.Revocation.CHECKED
    with pytest.raises(VerificationFailed, match=r"crl\.validity"):
        snp.verify(report, endorsements, trust, NOW + timedelta(days=400), crls=[pki.revocation_list()])
