"""ECDSA on P-384 with SHA-384: no other algorithm, key or length of a signature is taken for it."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.verifier.fake_x509 import oid, tlv
from verifier.pki.ecdsa import P384

KEY = ec.generate_private_key(ec.SECP384R1())
SIGNED = b"signed"
R, S = (number.to_bytes(48, "big") for number in decode_dss_signature(KEY.sign(SIGNED, P384.scheme)))


def encoded(key) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def test_the_algorithm_has_no_parameters():
    name = oid("1.2.840.10045.4.3.3")
    assert P384.is_algorithm(tlv(0x30, name))
    assert not P384.is_algorithm(tlv(0x30, name, b"\x05\0"))
    assert not P384.is_algorithm(tlv(0x30, oid("1.2.840.10045.4.3.2")))


def test_only_keys_on_the_curve_are_loaded():
    assert P384.load_key(encoded(KEY.public_key())) == KEY.public_key()
    others = (ec.generate_private_key(ec.SECP256R1()), rsa.generate_private_key(65537, 2048))
    for content in (*(encoded(other.public_key()) for other in others), b"", b"\x30\0"):
        assert P384.load_key(content) is None


@pytest.mark.parametrize(
    "signature",
    [R + b"\0" + S, R + S[:-1], b"\0" + R + S, S + R, b""],
    ids=["between", "short", "before", "exchanged", "empty"],
)
def test_a_raw_signature_is_two_numbers_of_48_bytes(signature):
    assert P384.verifies_raw(KEY.public_key(), SIGNED, R + S)
    assert not P384.verifies_raw(KEY.public_key(), SIGNED, signature)
