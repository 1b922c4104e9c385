"""A released key as a JWE in the flattened JSON serialisation (RFC 7516 section 7.2.2), as KBS clients expect it.

RSA keys get RSA-OAEP-256, elliptic-curve keys ECDH-ES+A256KW (RFC 7518 sections 4.3 and 4.6); the content is sealed
with A256GCM. The additional authenticated data is the encoded protected header alone, so there is no `aad` member.
"""

from __future__ import annotations

import secrets
import struct
from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.concatkdf import ConcatKDFHash
from cryptography.hazmat.primitives.keywrap import aes_key_wrap

from verifier import canonical, jwk

RSA_OAEP_256 = "RSA-OAEP-256"
ECDH_ES_A256KW = "ECDH-ES+A256KW"
_CONTENT_KEY_BYTES = 32
_IV_BYTES = 12
_TAG_BYTES = 16


def require_usable(recipient: Mapping[str, Any]) -> jwk.PublicKey:
    """The guest's public key; JwkError unless its `alg` is the one that this broker wraps to for its type."""
    key = jwk.to_public_key(recipient)
    expected = RSA_OAEP_256 if isinstance(key, rsa.RSAPublicKey) else ECDH_ES_A256KW
    if recipient.get("alg") != expected:
        raise jwk.JwkError(f"alg is {recipient.get('alg')!r:.40}, {expected} is expected for a {recipient['kty']} key")
    return key


def encrypt(plaintext: bytes, recipient: Mapping[str, Any]) -> dict[str, str]:
    """The JWE that only the holder of `recipient`'s private key can open."""
    key = require_usable(recipient)
    content_key = secrets.token_bytes(_CONTENT_KEY_BYTES)
    if isinstance(key, rsa.RSAPublicKey):
        header: dict[str, Any] = {"alg": RSA_OAEP_256, "enc": "A256GCM"}
        oaep = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
        encrypted_key = key.encrypt(content_key, oaep)
    else:
        ephemeral = ec.generate_private_key(key.curve)
        header = {"alg": ECDH_ES_A256KW, "enc": "A256GCM", "epk": jwk.from_public_key(ephemeral.public_key())}
        encrypted_key = aes_key_wrap(agreed_key(ephemeral, key), content_key)
    protected = jwk.encode(canonical.encode(header))
    iv = secrets.token_bytes(_IV_BYTES)
    sealed = AESGCM(content_key).encrypt(iv, plaintext, protected.encode("ascii"))
    return {
        "protected": protected,
        "encrypted_key": jwk.encode(encrypted_key),
        "iv": jwk.encode(iv),
        "ciphertext": jwk.encode(sealed[:-_TAG_BYTES]),
        "tag": jwk.encode(sealed[-_TAG_BYTES:]),
    }


def agreed_key(private_key: ec.EllipticCurvePrivateKey, public_key: ec.EllipticCurvePublicKey) -> bytes:
    """The key-wrapping key (32 bytes): Concat KDF with empty PartyUInfo and PartyVInfo (RFC 7518, section 4.6.2)."""
    algorithm = ECDH_ES_A256KW.encode("ascii")
    other_info = struct.pack(">I", len(algorithm)) + algorithm + struct.pack(">III", 0, 0, 256)
    return ConcatKDFHash(hashes.SHA256(), 32, other_info).derive(private_key.exchange(ec.ECDH(), public_key))
