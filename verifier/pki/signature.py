"""RSASSA-PSS with SHA-384, the one algorithm that AMD signs certificates and CRLs with (AMD 57230)."""

from __future__ import annotations

from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from verifier.pki import der

_RSASSA_PSS: Final = "1.2.840.113549.1.1.10"
_MGF1: Final = "1.2.840.113549.1.1.8"
_SHA384: Final = "2.16.840.1.101.3.4.2.2"
_SALT_BYTES: Final = 48

_HASH: Final = hashes.SHA384()
_PADDING: Final = padding.PSS(mgf=padding.MGF1(_HASH), salt_length=_SALT_BYTES)


def is_pss_sha384(algorithm: bytes) -> bool:
    """Whether a DER AlgorithmIdentifier says RSASSA-PSS, SHA-384, MGF1 with SHA-384, salt of 48 bytes.

    RFC 4055, 3.1. The defaults of the parameters mean SHA-1, so each of them must be there.
    MalformedEvidence when it is not an AlgorithmIdentifier.
    """
    identifier = der.Reader(algorithm).read(der.SEQUENCE, "signature algorithm").inside()
    if _oid(identifier) != _RSASSA_PSS or not identifier.next_is(der.SEQUENCE):
        return False
    parameters = identifier.read(der.SEQUENCE, "PSS parameters").inside()
    identifier.finish("signature algorithm")
    hash_name = mask_name = mask_hash = ""
    salt, trailer = -1, 1
    if parameters.next_is(der.context(0)):
        hash_name = _hash(parameters.read(der.context(0), "PSS hash").inside())
    if parameters.next_is(der.context(1)):
        wrapper = parameters.read(der.context(1), "PSS mask").inside()
        mask = wrapper.read(der.SEQUENCE, "PSS mask").inside()
        wrapper.finish("PSS mask")
        mask_name, mask_hash = _oid(mask), _hash(mask)
    if parameters.next_is(der.context(2)):
        salt = _integer(parameters.read(der.context(2), "PSS salt length"))
    if parameters.next_is(der.context(3)):
        trailer = _integer(parameters.read(der.context(3), "PSS trailer"))
    parameters.finish("PSS parameters")
    found = (hash_name, mask_name, mask_hash, salt, trailer)
    return found == (_SHA384, _MGF1, _SHA384, _SALT_BYTES, 1)


def verifies(key: rsa.RSAPublicKey, signed: bytes, signature: bytes) -> bool:
    """Whether `signature` is `key`'s RSASSA-PSS SHA-384 signature over `signed`."""
    try:
        key.verify(signature, signed, _PADDING, _HASH)
    except InvalidSignature:
        return False
    return True


def _oid(reader: der.Reader) -> str:
    return der.object_identifier(reader.read(der.OBJECT_IDENTIFIER, "algorithm"), "algorithm")


def _hash(reader: der.Reader) -> str:
    """Name of the hash AlgorithmIdentifier, whose parameters are NULL or absent (RFC 4055, 2.1)."""
    identifier = reader.read(der.SEQUENCE, "hash algorithm").inside()
    reader.finish("hash algorithm")
    name = _oid(identifier)
    if identifier.more():
        identifier.read(der.NULL, "hash parameters")
    identifier.finish("hash algorithm")
    return name


def _integer(wrapper: der.Element) -> int:
    reader = wrapper.inside()
    value = der.integer(reader.read(der.INTEGER, "PSS parameter"), "PSS parameter")
    reader.finish("PSS parameter")
    return value
