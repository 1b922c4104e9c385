"""Is this evidence genuine: the two kinds of hardware, each by its own rules, and what the broker needs of either."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from verifier import snp, tdx
from verifier.broker.snp_evidence import SnpEvidence
from verifier.broker.tdx_evidence import TdxEvidence
from verifier.tdx import event_log
from verifier.trust import TrustStore

_SEPARATORS: Final = 2
"""EV_SEPARATORs of one register: nothing is concluded from where in the log an event is, and some firmware repeats
the separator."""


@dataclass(frozen=True)
class Genuine:
    """Evidence that a vendor's hardware signed. collateral: what a quote was judged with; None for a report."""

    verified: snp.VerifiedReport | tdx.VerifiedQuote
    collateral: tdx.Collateral | None = None

    @property
    def measurement(self) -> str:
        """What the hardware measured at launch, in hex: MEASUREMENT of a report, MRTD of a TD."""
        if isinstance(self.verified, snp.VerifiedReport):
            return self.verified.report.measurement.hex()
        return self.verified.quote.report.mr_td.hex()

    @property
    def report_data(self) -> bytes:
        """The 64 bytes that the guest had signed."""
        if isinstance(self.verified, snp.VerifiedReport):
            return self.verified.report.report_data
        return self.verified.quote.report.report_data

    @property
    def root(self) -> str:
        """Whose root vouches for the evidence: the name of the trust anchor."""
        if isinstance(self.verified, snp.VerifiedReport):
            return self.verified.chain.anchor.name
        return self.verified.endorsement.chain.anchor.name


def verify_snp(evidence: SnpEvidence, trust: TrustStore, at: datetime, crls: Sequence[bytes]) -> Genuine:
    """Check an SNP report with the certificates that came with it; MalformedEvidence or VerificationFailed."""
    return Genuine(snp.verify(snp.parse(evidence.report), evidence.endorsements, trust, at, crls=crls))


def verify_tdx(evidence: TdxEvidence, trust: TrustStore, at: datetime, source: tdx.CollateralSource) -> Genuine:
    """Check a TDX quote with the verifier's collateral for its platform, and that the event log is the quote's."""
    quote = tdx.parse(evidence.quote)
    collateral = source.find(quote)
    verified = tdx.verify(quote, collateral, trust, at)
    if evidence.log is not None:
        event_log.verify(event_log.parse(evidence.log), quote.report, separators=_SEPARATORS)
    return Genuine(verified, collateral)
