"""Signatures of our own: a curve has one algorithm, and a signature one length."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.verifier.fake_x509 import integer, tlv
from verifier.signer import ES256, ES384, SoftwareSigner, der_to_raw, load_public_key, verifies

DATA = b"data"


@pytest.mark.parametrize("algorithm", [ES256, ES384])
def test_a_signature_has_one_length(algorithm):
    signer = SoftwareSigner.generate(algorithm)
    raw, size = signer.sign(DATA), algorithm.scalar_bytes
    assert verifies(signer.public_key, DATA, raw, algorithm)
    padded = b"\0" + raw[:size] + b"\0" + raw[size:]
    assert not any(verifies(signer.public_key, DATA, other, algorithm) for other in (padded, raw[:-1], b""))


def test_a_key_on_another_curve_makes_none():
    key = ec.generate_private_key(ec.SECP256R1())
    r, s = decode_dss_signature(key.sign(DATA, ec.ECDSA(ES384.hash)))
    for size in (ES256.scalar_bytes, ES384.scalar_bytes):
        raw = r.to_bytes(size, "big") + s.to_bytes(size, "big")
        assert not verifies(key.public_key(), DATA, raw, ES384)


@pytest.mark.parametrize(("r", "reason"), [(-1, "error parsing"), (1 << 384, "does not fit")])
def test_numbers_that_do_not_fit_the_curve(r, reason):
    with pytest.raises(ValueError, match=reason):
        der_to_raw(tlv(0x30, integer(r), integer(1)))
    assert der_to_raw(tlv(0x30, integer((1 << 384) - 1), integer(1)))[47:] == b"\xff" + bytes(47) + b"\x01"


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        (ec.generate_private_key(ec.SECP256R1()), "not an ECDSA P-384 key"),
        (rsa.generate_private_key(65537, 2048), "not an ECDSA P-384 key"),
        (None, "not a public key in PEM"),
    ],
    ids=["P-256", "RSA", "none"],
)
def test_a_key_in_pem_is_on_p384(key, reason):
    pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo) if key else b"-----BEGIN"
    with pytest.raises(ValueError, match=reason):
        load_public_key(pem)
