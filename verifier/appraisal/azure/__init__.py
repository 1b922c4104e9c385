"""Appraisal of the verified evidence of Azure confidential VMs."""

from verifier.appraisal.azure.appraise import VTPM, appraise, rejected

__all__ = ["VTPM", "appraise", "rejected"]
