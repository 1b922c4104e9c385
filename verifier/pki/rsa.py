"""Certificates that an RSA key signed with RSASSA-PKCS1-v1_5 and SHA-256, as Google's authorities do."""

from __future__ import annotations

from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key

from verifier.pki import der
from verifier.pki.certificate import Certificate

_SHA256_RSA: Final = "1.2.840.113549.1.1.11"


def is_signed_by(certificate: Certificate, issuer: Certificate) -> bool:
    """Whether `issuer`, an authority that may sign certificates, signed `certificate` and is named in it."""
    algorithm = der.Reader(certificate.algorithm).read(der.SEQUENCE, "signature algorithm").inside()
    oid = der.object_identifier(algorithm.read(der.OBJECT_IDENTIFIER, "algorithm"), "algorithm")
    key = load_key(issuer)
    if certificate.issuer != issuer.subject or oid != _SHA256_RSA:
        return False
    if not (issuer.is_authority and issuer.signs_certificates) or not isinstance(key, rsa.RSAPublicKey):
        return False
    try:
        key.verify(certificate.signature, certificate.signed, padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        return False
    return True


def load_key(certificate: Certificate) -> object:
    """The certificate's key, of whatever kind; None when it cannot be read."""
    try:
        return load_der_public_key(certificate.key)
    except (ValueError, UnsupportedAlgorithm):
        return None
