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
GPU: Final = "gpu0"
REJECTED: Final = "issuer"
"""Submodule of a token that is not genuine."""

_Claims = Mapping[str, Any]
_Mapped = Callable[[_Claims, AppraisalPolicy], Iterator[Claim]]

_MAPPED: Final[dict[Kind, _Mapped]] = {
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
    if verified.token.parts:
        overall = verified.claims.get("x-nvidia-overall-att-result")
        about.append(
            judged(Component.HARDWARE, "overall", overall, holds=overall is True, demanded="an overall result of true")
        )
        about.append(_freshness(verified, verified.claims, policy, nonce))
    return AttestationResult.of(
        {
            name: Appraisal.of(
                [*about, _freshness(verified, whose, policy, nonce), *mapped(claims, policy)],
                policy.identifier,
                verified,
            )
            for name, claims, whose, mapped in _submods(verified)
        }
    )


def _submods(verified: VerifiedToken) -> Iterator[tuple[str, _Claims, _Claims, _Mapped]]:
    """Each part's name and claims, the claims that have its nonce, and how they are read.

    A composite token of Intel's has NVIDIA's word on a GPU in it, as an older version of its claims puts it: the checks
    in an object of their own. It was asked with a nonce that Intel made.
    """
    kind, whole = verified.issuer.kind, verified.claims
    for name, part in verified.token.parts.items():
        yield name.lower(), part.claims, part.claims, _MAPPED[kind]
    if not verified.token.parts:
        yield CPU, whole, whole, _MAPPED[kind]
    if kind == "intel" and "nvgpu" in whole:
        device = whole["nvgpu"] if isinstance(whole["nvgpu"], Mapping) else {}
        checks = member(device, "x-nvidia-attestation-detailed-result")
        yield GPU, {**device, **(checks if isinstance(checks, Mapping) else {})}, whole, issuers.nvidia


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


def _freshness(verified: VerifiedToken, claims: _Claims, policy: AppraisalPolicy, nonce: bytes | None) -> Claim:
    if nonce is None:
        return unasked("", policy)
    found = [member(claims, *path) for path in _NONCES[verified.issuer.kind]]
    holds = bool(nonce) and any(spells(value, nonce) for value in found)
    value = next((value for value in found if value is not None), None)
    return judged(Component.INSTANCE_IDENTITY, "nonce", value, holds=holds, demanded=f"the nonce {nonce.hex()}")


def _listed(values: frozenset[str]) -> str:
    return ", ".join(sorted(values)) or "nobody"
