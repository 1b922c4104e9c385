"""EAT Attestation Results (draft-ietf-rats-ear-04) as JWTs, profile `tag:github.com,2023:veraison/ear`.

The algorithm is that of the signing key's curve, ES256 for our own results: it is not taken from the token. The key
may live in an HSM, so the compact serialisation (RFC 7515, 3.1) is put together here around `Signer.sign`; reading goes
through joserfc.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec
from pydantic_core import to_json

from verifier import canonical, jwk
from verifier.appraisal.result import Appraisal, AttestationResult, Claim
from verifier.errors import InvalidToken
from verifier.signer import Signer, algorithm_of, fingerprint, public_key_pem

PROFILE: Final = "tag:github.com,2023:veraison/ear"
MEDIA_TYPE: Final = "application/eat+jwt"
MAX_TOKEN_BYTES: Final = 262_144
NONCE_CHARACTERS: Final = range(8, 89)
"""Length of eat_nonce in text form (EAT, RFC 9711, 4.1)."""

_RESERVED: Final = frozenset(
    {"eat_profile", "iat", "nbf", "exp", "ear.verifier-id", "ear.status", "eat_nonce", "submods"}
)


@dataclass(frozen=True, slots=True)
class VerifierId:
    """Who appraised: `ear.verifier-id`. developer: who made the software; build: name and version of it."""

    developer: str
    build: str


def issue(
    result: AttestationResult,
    *,
    key: Signer,
    verifier_id: VerifierId,
    nonce: str | None,
    lifetime: timedelta,
    at: datetime,
    extra: Mapping[str, Any] | None = None,
) -> str:
    """Sign `result` as a JWT that is valid from `at` for `lifetime`.

    nonce: `eat_nonce`, 8 to 88 characters, or None. extra: further top-level claims; it may not replace ours.
    """
    claims = claims_of(result, verifier_id=verifier_id, nonce=nonce, lifetime=lifetime, at=at, extra=extra)
    return TokenSigner(key).sign(to_json(claims))


class TokenSigner:
    """Signs results with one key, whose header is the same in all of them."""

    def __init__(self, key: Signer) -> None:
        header = {"alg": algorithm_of(key.public_key).name, "typ": MEDIA_TYPE, "kid": fingerprint(key.public_key)}
        self._key = key
        self._header = jwk.encode(to_json(header))

    def sign(self, claims: bytes) -> str:
        """The JWT of claims that `claims_of` gives, in JSON."""
        signing_input = f"{self._header}.{jwk.encode(claims)}"
        return f"{signing_input}.{jwk.encode(self._key.sign(signing_input.encode('ascii')))}"


def claims_of(
    result: AttestationResult,
    *,
    verifier_id: VerifierId,
    nonce: str | None,
    lifetime: timedelta,
    at: datetime,
    extra: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """The claims of an EAR by their JSON names, as `issue` takes its arguments."""
    if at.tzinfo is None:
        raise ValueError("the time of issue must have a time zone")
    if nonce is not None and len(nonce) not in NONCE_CHARACTERS:
        raise ValueError(f"eat_nonce has 8 to 88 characters, not {len(nonce)}")
    taken = _RESERVED.intersection(extra or ())
    if taken:
        raise ValueError(f"extra may not replace {', '.join(sorted(taken))}")
    issued = int(at.timestamp())
    claims: dict[str, Any] = {
        **(extra or {}),
        "eat_profile": PROFILE,
        "iat": issued,
        "nbf": issued,
        "exp": issued + int(lifetime.total_seconds()),
        "ear.verifier-id": {"developer": verifier_id.developer, "build": verifier_id.build},
        "ear.status": str(result.status),
        "submods": {name: submodule(appraisal) for name, appraisal in result.submods.items()},
    }
    return claims if nonce is None else claims | {"eat_nonce": nonce}


def read(
    token: str, keys: Iterable[ec.EllipticCurvePublicKey], at: datetime, *, lifetime: timedelta | None = None
) -> dict[str, Any]:
    """The claims of an EAR that one of `keys` signed and that is valid at `at`; InvalidToken otherwise.

    keys: on P-256, which signs with ES256 and nothing else, or on P-384 likewise with ES384; others sign no results.
    lifetime: how long a result counts that does not say it, as the profile allows; None: it must say it.
    """
    if len(token) > MAX_TOKEN_BYTES:
        raise InvalidToken(f"token: longer than {MAX_TOKEN_BYTES} bytes")
    payload = _verified_payload(token, keys)
    try:
        claims = canonical.parse_object(payload)
    except canonical.JsonError as error:
        raise InvalidToken(f"token: the payload is {error}") from None
    require_current(claims, at, lifetime)
    return claims


def require_current(claims: Mapping[str, Any], at: datetime, lifetime: timedelta | None) -> None:
    """InvalidToken unless claims are those of an EAR (draft-ietf-rats-ear, section 3) that is valid at `at`."""
    if at.tzinfo is None:
        raise ValueError("the time of reading must have a time zone")
    if claims.get("eat_profile") != PROFILE:
        raise InvalidToken(f"token: eat_profile is {claims.get('eat_profile')!r:.80}, {PROFILE} expected")
    now, issued = at.timestamp(), _number(claims, "iat")
    if now < (_number(claims, "nbf") if "nbf" in claims else issued):
        raise InvalidToken("token: not valid yet (nbf, iat)")
    given = "exp" in claims or lifetime is None
    if now >= (_number(claims, "exp") if given else issued + (lifetime or timedelta()).total_seconds()):
        raise InvalidToken("token: expired (exp)")
    submods = claims.get("submods")
    if not isinstance(submods, dict) or not submods:
        raise InvalidToken("token: no submods, so nothing was appraised")


def submodule(appraisal: Appraisal) -> dict[str, Any]:
    """One entry of `submods`: status, trust vector, policy, the evidence and the claims in full."""
    entry: dict[str, Any] = {
        "ear.status": str(appraisal.status),
        "ear.trustworthiness-vector": {str(name): score for name, score in appraisal.vector.items()},
        "ear.appraisal-policy-id": appraisal.policy_id,
        "ear.veraison.policy-claims": {claim.name: claim_members(claim) for claim in appraisal.claims},
    }
    if appraisal.evidence is not None:
        entry["ear.veraison.annotated-evidence"] = appraisal.evidence.annotations()
    return entry


def claim_members(claim: Claim) -> dict[str, Any]:
    """A claim as JSON members; `reference` only when something matched."""
    members: dict[str, Any] = {
        "component": str(claim.component),
        "value": claim.value,
        "tier": str(claim.tier),
        "score": claim.score,
        "reason": claim.reason,
    }
    if claim.reference is not None:
        members["reference"] = claim.reference
    return members


def _verified_payload(token: str, keys: Iterable[ec.EllipticCurvePublicKey]) -> bytes:
    # Imported here: whoever only issues results, or verifies evidence on the command line, should start fast.
    from joserfc import jws
    from joserfc.errors import JoseError
    from joserfc.jwk import ECKey

    for key in keys:
        try:
            algorithm, jwk = algorithm_of(key).name, ECKey.import_key(public_key_pem(key))
            verified = jws.deserialize_compact(token, jwk, algorithms=[algorithm])
        except (JoseError, ValueError):
            continue
        if verified.protected.get("alg") == algorithm:
            return verified.payload
    raise InvalidToken("token: not a JWT that a trusted key signed with the algorithm of its curve")


def _number(claims: Mapping[str, Any], name: str) -> int:
    value = claims.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise InvalidToken(f"token: {name} is missing or not a number")
    return value
