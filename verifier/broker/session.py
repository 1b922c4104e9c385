"""The challenge of the KBS handshake, without server-side state: the session cookie carries it, signed.

Any replica that shares the signing key accepts it. The signature's input begins with a label and a zero byte, so that
no cookie can pass for a token of the same key (a JWS signing input has no zero byte), nor the reverse.
"""

from __future__ import annotations

import secrets
from base64 import b64encode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from verifier import canonical, jwk
from verifier.broker.problem import Kind, Refusal
from verifier.signer import Signer, verifies

COOKIE = "kbs-session-id"
LIFETIME = timedelta(minutes=5)
_NONCE_BYTES = 32
_LABEL = b"bailiwick kbs challenge v1\x00"
_MAX_COOKIE_CHARACTERS = 2048


@dataclass(frozen=True)
class Challenge:
    """What the guest must answer: a nonce (base64 of 32 random bytes), for one TEE, until a time."""

    nonce: str
    tee: str
    expires: datetime


def issue(tee: str, now: datetime, signer: Signer) -> tuple[Challenge, str]:
    """A new challenge and the cookie value that carries it."""
    nonce = b64encode(secrets.token_bytes(_NONCE_BYTES)).decode("ascii")
    expires = datetime.fromtimestamp(int((now + LIFETIME).timestamp()), UTC)
    payload = canonical.encode({"nonce": nonce, "tee": tee, "exp": int(expires.timestamp())})
    return Challenge(nonce, tee, expires), f"{jwk.encode(payload)}.{jwk.encode(signer.sign(_LABEL + payload))}"


def read(cookie: str | None, now: datetime, signer: Signer) -> Challenge:
    """The challenge in a cookie; a Refusal when it is missing, not ours, or out of time."""
    if cookie is None:
        raise Refusal(Kind.ATTESTATION, "session.missing", f"no {COOKIE} cookie: POST /kbs/v0/auth first")
    payload_text, _, signature_text = cookie.partition(".")
    try:
        payload, signature = jwk.decode(payload_text), jwk.decode(signature_text)
    except jwk.JwkError:
        payload, signature = b"", b""
    if len(cookie) > _MAX_COOKIE_CHARACTERS or not verifies(signer.public_key, _LABEL + payload, signature):
        raise Refusal(Kind.ATTESTATION, "session.signature", f"the {COOKIE} cookie is not a challenge of this verifier")
    value = canonical.parse_object(payload)
    challenge = Challenge(value["nonce"], value["tee"], datetime.fromtimestamp(value["exp"], UTC))
    if now >= challenge.expires:
        raise Refusal(
            Kind.ATTESTATION,
            "nonce.expired",
            f"the nonce expired at {challenge.expires:%H:%M:%S} UTC: ask for a new one",
        )
    return challenge
