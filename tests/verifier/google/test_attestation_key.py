"""Certificates of attestation keys of Google's vTPMs: genuine ones, and what makes another one fail."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from verifier.errors import MalformedEvidence, VerificationFailed
from verifier.google import attestation_key, verify_attestation_key
from verifier.google.attestation_key import Instance
from verifier.pki.files import certificates_in
from verifier.trust import TrustStore

EVIDENCE = Path(__file__).parents[2] / "evidence" / "google"
AT = datetime(2026, 6, 1, tzinfo=UTC)
TRUST = TrustStore.production()


def leaf(name: str) -> bytes:
    return certificates_in(EVIDENCE / name)[0]


def failed_check(certificate: bytes, at: datetime = AT, trust: TrustStore = TRUST) -> str:
    with pytest.raises(VerificationFailed) as failure:
        verify_attestation_key(certificate, trust, at)
    return failure.value.check


@pytest.mark.parametrize(
    ("name", "kind"), [("ak-rsa.pem", rsa.RSAPublicKey), ("ak-ecdsa.pem", ec.EllipticCurvePublicKey)]
)
def test_genuine_keys_name_their_instance(name, kind):
    verified = verify_attestation_key(leaf(name), TRUST, AT)
    assert isinstance(verified.key, kind)
    assert verified.anchor.name == "google"
    assert verified.instance == Instance(
        "us-central1-a", 117478743145, "google.com:wuale-gcp-testing", 218557372616137117, "cs-debug-pca", True
    )


def test_a_key_under_another_authority():
    assert failed_check(leaf("ak-of-another-authority.pem")) == "ak.chain"


def test_a_root_that_is_not_pinned_for_it():
    assert failed_check(leaf("ak-rsa.pem"), trust=TrustStore((), TRUST.intermediates)) == "ak.chain"


def test_a_changed_certificate():
    certificate = bytearray(leaf("ak-rsa.pem"))
    certificate[-1] ^= 1
    assert failed_check(bytes(certificate)) == "ak.chain"


@pytest.mark.parametrize(("year", "role"), [(2021, "leaf"), (2053, "leaf")])
def test_a_time_outside_its_validity(year, role):
    assert failed_check(leaf("ak-rsa.pem"), datetime(year, 1, 1, tzinfo=UTC)) == f"ak.{role}.validity"


def test_an_authority_s_certificate_is_no_attestation_key():
    assert failed_check(TRUST.intermediates[-1].encoded) == "ak.leaf.usage"


def test_a_certificate_that_names_no_instance(monkeypatch):
    monkeypatch.setattr(attestation_key, "_INSTANCE", "1.2.3")
    assert failed_check(leaf("ak-rsa.pem")) == "ak.instance"


def test_what_is_no_certificate():
    with pytest.raises(MalformedEvidence):
        verify_attestation_key(b"\x30\x00", TRUST, AT)
