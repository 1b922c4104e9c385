"""Attestation results (RFC 9334): the outcome of an appraisal, claim by claim."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from verifier.appraisal.vector import Component, Tier, tier_of


class Evidence(Protocol):
    """What was appraised, in a form that can be written down."""

    def annotations(self) -> dict[str, str | int]:
        """Field → value, bytes in hex."""


class Claim(NamedTuple):
    """One finding.

    component: the part of the trust vector it counts for. name: stable identifier of the rule, `policy.debug`.
    value: what the evidence says. score: AR4SI value, 0-127. reason: why it has this score, one sentence.
    reference: the reference value or policy entry that it was compared with and that matched, if one did.
    """

    component: Component
    name: str
    value: str
    score: int
    reason: str
    reference: str | None = None

    @property
    def tier(self) -> Tier:
        """The tier of the score."""
        return tier_of(self.score)


@dataclass(frozen=True, slots=True)
class Appraisal:
    """The result for one component of a system (an EAR submodule).

    vector: each component of the AR4SI trust vector that was appraised, with its worst score.
    policy_id: which policy, with its hash. evidence: what was appraised; None when it did not parse.
    """

    status: Tier
    vector: Mapping[Component, int]
    claims: tuple[Claim, ...]
    policy_id: str
    evidence: Evidence | None

    @classmethod
    def of(cls, claims: Iterable[Claim], policy_id: str, evidence: Evidence | None) -> Appraisal:
        """Status and vector from the claims: the worst of each.

        A component with nothing but claims of tier `none` is left out of the vector, and does not count for
        the status: no claim is made about it (AR4SI, 2.3.2).
        """
        found = tuple(claims)
        vector: dict[Component, int] = {}
        for claim in found:
            score = claim.score
            if score > vector.get(claim.component, 1):
                vector[claim.component] = score
        worst = max(vector.values(), default=0)
        return cls(tier_of(worst), vector, found, policy_id, evidence)

    def against(self) -> list[Claim]:
        """The claims that keep the status from affirming, worst first."""
        return sorted((claim for claim in self.claims if claim.tier > Tier.AFFIRMING), key=lambda claim: -claim.score)


@dataclass(frozen=True, slots=True)
class AttestationResult:
    """The result for a whole system. status: the worst of its submodules."""

    status: Tier
    submods: Mapping[str, Appraisal]

    @classmethod
    def of(cls, submods: Mapping[str, Appraisal]) -> AttestationResult:
        """The result with these submodules: `cpu`, later `gpu0`, `vtpm`."""
        return cls(max(appraisal.status for appraisal in submods.values()), submods)
