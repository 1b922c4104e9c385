"""Public keys as JSON Web Keys (RFC 7517, RFC 7518 section 6): a guest's encryption key, and the verifier's own."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, rsa

from verifier import canonical

PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey

CURVES: dict[str, ec.EllipticCurve] = {"P-256": ec.SECP256R1(), "P-384": ec.SECP384R1(), "P-521": ec.SECP521R1()}
_NAMES = {curve.name: name for name, curve in CURVES.items()}
_MEMBERS = {"RSA": {"kty", "n", "e"}, "EC": {"kty", "crv", "x", "y"}}
_MIN_RSA_BITS, _MAX_RSA_BITS = 2048, 8192


class JwkError(ValueError):
    """The JSON object is not a public key that can be used."""


def from_public_key(key: PublicKey) -> dict[str, str]:
    """The JWK of a public key, without optional members."""
    if isinstance(key, rsa.RSAPublicKey):
        numbers = key.public_numbers()
        return {"kty": "RSA", "n": _integer(numbers.n), "e": _integer(numbers.e)}
    point = key.public_numbers()
    size = (key.curve.key_size + 7) // 8
    return {
        "kty": "EC",
        "crv": _NAMES[key.curve.name],
        "x": encode(point.x.to_bytes(size, "big")),
        "y": encode(point.y.to_bytes(size, "big")),
    }


def to_public_key(jwk: Mapping[str, Any]) -> PublicKey:
    """The public key of a JWK; members other than the key's own and `alg` are refused, private ones above all."""
    kty = jwk.get("kty")
    if not isinstance(kty, str) or kty not in _MEMBERS:
        raise JwkError(f"kty is {kty!r:.40}, RSA or EC is expected")
    if set(jwk) - {"alg"} != _MEMBERS[kty] or not all(isinstance(value, str) for value in jwk.values()):
        raise JwkError(f"a public {kty} key has the text members {', '.join(sorted(_MEMBERS[kty]))} and alg, no others")
    return _rsa(jwk) if kty == "RSA" else _elliptic(jwk)


def thumbprint(jwk: Mapping[str, Any]) -> str:
    """RFC 7638 thumbprint: base64url of SHA-256 over the required members in canonical form."""
    members = _MEMBERS[jwk["kty"]]
    return encode(hashlib.sha256(canonical.encode({name: jwk[name] for name in members})).digest())


def encode(data: bytes) -> str:
    """base64url without padding (RFC 7515 section 2)."""
    # The characters that differ from base64's are rare in text: looking for them is quicker than translating all.
    text = binascii.b2a_base64(data, newline=False).rstrip(b"=").decode("ascii")
    return text.replace("+", "-").replace("/", "_")


def decode(text: str) -> bytes:
    """Decode base64url without padding, in its canonical spelling; JwkError otherwise."""
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise JwkError("a member is not base64url") from None
    if encode(data) != text:
        raise JwkError("a member is not canonical base64url without padding")
    return data


def _rsa(jwk: Mapping[str, str]) -> rsa.RSAPublicKey:
    modulus, exponent = (int.from_bytes(decode(jwk[name]), "big") for name in ("n", "e"))
    if not _MIN_RSA_BITS <= modulus.bit_length() <= _MAX_RSA_BITS or exponent.bit_length() > 32:
        raise JwkError(f"an RSA key has {_MIN_RSA_BITS} to {_MAX_RSA_BITS} bits and an exponent of at most 32 bits")
    try:
        return rsa.RSAPublicNumbers(exponent, modulus).public_key()
    except ValueError:
        raise JwkError("n and e do not make an RSA key") from None


def _elliptic(jwk: Mapping[str, str]) -> ec.EllipticCurvePublicKey:
    curve = CURVES.get(jwk["crv"])
    if curve is None:
        raise JwkError(f"crv is {jwk['crv']!r:.40}, one of {', '.join(CURVES)} is expected")
    x, y = decode(jwk["x"]), decode(jwk["y"])
    if not len(x) == len(y) == (curve.key_size + 7) // 8:
        raise JwkError(f"x and y of {jwk['crv']} have {(curve.key_size + 7) // 8} bytes each")
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(curve, b"\x04" + x + y)
    except ValueError:
        raise JwkError(f"x and y are not a point on {jwk['crv']}") from None


def _integer(number: int) -> str:
    return encode(number.to_bytes((number.bit_length() + 7) // 8, "big"))
