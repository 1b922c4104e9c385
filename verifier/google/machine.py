"""A confidential VM of Google's: its processor's report and its vTPM, in one message of go-tpm-tools.

Asked with a nonce, go-tpm-tools has the vTPM quote it and puts it, with zeros to 64 bytes, into REPORT_DATA of the
processor's report (google/go-tpm-tools, client/attest.go). Neither signs anything else about the other.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from verifier import snp, tdx
from verifier.errors import VerificationFailed
from verifier.google import vtpm
from verifier.tpm import VtpmAttestation
from verifier.trust import TrustStore

CHECKS: Final = "vtpm."
"""What the checks of the vTPM are called after, beside those of the report."""


@dataclass(frozen=True, slots=True)
class VerifiedMachine:
    """Genuine evidence of both. cpu: by the processor's vendor. vtpm: by Google."""

    cpu: snp.VerifiedReport | tdx.VerifiedQuote
    vtpm: vtpm.VerifiedVtpm

    @property
    def report_data(self) -> bytes:
        """REPORT_DATA or REPORTDATA, 64 bytes."""
        report = self.cpu.report if isinstance(self.cpu, snp.VerifiedReport) else self.cpu.quote.report
        return report.report_data

    @property
    def is_bound(self) -> bool:
        """Whether report and quote answered the same nonce, which is one: not empty, and not of zeros."""
        nonce = self.vtpm.quoted.quote.extra_data
        return any(nonce) and hmac.compare_digest(self.report_data, nonce.ljust(len(self.report_data), b"\0"))


def verify_vtpm(attestation: VtpmAttestation, trust: TrustStore, at: datetime) -> vtpm.VerifiedVtpm:
    """As `vtpm.verify`, with `vtpm.` before the name of a check that does not hold."""
    try:
        return vtpm.verify(attestation, trust, at)
    except VerificationFailed as failure:
        raise VerificationFailed(f"{CHECKS}{failure.check}", failure.reason) from None
