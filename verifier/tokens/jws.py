"""JSON Web Signatures in compact form (RFC 7515), with the algorithms that issuers of attestation tokens use.

The caller says which algorithms an issuer has; the header only has to agree. `none` and the HMACs do not exist here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from verifier import canonical, jwk
from verifier.errors import InvalidToken
from verifier.jwk import PublicKey

MAX_TOKEN_BYTES: Final = 262_144

_HASHES: Final = {"256": hashes.SHA256(), "384": hashes.SHA384()}
_CURVES: Final = {"256": ec.SECP256R1, "384": ec.SECP384R1}
ALGORITHMS: Final = frozenset({"RS256", "RS384", "PS256", "PS384", "ES256", "ES384"})


@dataclass(frozen=True, slots=True)
class Jws:
    """A signed JSON object before it is verified. signed: what the signature is over."""

    header: Mapping[str, Any]
    claims: Mapping[str, Any]
    signed: bytes
    signature: bytes

    @property
    def algorithm(self) -> object:
        """What the header says."""
        return self.header.get("alg")


def parse(token: str) -> Jws:
    """Read a compact JWS over a JSON object; InvalidToken for anything else."""
    if len(token) > MAX_TOKEN_BYTES:
        raise InvalidToken(f"token: longer than {MAX_TOKEN_BYTES} characters")
    parts = token.split(".")
    if len(parts) != 3:
        raise InvalidToken("token: not a JWT: header.claims.signature in base64url expected")
    try:
        header, claims = (canonical.parse_object(jwk.decode(part)) for part in parts[:2])
        signature = jwk.decode(parts[2])
    except (jwk.JwkError, canonical.JsonError) as error:
        raise InvalidToken(f"token: not a JWT: {error}") from None
    if "crit" in header or header.get("b64", True) is not True:
        raise InvalidToken("token: its header has parameters that must be understood (crit)")
    return Jws(header, claims, f"{parts[0]}.{parts[1]}".encode("ascii"), signature)


def is_signed_by(jws: Jws, key: PublicKey, algorithm: str) -> bool:
    """Whether the header names `algorithm`, the key is one for it, and the signature is the key's."""
    if jws.algorithm != algorithm or algorithm not in ALGORITHMS:
        return False
    family, size = algorithm[:2], algorithm[2:]
    digest = _HASHES[size]
    try:
        if family == "ES":
            if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, _CURVES[size]):
                return False
            half = key.curve.key_size // 8
            if len(jws.signature) != 2 * half:
                return False
            r, s = (int.from_bytes(part, "big") for part in (jws.signature[:half], jws.signature[half:]))
            key.verify(encode_dss_signature(r, s), jws.signed, ec.ECDSA(digest))
            return True
        if not isinstance(key, rsa.RSAPublicKey):
            return False
        scheme = padding.PKCS1v15() if family == "RS" else padding.PSS(padding.MGF1(digest), digest.digest_size)
        key.verify(jws.signature, jws.signed, scheme, digest)
    except InvalidSignature:
        return False
    return True
