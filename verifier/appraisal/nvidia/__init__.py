"""Appraisal of NVIDIA devices, one module per component of the trust vector and one for what joins devices."""

from verifier.appraisal.nvidia.appraise import appraise, missing, rejected

__all__ = ["appraise", "missing", "rejected"]
