"""The session of the KBS handshake, without server-side state: the session cookie carries it, signed.

Before attestation the cookie holds the challenge; after it, the digest of the result token, which is in the archive
that all replicas share (the token itself, at some 8 KiB, is larger than cookies may be). The signature's input begins
with a label and a zero byte, so that no cookie can pass for another kind, nor for a token of the same key.
"""

from __future__ import annotations

import secrets
from base64 import b64encode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from verifier import canonical, jwk
from verifier.broker.problem import Kind, Refusal
from verifier.signer import Signer, algorithm_of, verifies

COOKIE = "kbs-session-id"
LIFETIME = timedelta(minutes=5)
_NONCE_BYTES = 32
_CHALLENGE = b"bailiwick kbs challenge v1\x00"
_ATTESTED = b"bailiwick kbs attested session v1\x00"
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
    value = {"nonce": nonce, "tee": tee, "exp": int(expires.timestamp())}
    return Challenge(nonce, tee, expires), _seal(_CHALLENGE, value, signer)


def read(cookie: str | None, now: datetime, signer: Signer) -> Challenge:
    """The challenge in a cookie; a Refusal when it is missing, not ours, or out of time."""
    if cookie is None:
        raise Refusal(Kind.ATTESTATION, "session.missing", f"no {COOKIE} cookie: POST /kbs/v0/auth first")
    value = _open(_CHALLENGE, cookie, signer)
    if value is None:
        raise Refusal(Kind.ATTESTATION, "session.signature", f"the {COOKIE} cookie is not a challenge of this verifier")
    challenge = Challenge(value["nonce"], value["tee"], datetime.fromtimestamp(value["exp"], UTC))
    if now >= challenge.expires:
        expired = f"the nonce expired at {challenge.expires:%H:%M:%S} UTC: ask for a new one"
        raise Refusal(Kind.ATTESTATION, "nonce.expired", expired)
    return challenge


def remember(result_digest: str, signer: Signer) -> str:
    """The cookie value of an attested session. It has no time of its own: the result token that it names has."""
    return _seal(_ATTESTED, {"result": result_digest}, signer)


def recall(cookie: str | None, signer: Signer) -> str | None:
    """The digest of the result token of an attested session; None when the cookie is absent or something else."""
    value = _open(_ATTESTED, cookie, signer) if cookie else None
    return None if value is None else str(value["result"])


def _seal(label: bytes, value: dict[str, Any], signer: Signer) -> str:
    payload = canonical.encode(value)
    return f"{jwk.encode(payload)}.{jwk.encode(signer.sign(label + payload))}"


def _open(label: bytes, cookie: str, signer: Signer) -> dict[str, Any] | None:
    payload_text, _, signature_text = cookie.partition(".")
    try:
        payload, signature = jwk.decode(payload_text), jwk.decode(signature_text)
    except jwk.JwkError:
        return None
    key = signer.public_key
    if len(cookie) > _MAX_COOKIE_CHARACTERS or not verifies(key, label + payload, signature, algorithm_of(key)):
        return None
    return canonical.parse_object(payload)
