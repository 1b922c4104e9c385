"""EAT Attestation Results as CWTs (draft-ietf-rats-ear-04, RFC 8392): the claims of `verifier.ear` under their numbers.

A tagged COSE_Sign1 with the algorithm of the key's curve, and the key's fingerprint as key id. Inside, tiers and the
members of the trust vector are numbers (AR4SI, 2.3; EAR, 3.2), the nonce is bytes; claims of our own keep their names,
as CWT allows. `read` gives the claims back by their JSON names, so that it makes no difference which form a result came
in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec

from verifier import cbor, cose, ear
from verifier.appraisal.result import AttestationResult
from verifier.appraisal.vector import Tier
from verifier.errors import InvalidToken, MalformedEvidence
from verifier.signer import Signer, algorithm_of, fingerprint

MEDIA_TYPE: Final = "application/eat+cwt"
NONCE_BYTES: Final = range(8, 65)
"""Length of eat_nonce in binary form (EAT, RFC 9711, 4.1)."""
CWT_TAG: Final = 61

_KEYS: Final = {
    "exp": 4,
    "nbf": 5,
    "iat": 6,
    "jti": 7,
    "eat_nonce": 10,
    "eat_profile": 265,
    "submods": 266,
    "ear.status": 1000,
    "ear.trustworthiness-vector": 1001,
    "ear.raw-evidence": 1002,
    "ear.appraisal-policy-id": 1003,
    "ear.verifier-id": 1004,
    "ear.veraison.annotated-evidence": -70000,
    "ear.veraison.policy-claims": -70001,
    "ear.veraison.key-attestation": -70002,
}
"""Claim → key: IANA's registry of CWT claims, EAR section 3 and, below zero, Veraison's extensions."""
_VECTOR: Final = {
    name: number
    for number, name in enumerate(
        (
            "instance-identity",
            "configuration",
            "executables",
            "file-system",
            "hardware",
            "runtime-opaque",
            "storage-opaque",
            "sourced-data",
        )
    )
}
_VERIFIER: Final = {"developer": 0, "build": 1}
_STATUS: Final = {str(tier): int(tier) for tier in Tier}


def issue(
    result: AttestationResult,
    *,
    key: Signer,
    verifier_id: ear.VerifierId,
    nonce: bytes | None,
    lifetime: timedelta,
    at: datetime,
    extra: Mapping[str, Any] | None = None,
) -> bytes:
    """Sign `result` as a CWT that is valid from `at` for `lifetime`.

    nonce: `eat_nonce`, 8 to 64 bytes, or None. extra: as `ear.issue` takes it, without floats.
    """
    if nonce is not None and len(nonce) not in NONCE_BYTES:
        raise ValueError(f"eat_nonce has 8 to 64 bytes, not {len(nonce)}")
    named = ear.claims_of(result, verifier_id=verifier_id, nonce=None, lifetime=lifetime, at=at, extra=extra)
    claims = _numbered(named)
    if nonce is not None:
        claims[_KEYS["eat_nonce"]] = nonce
    protected = cbor.encode(
        {
            cose.ALGORITHM: algorithm_of(key.public_key).cose,
            cose.CONTENT_TYPE: MEDIA_TYPE,
            cose.KEY_ID: fingerprint(key.public_key).encode("ascii"),
        }
    )
    payload = cbor.encode(claims)
    signature = key.sign(cose.to_be_signed(protected, payload))
    return cbor.encode(cbor.Tagged(cose.TAG, [protected, {}, payload, signature]))


def read(
    token: bytes, keys: Iterable[ec.EllipticCurvePublicKey], at: datetime, *, lifetime: timedelta | None = None
) -> dict[str, Any]:
    """The claims, by their JSON names, of an EAR that one of `keys` signed and that is valid at `at`.

    keys, lifetime: as `ear.read` takes them. InvalidToken otherwise; what is no name of ours is left out of the claims.
    """
    if len(token) > ear.MAX_TOKEN_BYTES:
        raise InvalidToken(f"token: longer than {ear.MAX_TOKEN_BYTES} bytes")
    try:
        message = cose.parse_sign1(token, frozenset({cose.TAG, CWT_TAG}))
        if not any(message.is_signed_by(key) for key in keys):
            raise InvalidToken("token: not a CWT that a trusted key signed with the algorithm of its curve")
        payload = cbor.decode(message.payload)
    except MalformedEvidence as error:
        raise InvalidToken(f"token: not a CWT: {error.reason}") from None
    if not isinstance(payload, dict):
        raise InvalidToken("token: the payload is not a map of claims")
    claims = _named(payload)
    ear.require_current(claims, at, lifetime)
    return claims


def _numbered(claims: Mapping[str, Any]) -> dict[int | str, Any]:
    """Claims, of the whole or of a submodule, under their numbers."""
    return {_KEYS.get(name, name): _to_cbor(name, value) for name, value in claims.items()}


def _to_cbor(name: str, value: Any) -> Any:
    match name:
        case "submods":
            return {submodule: _numbered(claims) for submodule, claims in value.items()}
        case "ear.status":
            return _STATUS[value]
        case "ear.trustworthiness-vector":
            return {_VECTOR[component]: score for component, score in value.items()}
        case "ear.verifier-id":
            return {_VERIFIER[member]: text for member, text in value.items()}
        case _:
            return value


def _named(claims: Mapping[int | str, Any]) -> dict[str, Any]:
    names = {number: name for name, number in _KEYS.items()}
    found: dict[str, Any] = {}
    for key, value in claims.items():
        name = key if isinstance(key, str) else names.get(key)
        if name is None:
            continue
        if key in _KEYS:
            raise InvalidToken(f"token: {name!r:.60} is not under its number")
        found[name] = _from_cbor(name, value)
    return found


def _from_cbor(name: str, value: Any) -> Any:
    match name:
        case "submods":
            _require_map(name, value)
            return {str(submodule): _named(_require_map(name, claims)) for submodule, claims in value.items()}
        case "ear.status":
            return _known(name, value, {number: text for text, number in _STATUS.items()})
        case "ear.trustworthiness-vector":
            members = {number: component for component, number in _VECTOR.items()}
            return {_known(name, it, members): score for it, score in _require_map(name, value).items()}
        case "ear.verifier-id":
            members = {number: member for member, number in _VERIFIER.items()}
            return {_known(name, it, members): text for it, text in _require_map(name, value).items()}
        case _:
            return value


def _require_map(name: str, value: Any) -> dict[Any, Any]:
    if not isinstance(value, dict):
        raise InvalidToken(f"token: {name} is not a map")
    return value


def _known(name: str, value: object, members: Mapping[int, str]) -> str:
    if isinstance(value, bool) or not isinstance(value, int) or value not in members:
        raise InvalidToken(f"token: {name} has {value!r:.40}, which the profile does not know")
    return members[value]
