"""Appraisal of TDX quotes, one module per component of the trust vector."""

from verifier.appraisal.tdx.appraise import appraise

__all__ = ["appraise"]
