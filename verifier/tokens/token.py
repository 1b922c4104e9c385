"""A token of a listed issuer: parse (text → claims, not yet believed), and verify (does the issuer say so, and now?).

A token is one JWT, or NVIDIA's detached bundle: [["JWT", overall], {name: JWT, …}], in which `submods` of the overall
claims has the SHA-256 of each device's JWT (EAT, RFC 9711, 4.2.18.2).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from verifier import canonical
from verifier.errors import InvalidToken, VerificationFailed
from verifier.tokens import jws
from verifier.tokens.issuers import Issuer
from verifier.tokens.jws import Jws
from verifier.tokens.keys import KeySet

MAX_DEVICES: Final = 64
_JWT_START: Final = b"eyJ"


@dataclass(frozen=True, slots=True)
class Token:
    """What somebody says. parts: name → JWT of each device of a bundle; digests: SHA-256 of each, hex."""

    main: Jws
    parts: Mapping[str, Jws]
    digests: Mapping[str, str]

    def annotations(self) -> dict[str, str | int]:
        """Who says it, for results about tokens that are not genuine."""
        return {"issuer": f"{self.main.claims.get('iss')!s:.200}"}


@dataclass(frozen=True, slots=True)
class VerifiedToken:
    """What a listed issuer says, at a time at which it stands by it."""

    token: Token
    issuer: Issuer
    at: datetime

    @property
    def claims(self) -> Mapping[str, Any]:
        """The claims of the token, of a bundle the overall ones."""
        return self.token.main.claims

    @property
    def asserted_by(self) -> str:
        """Whose word it is, in one line."""
        return f"asserted by a third party: {self.issuer.operator}, {self.issuer.jurisdiction}"

    def annotations(self) -> dict[str, str | int]:
        """Issuer, jurisdiction and the token's identifier, for results and receipts."""
        found: dict[str, str | int] = {"issuer": self.issuer.issuer, "jurisdiction": self.issuer.jurisdiction}
        identifier = self.claims.get("jti")
        return found | ({"jti": identifier} if isinstance(identifier, str) else {})


def is_token(data: bytes) -> bool:
    """Whether bytes start like a JWT, or a bundle of them."""
    stripped = data.lstrip()
    return stripped.startswith(_JWT_START) or stripped[:64].replace(b" ", b"").replace(b"\n", b"").startswith(
        b'[["JWT"'
    )


def parse(data: bytes) -> Token:
    """Read a token; InvalidToken for anything else."""
    try:
        text = data.strip().decode("ascii")
    except UnicodeDecodeError:
        raise InvalidToken("token: not text in ASCII") from None
    if not text.startswith("["):
        return Token(jws.parse(text), {}, {})
    if len(text) > jws.MAX_TOKEN_BYTES:
        raise InvalidToken(f"token: longer than {jws.MAX_TOKEN_BYTES} characters")
    try:
        bundle = canonical.parse(text)
    except canonical.JsonError as error:
        raise InvalidToken(f"token: {error}") from None
    match bundle:
        case [["JWT", str() as overall], dict() as devices] if 0 < len(devices) <= MAX_DEVICES:
            pass
        case _:
            raise InvalidToken('token: a bundle is [["JWT", overall], {name: JWT, …}]')
    if not all(isinstance(device, str) for device in devices.values()):
        raise InvalidToken("token: each device of a bundle has a JWT")
    digests = {name: hashlib.sha256(device.encode()).hexdigest() for name, device in devices.items()}
    return Token(jws.parse(overall), {name: jws.parse(device) for name, device in devices.items()}, digests)


def verify(token: Token, issuer: Issuer, keys: KeySet, at: datetime) -> VerifiedToken:
    """Check a token at the time `at`; VerificationFailed names the first check that does not hold.

    keys: the issuer's, from a file. at: aware; there is no default.
    """
    if bool(token.parts) is not (issuer.kind == "nvidia"):
        form = "bundles of an overall token with one for each device" if issuer.kind == "nvidia" else "single tokens"
        raise VerificationFailed("token.form", f"{issuer.operator} issues {form}")
    for one in (token.main, *token.parts.values()):
        _verify(one, issuer, keys, at)
    if token.parts:
        _require_digests(token)
    return VerifiedToken(token, issuer, at)


def _verify(one: Jws, issuer: Issuer, keys: KeySet, at: datetime) -> None:
    claims = one.claims
    if one.algorithm not in issuer.algorithms:
        raise VerificationFailed(
            "token.algorithm", f"alg is {one.algorithm!r:.40}, {issuer.name} signs with {', '.join(issuer.algorithms)}"
        )
    if claims.get("iss") not in (issuer.issuer, *issuer.former):
        raise VerificationFailed("token.issuer", f"iss is {claims.get('iss')!r:.120}, {issuer.issuer} expected")
    if one.header.get("jku", issuer.keys) != issuer.keys:
        raise VerificationFailed("token.jku", f"jku is {one.header['jku']!r:.120}, the issuer's is {issuer.keys}")
    try:
        found = keys.find(one.header.get("kid"), one.header.get("x5c"), at)
    except InvalidToken as error:
        raise VerificationFailed("token.key", str(error)) from None
    key = next((key for key in found if key.algorithm in {None, one.algorithm}), None)
    if key is None:
        listed = ", ".join(str(key.algorithm) for key in found)
        raise VerificationFailed("token.algorithm", f"the key is for {listed}, alg is {one.algorithm}")
    if not jws.is_signed_by(one, key.key, str(one.algorithm)):
        raise VerificationFailed("token.signature", "the issuer's key did not sign this token")
    now = at.timestamp()
    if now >= _time(claims, "exp"):
        raise VerificationFailed("token.expired", "exp has passed")
    for name in ("nbf", "iat"):
        if name in claims and now < _time(claims, name):
            raise VerificationFailed("token.not-yet-valid", f"{name} has not come")
    if "iat" not in claims and "nbf" not in claims:
        raise VerificationFailed("token.not-yet-valid", "neither iat nor nbf says since when it is valid")


def _require_digests(token: Token) -> None:
    expected = {name: ["DIGEST", ["SHA-256", digest]] for name, digest in token.digests.items()}
    if token.main.claims.get("submods") != expected:
        raise VerificationFailed("token.submods", "the overall claims are not about exactly these devices' tokens")


def _time(claims: Mapping[str, Any], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise VerificationFailed("token.times", f"{name} is missing or not a number")
    return value
