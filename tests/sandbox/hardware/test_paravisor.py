"""The emulated paravisor and its vTPM: genuine in format, and bound to the processor as Azure's are."""

import hashlib
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from sandbox.hardware import (
    PARAVISOR_MEASUREMENT,
    TD_REPORT,
    IntelPki,
    Measured,
    Platform,
    Setup,
    TdxModule,
    Vtpm,
    boot,
    firmware_pcr,
    publish_collateral,
)
from sandbox.hardware.platform import FMSPC
from verifier import azure, tdx, tpm
from verifier.azure import AzureEvidence, VtpmEvidence
from verifier.errors import VerificationFailed
from verifier.tpm import event_log
from verifier.trust import TrustStore

SETUP = Setup("26F8BC30-774E-4290-8E7A-535F3B672AEE", secure_boot=True, init_data=b"customData")
KERNEL = Measured(4, 0x80000003, b"kernel")
NONCE = b"\x07" * 48


def extended(*values: bytes) -> bytes:
    result = bytes(32)
    for value in values:
        result = hashlib.sha256(result + value).digest()
    return result


class Site:
    """An emulated Intel platform that starts guests under a paravisor."""

    def __init__(self, directory):
        self.pki = IntelPki(directory / "intel")
        publish_collateral(self.pki, directory)
        self.collateral = tdx.Collateral.from_directory(directory / FMSPC.hex())
        self.trust = TrustStore.production().with_sandbox(self.pki.root.pem)
        self.module = TdxModule(self.pki, Platform("host-1"))
        self.td = self.module.launch(PARAVISOR_MEASUREMENT, ())

    def boot(self, *events, setup=SETUP):
        return boot(events, setup, TD_REPORT, lambda data: self.module.report(self.td, data))

    def evidence(self, booted, nonce=NONCE):
        quote, vtpm = booted.vtpm.quote(nonce), booted.vtpm
        said = VtpmEvidence(
            tpm.parse(quote),
            tpm.rsassa_sha256(vtpm.signature(quote)),
            {tpm.layout.SHA256: dict(enumerate(vtpm.pcrs))},
            event_log.parse(booted.event_log),
        )
        td_quote = tdx.parse(self.module.quote(self.td, booted.report_data))
        return AzureEvidence(azure.parse(booted.hcl_report), td_quote, said)

    def verify(self, evidence):
        return azure.verify(evidence, self.collateral, self.trust, datetime.now(UTC))


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    return Site(tmp_path_factory.mktemp("hardware"))


def test_one_chain_leads_from_the_processor_to_the_pcrs(site):
    booted = site.boot(KERNEL)
    verified = site.verify(site.evidence(booted))
    pcrs = verified.vtpm.pcrs[tpm.layout.SHA256]
    assert pcrs[4] == extended(hashlib.sha256(bytes(4)).digest(), KERNEL.pcr_digest)
    assert firmware_pcr(4) == extended(hashlib.sha256(bytes(4)).digest())
    assert pcrs[8] == extended(hashlib.sha256(b"customData").digest())  # what the guest was told, as guests extend it
    assert (verified.vtpm.quote.extra_data, len(pcrs)) == (NONCE, 24)
    assert verified.cpu.quote.report.mr_td == PARAVISOR_MEASUREMENT
    assert verified.measured_secure_boot is True
    assert verified.hcl.claims.configuration.vm_id == SETUP.vm_id


def test_secure_boot_is_what_the_machine_has(site):
    verified = site.verify(site.evidence(site.boot(setup=Setup(SETUP.vm_id, secure_boot=False, init_data=b""))))
    assert (verified.measured_secure_boot, verified.hcl.claims.configuration.secure_boot) == (False, False)


def test_every_boot_has_an_attestation_key_of_its_own(site):
    first, second = site.evidence(site.boot(KERNEL)), site.evidence(site.boot(KERNEL))
    with pytest.raises(VerificationFailed, match=r"tpm\.signature"):
        site.verify(AzureEvidence(first.hcl, first.td_quote, second.vtpm))


def test_the_td_report_in_the_hcl_report_says_what_the_quote_says(site):
    booted = site.boot(KERNEL)
    report = booted.hcl_report[32 : 32 + 1024]
    assert report[:4] == b"\x81\0\0\0"
    assert report[128:192] == booted.report_data
    assert report[512 + 16 : 512 + 64] == PARAVISOR_MEASUREMENT  # MRTD of TDINFO_STRUCT
    assert report[80:128] == hashlib.sha384(report[512:]).digest()  # TEE_INFO_HASH


def test_a_tpm_starts_with_its_registers_as_the_platform_profile_says():
    vtpm = Vtpm()
    assert isinstance(vtpm.attestation_key, rsa.RSAPublicKey)
    assert {vtpm.pcrs[index] for index in (0, 16, 23)} == {bytes(32)}
    assert {vtpm.pcrs[index] for index in range(17, 23)} == {b"\xff" * 32}


def test_a_tpm_signs_and_extends_nothing_else():
    vtpm = Vtpm()
    with pytest.raises(ValueError, match="nothing but what its TPM made"):
        vtpm.signature(b"something else")
    with pytest.raises(ValueError, match="at most 64 bytes"):
        vtpm.quote(bytes(65))
    with pytest.raises(ValueError, match="takes 32 bytes"):
        vtpm.extend(0, bytes(48))
