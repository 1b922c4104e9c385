"""Appraisal of AWS Nitro attestation documents."""

from verifier.appraisal.nitro.appraise import appraise, rejected

__all__ = ["appraise", "rejected"]
