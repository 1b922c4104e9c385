"""A signature is by a key that is one for the algorithm, which the caller names."""

import json
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from tests.verifier.tokens.fake_issuer import (
    AZURE,
    NVIDIA,
    bundle,
    jwt,
    key,
)
from verifier.tokens import jws

P256 = ec.generate_private_key(ec.SECP256R1())


TOKEN = jws.parse(jwt(AZURE).encode())
RSA = key(AZURE).public_key()
ELLIPTIC = jws.parse(json.loads(bundle())[0][1])
P384 = key(NVIDIA).public_key()


def test_by_its_key():
    assert jws.is_signed_by(TOKEN, RSA, "RS256")
    assert jws.is_signed_by(ELLIPTIC, P384, "ES384")


def test_by_another_key():
    assert not jws.is_signed_by(TOKEN, key("other").public_key(), "RS256")
    assert not jws.is_signed_by(ELLIPTIC, key(f"{NVIDIA}-other").public_key(), "ES384")


@pytest.mark.parametrize("algorithm", ["PS256", "RS384", "ES256"])
def test_the_header_names_another(algorithm):
    assert not jws.is_signed_by(TOKEN, RSA, algorithm)
    header = {"alg": algorithm}
    assert not jws.is_signed_by(replace(TOKEN, header=header), RSA, "RS256")
    assert not jws.is_signed_by(replace(ELLIPTIC, header=header), P384, "ES384")


@pytest.mark.parametrize("algorithm", ["none", "HS256", "RS512"])
def test_an_algorithm_that_does_not_exist_here(algorithm):
    assert not jws.is_signed_by(replace(TOKEN, header={"alg": algorithm}), RSA, algorithm)


def test_the_key_is_not_for_it():
    assert not jws.is_signed_by(ELLIPTIC, RSA, "ES384")
    assert not jws.is_signed_by(TOKEN, P384, "RS256")
    r, s = decode_dss_signature(P256.sign(ELLIPTIC.signed, ec.ECDSA(hashes.SHA384())))
    signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    assert not jws.is_signed_by(replace(ELLIPTIC, signature=signature), P256.public_key(), "ES384")


def test_numbers_have_their_length():
    signature = ELLIPTIC.signature
    longer = signature[:48] + b"\0" + signature[48:]
    assert not jws.is_signed_by(replace(ELLIPTIC, signature=longer), P384, "ES384")
