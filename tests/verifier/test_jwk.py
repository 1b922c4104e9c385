"""Public keys as JWKs: what is read back, and what no key is."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from verifier import jwk

RSA = rsa.generate_private_key(65537, 2048).public_key()
EC = ec.generate_private_key(ec.SECP256R1()).public_key()


def octets(count: int, first: int = 0x80) -> str:
    """An odd number of so many bytes."""
    return jwk.encode(bytes([first, *bytes(count - 2), 1]))


@pytest.mark.parametrize("key", [RSA, EC, *(ec.generate_private_key(it).public_key() for it in jwk.CURVES.values())])
def test_a_public_key_is_read_back(key):
    assert jwk.to_public_key(jwk.from_public_key(key) | {"alg": "any"}) == key


@pytest.mark.parametrize(
    ("key", "changes", "reason"),
    [
        (RSA, {"kty": None}, "kty is None"),
        (RSA, {"kty": ["RSA"]}, "kty is"),
        (RSA, {"kty": "oct"}, "kty is 'oct'"),
        (RSA, {"d": "AQ"}, "no others"),
        (EC, {"x": 5}, "text members"),
        (RSA, {"n": octets(255)}, "2048 to 8192 bits"),
        (RSA, {"n": octets(1025)}, "2048 to 8192 bits"),
        (RSA, {"e": octets(5, 1)}, "at most 32 bits"),
        (RSA, {"e": "Ag"}, "do not make an RSA key"),
        (RSA, {"e": "A"}, "is not base64url"),
        (RSA, {"e": "AQ=="}, "canonical"),
        (RSA, {"e": "AR"}, "canonical"),
        (EC, {"crv": "secp256k1"}, "crv is 'secp256k1'"),
        (EC, {"x": octets(33)}, "32 bytes each"),
        (EC, {"y": octets(31)}, "32 bytes each"),
        (EC, {"x": octets(33), "y": octets(33)}, "32 bytes each"),
        (EC, {"x": base64.urlsafe_b64encode(bytes(32)).decode().rstrip("=")}, "not a point"),
    ],
)
def test_what_no_key_is(key, changes, reason):
    with pytest.raises(jwk.JwkError, match=reason):
        jwk.to_public_key(jwk.from_public_key(key) | changes)
