"""The evidence bundle: one signed file with which an auditor checks the whole chain offline."""

from verifier.evidence.bundle import Attested, BundleInputs, build, collect, to_bytes
from verifier.evidence.outcome import Check, Verification
from verifier.evidence.page import render_html, render_svg
from verifier.evidence.verification import verify

__all__ = [
    "Attested",
    "BundleInputs",
    "Check",
    "Verification",
    "build",
    "collect",
    "render_html",
    "render_svg",
    "to_bytes",
    "verify",
]
