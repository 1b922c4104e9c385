"""The emulated NitroTPM: documents genuine in format, and PCRs that know what booted."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sandbox.hardware import Measured, NitroTpm, SandboxPki, measured_boot
from verifier import nitro
from verifier.errors import VerificationFailed
from verifier.nitro import DocumentKind, NitroDocument
from verifier.trust import TrustStore

INSTANCE = "i-0123456789abcdef0"
KERNEL = Measured(4, 0x80000003, b"unified kernel image")
COMMAND_LINE = Measured(12, 0x0000000D, b"init=/bin/sh")


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> SandboxPki:
    return SandboxPki(tmp_path_factory.mktemp("hardware"))


@pytest.fixture(scope="module")
def tpm(pki: SandboxPki) -> NitroTpm:
    return NitroTpm(pki.nitro, "eu-west-1", INSTANCE, measured_boot([KERNEL], secure_boot=True))


def document(tpm: NitroTpm) -> NitroDocument:
    return nitro.parse(tpm.document(nonce=b"nonce", user_data=b"report", public_key=b"key"))


def failed_check(found: NitroDocument, trust: TrustStore, at: datetime) -> str:
    with pytest.raises(VerificationFailed) as raised:
        nitro.verify(found, trust, at)
    return raised.value.check


def test_a_document_says_what_it_was_given_and_is_signed(pki: SandboxPki, tpm: NitroTpm) -> None:
    found = document(tpm)
    assert (found.kind, found.instance_id, found.pcrs) == (DocumentKind.NITROTPM, INSTANCE, tpm.pcrs)
    assert (found.nonce, found.user_data, found.public_key) == (b"nonce", b"report", b"key")
    trust = TrustStore.production().with_sandbox(pki.nitro.root.pem)
    assert nitro.verify(found, trust, datetime.now(UTC)).chain.anchor.name == "sandbox"


def test_nobody_accepts_it_who_does_not_name_this_root(pki: SandboxPki, tpm: NitroTpm, tmp_path: Path) -> None:
    now, elsewhere = datetime.now(UTC), SandboxPki(tmp_path)
    for trust in (TrustStore.production(), TrustStore.production().with_sandbox(elsewhere.nitro.root.pem)):
        assert failed_check(document(tpm), trust, now) == "chain.root"


def test_a_document_lives_for_hours_and_its_root_for_years(pki: SandboxPki, tpm: NitroTpm) -> None:
    found, trust = document(tpm), TrustStore.production().with_sandbox(pki.nitro.root.pem)
    nitro.verify(found, trust, found.timestamp + timedelta(minutes=90))
    assert failed_check(found, trust, found.timestamp + timedelta(hours=4)) == "chain.leaf.validity"
    assert pki.nitro.root.certificate.not_valid_after_utc > found.timestamp + timedelta(days=3650)


def test_a_document_that_was_changed_is_not_signed(pki: SandboxPki, tpm: NitroTpm) -> None:
    trust = TrustStore.production().with_sandbox(pki.nitro.root.pem)
    data = tpm.document(nonce=b"\x5a" * 32, user_data=b"report", public_key=b"key")
    changed = nitro.parse(data.replace(b"\x5a" * 32, b"\x5b" * 32))
    assert failed_check(changed, trust, datetime.now(UTC)) == "cose.signature"


def test_pcrs_know_what_booted_and_with_which_settings() -> None:
    usual, other = measured_boot([KERNEL], secure_boot=True), measured_boot([], secure_boot=True)
    told, unsecured = (
        measured_boot([KERNEL, COMMAND_LINE], secure_boot=True),
        measured_boot([KERNEL], secure_boot=False),
    )

    def changed(found: dict[int, bytes]) -> set[int]:
        return {index for index, value in found.items() if value != usual[index]}

    assert (changed(other), changed(told), changed(unsecured)) == ({4}, {12}, {7})
    assert set(usual) == {*range(17), 23}
    assert usual[12] == bytes(48)  # no command line came from outside
    assert usual[0] == usual[1] != bytes(48)  # AWS keeps its firmware's registers constant
