"""Google's launch endorsements: only what a pinned root's signer signed for the very measurement is stored."""

from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from starlette.responses import Response

from verifier.collateral import needs
from verifier.collateral.facts import inspect
from verifier.collateral.record import CollateralError, Kind
from verifier.google.endorsement import SCOPE
from verifier.pki import Certificate
from verifier.trust import TrustAnchor, TrustStore

MEASUREMENT = bytes(range(48))
MADE = datetime(2026, 3, 1, tzinfo=UTC)
GENUINE = Path(__file__).parents[2] / "evidence" / "google" / "launch_endorsement.binarypb"
"""What Google published on 2026-05-21."""
GENUINE_MR_TD = bytes.fromhex(
    "c1ee9c16e3afc506cfe042c5b846a368528f3b37618eafb27469bc114cf914e9222c91618470e7f2b28ac360968270a5"
)


@cache
def key(name: str) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@cache
def certificate(subject: str, issuer: str) -> bytes:
    now = datetime.now(UTC)
    names = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]) for name in (subject, issuer)]
    builder = (
        x509.CertificateBuilder(names[1], names[0], key(subject).public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(subject == issuer, None), critical=True)
    )
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
    return builder.sign(key(issuer), hashes.SHA256(), rsa_padding=pss).public_bytes(Encoding.DER)


def field(number: int, value: bytes | int) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def endorsement(tee: str = "snp", signer: str = "signer", issuer: str = "root", by: str | None = None) -> bytes:
    one = field(1, 4) + field(2, MEASUREMENT) if tee == "snp" else field(1, 8) + field(3, MEASUREMENT)
    golden = field(1, field(1, int(MADE.timestamp()))) + field(4, certificate(signer, issuer))
    golden += field(7 if tee == "snp" else 8, field(1, 2) + field(2, one))
    signature = key(by or signer).sign(golden, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())
    return field(1, golden) + field(2, signature)


@cache
def trust() -> TrustStore:
    anchor = Certificate.parse(certificate("root", "root"))
    return TrustStore([TrustAnchor("fake", frozenset({SCOPE}), anchor)])


def checked(content: bytes, tee: str = "snp", store: TrustStore | None = None):
    subject = needs.launch_endorsement(tee, MEASUREMENT).subject
    return inspect(Kind.LAUNCH_ENDORSEMENT, subject, content, store or trust())


@pytest.mark.parametrize("tee", ["snp", "tdx"])
def test_a_genuine_endorsement_says_when_it_was_made(tee):
    facts = checked(endorsement(tee), tee)
    assert (facts.not_before, facts.next_update) == (MADE, None)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: endorsement(by="other"), "signature: the signer did not sign"),
        (lambda: endorsement(issuer="other"), "chain.leaf.signature"),
        (lambda: endorsement("tdx"), "does not list this measurement"),
        (lambda: endorsement()[:-1], "cut off"),
        (lambda: b"", "field 1 is missing"),
        (lambda: b"\xff" * 20, "more than 64 bits"),
        (lambda: field(1, field(4, b"x") + field(1, b"")) + field(2, b"x"), "cert: not an X.509 certificate"),
    ],
)
def test_anything_else_is_refused_for_its_reason(make, reason):
    content = make()
    with pytest.raises(CollateralError, match=reason):
        checked(content)


def test_what_google_did_not_sign_is_not_google_s():
    with pytest.raises(CollateralError, match="no pinned root issued the signer's certificate"):
        checked(endorsement(), store=TrustStore.production())


@pytest.mark.parametrize("tee", ["sev", "", "SNP"])
def test_a_measurement_of_another_tee_is_not_google_s(tee):
    with pytest.raises(CollateralError, match=f"'{tee}' is neither snp nor tdx"):
        inspect(Kind.LAUNCH_ENDORSEMENT, f"{tee}-{MEASUREMENT.hex()}", endorsement(), trust())


def test_it_is_asked_for_by_measurement(fetching):
    fetching.vendors.first += [Response(GENUINE.read_bytes())]
    (outcome,) = fetching.fetcher().fetch([needs.launch_endorsement("tdx", GENUINE_MR_TD)])
    assert outcome.reason == ""
    folder = "/google.vendor.test/gce_tcb_integrity/ovmf_x64_csm/tdx"
    assert fetching.vendors.asked == [f"{folder}/{GENUINE_MR_TD.hex()}.binarypb"]
