"""Appraisal of attestation tokens that others issued."""

from verifier.appraisal.tokens.appraise import appraise, rejected

__all__ = ["appraise", "rejected"]
