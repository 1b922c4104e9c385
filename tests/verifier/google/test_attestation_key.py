"""Certificates of attestation keys of Google's vTPMs: genuine ones, and a fake authority's that fail one check each."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

from tests.verifier.fake_x509 import FakeCertificate, FakeExtension, authority_extensions, integer, oid, tlv
from verifier.errors import MalformedEvidence, VerificationFailed
from verifier.google import attestation_key, verify_attestation_key
from verifier.google.attestation_key import Instance
from verifier.pki import Certificate
from verifier.pki.files import certificates_in
from verifier.trust import TrustAnchor, TrustStore

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


def test_a_genuine_key_under_the_older_authority():
    """Its subject is empty, so that its alternative name is critical."""
    verified = verify_attestation_key(leaf("ak-rsa-2022.pem"), TRUST, AT)
    assert verified.anchor.certificate.common_name.startswith("tpm_ek_v1_cloud_host_root")
    assert verified.instance.project_id == "google.com:wuale-gcp-testing"
    assert verified.instance.is_production


@pytest.mark.parametrize("name", ["ak-rsa.pem", "ak-rsa-2022.pem"])
def test_a_root_that_is_not_pinned_for_it(name):
    assert failed_check(leaf(name), trust=TrustStore((), TRUST.intermediates)) == "ak.chain"


def test_a_root_vouches_for_its_own_intermediates_alone():
    """Either authority's root without the other's."""
    for name, root in (("ak-rsa.pem", "EK/AK CA Root"), ("ak-rsa-2022.pem", "tpm_ek_v1")):
        others = [it for it in TRUST.anchors if not it.certificate.common_name.startswith(root)]
        assert failed_check(leaf(name), trust=TrustStore(others, TRUST.intermediates)) == "ak.chain"


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


DAY = timedelta(days=1)
INSTANCE = "1.3.6.1.4.1.11129.2.1.21"
SIGNS_DATA = FakeExtension("2.5.29.15", tlv(0x03, b"\x07\x80"), critical=True)
UNKNOWN = FakeExtension("2.5.29.30", b"\x30\0", critical=True)
NOT_ONE_THAT_SIGNS = authority_extensions(0x02)


@cache
def key(name: str) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@dataclass(frozen=True)
class RsaCertificate(FakeCertificate):
    """A certificate signed with RSASSA-PKCS1-v1_5 and SHA-256, whatever its algorithm says."""

    algorithm: bytes = tlv(0x30, oid("1.2.840.113549.1.1.11"), tlv(0x05))

    def encode(self) -> bytes:
        signed = Certificate.parse(super().encode()).signed
        signature = self.signer.sign(signed, padding.PKCS1v15(), hashes.SHA256())
        return tlv(0x30, signed, self.algorithm, tlv(0x03, b"\0", signature))


def text(value: str) -> bytes:
    return tlv(0x0C, value.encode())


def instance(security: bytes = b"", zone: bytes = text("zone")) -> bytes:
    return tlv(0x30, zone, integer(1), text("project"), integer(2), text("name"), security)


def signed_by(subject: str, issuer: str, *extensions: FakeExtension) -> RsaCertificate:
    return RsaCertificate(subject, issuer, key(subject).public_key(), key(issuer), AT - DAY, AT + DAY, extensions)


@dataclass(frozen=True)
class World:
    """A chain of which a test replaces what it is about. scope: of the root."""

    leaf: FakeCertificate
    intermediate: FakeCertificate
    root: FakeCertificate
    scope: str = "google-ak"

    def verified(self):
        anchor = TrustAnchor("fake", frozenset({self.scope}), Certificate.parse(self.root.encode()))
        intermediate = Certificate.parse(self.intermediate.encode())
        return verify_attestation_key(self.leaf.encode(), TrustStore([anchor], [intermediate]), AT)

    def changed(self, member: str, **changes) -> "World":
        return replace(self, **{member: replace(getattr(self, member), **changes)})

    def naming(self, value: bytes) -> "World":
        return self.changed("leaf", extensions=(SIGNS_DATA, FakeExtension(INSTANCE, value)))


WORLD = World(
    leaf=signed_by("leaf", "intermediate", SIGNS_DATA, FakeExtension(INSTANCE, instance())),
    intermediate=signed_by("intermediate", "root", *authority_extensions()),
    root=signed_by("root", "root", *authority_extensions()),
)


@pytest.mark.parametrize(
    ("world", "check"),
    [
        (WORLD.changed("leaf", extensions=(*authority_extensions(0x84), *WORLD.leaf.extensions[1:])), "ak.leaf.usage"),
        (WORLD.changed("leaf", extensions=WORLD.leaf.extensions[1:]), "ak.leaf.usage"),
        (WORLD.changed("leaf", extensions=(*WORLD.leaf.extensions, UNKNOWN)), "ak.leaf.extensions"),
        (WORLD.changed("intermediate", not_after=AT - DAY / 2), "ak.intermediate.validity"),
        (WORLD.changed("root", not_before=AT + DAY / 2), "ak.root.validity"),
        (WORLD.changed("leaf", key=ed25519.Ed25519PrivateKey.generate().public_key()), "ak.key"),
        (WORLD.changed("leaf", spki=tlv(0x30, tlv(0x30, oid("1.2.3")), tlv(0x03, b"\0"))), "ak.key"),
        (WORLD.changed("leaf", extensions=(SIGNS_DATA,)), "ak.instance"),
        (replace(WORLD, scope="google-tcb"), "ak.chain"),
        (WORLD.changed("leaf", issuer="another"), "ak.chain"),
        (WORLD.changed("leaf", signer=key("another")), "ak.chain"),
        (WORLD.changed("leaf", algorithm=tlv(0x30, oid("1.2.840.113549.1.1.5"), tlv(0x05))), "ak.chain"),
        (WORLD.changed("intermediate", signer=key("another")), "ak.chain"),
        (WORLD.changed("intermediate", extensions=authority_extensions()[1:]), "ak.chain"),
        (WORLD.changed("intermediate", extensions=NOT_ONE_THAT_SIGNS), "ak.chain"),
        (WORLD.changed("intermediate", key=ec.generate_private_key(ec.SECP256R1()).public_key()), "ak.chain"),
    ],
)
def test_each_check_fails_alone(world, check):
    with pytest.raises(VerificationFailed) as failure:
        world.verified()
    assert failure.value.check == check


@pytest.mark.parametrize(
    ("security", "production"),
    [
        (b"", False),
        (tlv(0xA0, tlv(0x30)), False),
        (tlv(0xA0, tlv(0x30, tlv(0xA0, integer(1)))), False),
        (tlv(0xA0, tlv(0x30, tlv(0xA1, tlv(0x01, b"\0")))), False),
        (tlv(0xA0, tlv(0x30, tlv(0xA0, integer(1)), tlv(0xA1, tlv(0x01, b"\xff")))), True),
    ],
)
def test_production_is_what_says_so(security, production):
    assert WORLD.naming(instance(security)).verified().instance.is_production is production


@pytest.mark.parametrize("value", [instance() + b"\x05\0", instance(zone=tlv(0x0C, b"\xff")), tlv(0x30), b""])
def test_an_instance_that_cannot_be_read(value):
    with pytest.raises(MalformedEvidence):
        WORLD.naming(value).verified()
