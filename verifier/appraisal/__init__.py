"""Is genuine evidence acceptable: a policy in, a trust vector out, each claim with its reason."""

from verifier.appraisal.policy import AppraisalPolicy, Demand
from verifier.appraisal.result import Appraisal, AttestationResult, Claim
from verifier.appraisal.snp import appraise, rejected
from verifier.appraisal.vector import Component, Tier

__all__ = [
    "Appraisal",
    "AppraisalPolicy",
    "AttestationResult",
    "Claim",
    "Component",
    "Demand",
    "Tier",
    "appraise",
    "rejected",
]
