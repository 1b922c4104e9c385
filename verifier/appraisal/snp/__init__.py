"""Appraisal of SNP reports, one module per component of the trust vector."""

from verifier.appraisal.snp.appraise import appraise, rejected

__all__ = ["appraise", "rejected"]
