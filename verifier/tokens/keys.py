"""An issuer's keys, from a file: a JWKS (RFC 7517), or the root (PEM) under which the signers' certificates are.

They never come from the token: neither its `jwk`, nor what its `jku` or `x5u` point to, is looked at.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec, rsa

from verifier import canonical, jwk
from verifier.errors import InvalidToken, MalformedEvidence
from verifier.jwk import PublicKey
from verifier.pki import Certificate
from verifier.pki.files import pem_values
from verifier.pki.rsa import is_signed_by, load_key

_MAX_KEYS: Final = 256
_MAX_CHAIN: Final = 4
_MIN_RSA_BITS: Final = 2048
_KEY_MEMBERS: Final = {"RSA": ("kty", "n", "e"), "EC": ("kty", "crv", "x", "y")}


@dataclass(frozen=True, slots=True)
class Key:
    """A key that an issuer publishes. algorithm: the only one it is for; None: it does not say."""

    key: PublicKey
    algorithm: str | None


@dataclass(frozen=True, slots=True)
class KeySet:
    """by_id: `kid` → its keys, each for another algorithm. roots: certificates under which a token's `x5c` may be."""

    by_id: Mapping[str, tuple[Key, ...]]
    roots: tuple[Certificate, ...] = ()

    @classmethod
    def parse(cls, content: bytes) -> KeySet:
        """Read a JWKS, or roots in PEM; InvalidToken for anything else.

        Certificates' keys that are too short are left out (RFC 7517, 5): Azure Attestation has published some of 1,024
        bits beside its own.
        """
        if content.lstrip().startswith(b"-----BEGIN CERTIFICATE"):
            try:
                return cls({}, tuple(Certificate.parse(value) for value in pem_values(content)))
            except MalformedEvidence as error:
                raise InvalidToken(f"keys: {error}") from None
        try:
            entries = canonical.parse_object(content).get("keys")
        except canonical.JsonError as error:
            raise InvalidToken(f"keys: neither a JWKS nor certificates in PEM: {error}") from None
        if not isinstance(entries, list) or len(entries) > _MAX_KEYS:
            raise InvalidToken(f"keys: a JWKS has a list `keys` of at most {_MAX_KEYS}")
        found: dict[str, tuple[Key, ...]] = {}
        for entry in entries:
            identifier = entry.get("kid") if isinstance(entry, dict) else None
            if not isinstance(identifier, str):
                raise InvalidToken("keys: each key has a `kid`")
            key, others = _key(entry, identifier), found.get(identifier, ())
            if others and not _told_apart((*others, key)):
                raise InvalidToken(f"keys: {identifier!r:.80} is the `kid` of keys that no `alg` tells apart")
            found[identifier] = (*others, key)
        return cls({name: keys for name, keys in found.items() if not any(_is_short(key.key) for key in keys)})

    def find(self, identifier: object, chain: object, at: datetime) -> tuple[Key, ...]:
        """The keys with a `kid`; with roots, that of the certificate chain `x5c`. InvalidToken when there is none."""
        if self.roots:
            return (Key(_chained(chain, self.roots, at), None),)
        keys = self.by_id.get(identifier) if isinstance(identifier, str) else None
        if keys is None:
            raise InvalidToken(f"token: signed with the key {identifier!r:.80}, which is not among the issuer's keys")
        return keys


def _told_apart(keys: Sequence[Key]) -> bool:
    """Whether each says its algorithm, and no other's: Intel lists one key once for each (PS384, RS256)."""
    algorithms = {key.algorithm for key in keys}
    return None not in algorithms and len(algorithms) == len(keys)


def _is_short(key: PublicKey) -> bool:
    return isinstance(key, rsa.RSAPublicKey) and key.key_size < _MIN_RSA_BITS


def _key(entry: Mapping[str, Any], identifier: str) -> Key:
    if entry.get("use", "sig") != "sig":
        raise InvalidToken(f"keys: {identifier!r:.80} is not a key for signatures")
    members = _KEY_MEMBERS.get(str(entry.get("kty")), ())
    algorithm = entry.get("alg")
    if algorithm is not None and not isinstance(algorithm, str):
        raise InvalidToken(f"keys: alg of {identifier!r:.80} is not a text")
    found: list[PublicKey] = []
    if members and all(name in entry for name in members):
        try:
            found.append(jwk.to_public_key({name: entry[name] for name in members}))
        except jwk.JwkError as error:
            raise InvalidToken(f"keys: {identifier!r:.80}: {error}") from None
    if "x5c" in entry:
        found.append(_public_key(_certificates(entry["x5c"])[0]))
    if not found or any(key != found[0] for key in found):
        raise InvalidToken(f"keys: {identifier!r:.80} has no key, or two that differ")
    return Key(found[0], algorithm)


def _chained(value: object, roots: Sequence[Certificate], at: datetime) -> PublicKey:
    """The leaf's key of a chain, leaf first, that ends under a root; the root itself may be its last member."""
    chain = _certificates(value)
    if chain[-1].encoded in {root.encoded for root in roots}:
        chain = chain[:-1]
    if not chain:
        raise InvalidToken("token: x5c has nothing but the root")
    root = next((root for root in roots if is_signed_by(chain[-1], root)), None)
    if root is None:
        raise InvalidToken("token: x5c does not end under a root of the issuer's")
    if not all(is_signed_by(lower, upper) for lower, upper in pairwise(chain)):
        raise InvalidToken("token: x5c is not a chain of certificates, each signed by the next")
    if chain[0].is_authority or any(member.unknown_critical() for member in chain):
        raise InvalidToken("token: x5c begins with a CA's certificate, or has an unknown critical extension")
    for member in (*chain, root):
        if not member.not_before <= at <= member.not_after:
            raise InvalidToken(f"token: {member.common_name!r:.80} of x5c is not valid at this time")
    key = _public_key(chain[0])
    if _is_short(key):
        raise InvalidToken(f"token: the key of x5c has fewer than {_MIN_RSA_BITS} bits")
    return key


def _certificates(value: object) -> list[Certificate]:
    if not isinstance(value, list) or not 1 <= len(value) <= _MAX_CHAIN:
        raise InvalidToken(f"x5c: a list of 1 to {_MAX_CHAIN} certificates is expected")
    try:
        return [Certificate.parse(base64.b64decode(item, validate=True)) for item in value]
    except (TypeError, ValueError, binascii.Error, MalformedEvidence):
        raise InvalidToken("x5c: not certificates in base64") from None


def _public_key(certificate: Certificate) -> PublicKey:
    key = load_key(certificate)
    if not isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        raise InvalidToken("x5c: a key that is neither RSA nor ECDSA")
    return key
