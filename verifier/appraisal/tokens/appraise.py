"""From a verified token to an attestation result: `cpu`, or one submodule for each of NVIDIA's devices."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from verifier.appraisal.freshness import unasked
from verifier.appraisal.policy import AppraisalPolicy
from verifier.appraisal.rejection import rejection
from verifier.appraisal.result import Appraisal, AttestationResult, Claim, Evidence
from verifier.appraisal.tokens import issuers
from verifier.appraisal.tokens.stated import judged, member, spells
from verifier.appraisal.vector import Component, Value
from verifier.errors import VerificationFailed
from verifier.tokens.issuers import Kind
from verifier.tokens.token import VerifiedToken

CPU: Final = "cpu"
REJECTED: Final = "issuer"
"""Submodule of a token that is not genuine."""

_MAPPED: Final[dict[Kind, Callable[[Mapping[str, Any], AppraisalPolicy], Iterator[Claim]]]] = {
    "azure": issuers.azure,
    "confidential-space": issuers.confidential_space,
    "intel": issuers.intel,
    "nvidia": issuers.nvidia,
}
_NONCES: Final[dict[Kind, tuple[tuple[str, ...], ...]]] = {
    "azure": (("x-ms-runtime", "client-payload", "nonce"), ("nonce",)),
    "confidential-space": (("eat_nonce",),),
    "intel": (("tdx", "attester_held_data"), ("attester_held_data",), ("eat_nonce",)),
    "nvidia": (("eat_nonce",),),
}
"""Where each issuer's tokens have the caller's nonce."""


def appraise(verified: VerifiedToken, policy: AppraisalPolicy, *, nonce: bytes | None) -> AttestationResult:
    """Hold what a listed issuer says against `policy`. nonce: what it was asked with, or None."""
    about = [_asserted(verified, policy), *_audience(verified, policy)]
    mapped = _MAPPED[verified.issuer.kind]
    parts = {name.lower(): part.claims for name, part in verified.token.parts.items()} or {CPU: verified.claims}
    if verified.token.parts:
        overall = verified.claims.get("x-nvidia-overall-att-result")
        about.append(
            judged(Component.HARDWARE, "overall", overall, holds=overall is True, demanded="an overall result of true")
        )
        about.append(_freshness(verified, verified.claims, policy, nonce))
    return AttestationResult.of(
        {
            name: Appraisal.of(
                [*about, _freshness(verified, claims, policy, nonce), *mapped(claims, policy)],
                policy.identifier,
                verified,
            )
            for name, claims in parts.items()
        }
    )


def rejected(failure: VerificationFailed, policy: AppraisalPolicy, evidence: Evidence) -> AttestationResult:
    """The result for a token that is not genuine: contraindicated, the failed check its one claim."""
    return rejection(failure, policy, REJECTED, evidence)


def _asserted(verified: VerifiedToken, policy: AppraisalPolicy) -> Claim:
    """Whose word it is: nobody's counts that the policy does not name."""
    issuer, name = verified.issuer, "asserted-by"
    countries = policy.tokens.operator_countries
    if issuer.name not in policy.tokens.issuers:
        reason = f"{verified.asserted_by}; the policy does not take its word"
    elif countries is not None and issuer.operator_country not in countries:
        reason = f"{verified.asserted_by}; the policy takes the word of operators under the law of {_listed(countries)}"
    else:
        reason = f"{verified.asserted_by}; the policy takes its word"
        return Claim(Component.INSTANCE_IDENTITY, name, issuer.name, Value.TRUSTWORTHY_INSTANCE, reason, issuer.name)
    return Claim(Component.INSTANCE_IDENTITY, name, issuer.name, Value.UNRECOGNIZED_INSTANCE, reason)


def _audience(verified: VerifiedToken, policy: AppraisalPolicy) -> Iterator[Claim]:
    accepted = policy.tokens.audiences
    if accepted is None:
        return
    found = verified.claims.get("aud")
    values = found if isinstance(found, list) else [found]
    holds = any(isinstance(value, str) and value in accepted for value in values)
    demanded = f"a token for {_listed(accepted)}"
    yield judged(Component.INSTANCE_IDENTITY, "audience", found, holds=holds, demanded=demanded)


def _freshness(
    verified: VerifiedToken, claims: Mapping[str, Any], policy: AppraisalPolicy, nonce: bytes | None
) -> Claim:
    if nonce is None:
        return unasked("", policy)
    found = [member(claims, *path) for path in _NONCES[verified.issuer.kind]]
    holds = bool(nonce) and any(spells(value, nonce) for value in found)
    value = next((value for value in found if value is not None), None)
    return judged(Component.INSTANCE_IDENTITY, "nonce", value, holds=holds, demanded=f"the nonce {nonce.hex()}")


def _listed(values: frozenset[str]) -> str:
    return ", ".join(sorted(values)) or "nobody"
