"""Tokens whose key is in a certificate: in `x5c` under a root that a person gives, or in what an issuer publishes."""

import base64
import json
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from tests.verifier.tokens.fake_issuer import (
    AT,
    AZURE,
    GOOGLE,
    NOW,
    failed_check,
    good,
    jwks,
    jwt,
    key,
    verified,
    with_claims,
)
from verifier import tokens
from verifier.errors import InvalidToken
from verifier.pki.files import pem_values


def certificate(subject: str, issuer: str, *extensions, authority: bool, days: int = 30, public=None) -> bytes:
    names = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]) for name in (subject, issuer)]
    usage = x509.KeyUsage(
        digital_signature=not authority,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
    builder = (
        x509.CertificateBuilder(names[1], names[0], public or key(subject).public_key(), x509.random_serial_number())
        .not_valid_before(AT - timedelta(days=days))
        .not_valid_after(AT + timedelta(days=days))
        .add_extension(x509.BasicConstraints(authority, None), critical=True)
        .add_extension(usage, critical=True)
    )
    for extension in extensions:
        builder = builder.add_extension(extension, critical=True)
    return builder.sign(key(issuer), hashes.SHA256()).public_bytes(Encoding.DER)


def root_pem() -> bytes:
    return in_pem(certificate("root", "root", authority=True))


def in_pem(der: bytes) -> bytes:
    body = base64.encodebytes(der)
    return b"-----BEGIN CERTIFICATE-----\n" + body + b"-----END CERTIFICATE-----\n"


def under(*chain: bytes) -> bytes:
    x5c = [base64.b64encode(member).decode() for member in chain]
    return replace(jwt(GOOGLE), header={"x5c": x5c, "kid": None}, signer="leaf").encode().encode()


def test_a_chain_under_the_root():
    leaf = certificate("leaf", "middle", authority=False)
    middle = certificate("middle", "root", authority=True)
    assert verified(under(leaf, middle), GOOGLE, root_pem())


def test_chains_that_are_none():
    leaf = certificate("leaf", "middle", authority=False)
    middle = certificate("middle", "root", authority=True)
    other = certificate("middle", "other", authority=True)
    unable = certificate("middle", "root", authority=False)
    old = certificate("leaf", "middle", authority=False, days=0)
    authority = certificate("leaf", "middle", authority=True)
    for chain in ((leaf,), (leaf, other), (middle, leaf), (leaf, unable), (authority, middle)):
        assert failed_check(under(*chain), GOOGLE, root_pem()) == "token.key"
    late = AT + timedelta(seconds=1)
    assert failed_check(under(old, middle), GOOGLE, root_pem(), late) == "token.key"
    assert failed_check(good(GOOGLE), GOOGLE, root_pem()) == "token.key"


def test_the_last_member_may_be_the_root_if_it_is_not_the_only_one():
    root = pem_values(root_pem())[0]
    leaf = certificate("leaf", "root", authority=False)
    assert verified(under(leaf, root), GOOGLE, keys := in_pem(root))
    assert failed_check(under(root), GOOGLE, keys) == "token.key"


def test_a_chain_of_five():
    leaf = certificate("leaf", "middle", authority=False)
    middle = certificate("middle", "middle", authority=True)
    last = certificate("middle", "root", authority=True)
    assert verified(under(leaf, middle, middle, last), GOOGLE, root_pem())
    assert failed_check(under(leaf, middle, middle, middle, last), GOOGLE, root_pem()) == "token.key"


@pytest.mark.parametrize("at", [AT - timedelta(days=31), AT + timedelta(days=31)])
def test_a_leaf_outside_its_validity(at):
    claims = {"iat": NOW - 10**7, "nbf": NOW - 10**7, "exp": NOW + 10**7}
    leaf = base64.b64encode(certificate("leaf", "root", authority=False)).decode()
    token = replace(with_claims(jwt(GOOGLE), **claims), header={"x5c": [leaf], "kid": None}, signer="leaf")
    assert verified(token.encode().encode(), GOOGLE, root_pem())
    assert failed_check(token.encode(), GOOGLE, root_pem(), at) == "token.key"


def test_an_unknown_critical_extension():
    unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"")
    leaf = certificate("leaf", "root", unknown, authority=False)
    assert failed_check(under(leaf), GOOGLE, root_pem()) == "token.key"


def test_a_key_of_a_kind_that_signs_no_tokens():
    public = ed25519.Ed25519PrivateKey.generate().public_key()
    leaf = certificate("leaf", "root", authority=False, public=public)
    assert failed_check(under(leaf), GOOGLE, root_pem()) == "token.key"


def test_a_leaf_whose_key_did_not_sign():
    leaf = certificate("elsewhere", "root", authority=False)
    assert failed_check(under(leaf), GOOGLE, root_pem()) == "token.signature"


def test_azure_publishes_keys_as_certificates():
    leaf = base64.b64encode(certificate(AZURE, AZURE, authority=False)).decode()
    for kind in ({"kty": "RSA"}, {}):
        keys = json.dumps({"keys": [{"kid": AZURE, **kind, "x5c": [leaf]}]}).encode()
        assert verified(good(AZURE), AZURE, keys)
    with pytest.raises(InvalidToken, match="two that differ"):
        tokens.KeySet.parse(jwks(AZURE, x5c=[base64.b64encode(certificate("a", "a", authority=False)).decode()]))
