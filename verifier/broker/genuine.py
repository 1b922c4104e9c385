"""Is this evidence genuine: each kind of hardware by its own rules, and what the broker needs of any."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from verifier import azure, nvidia, snp, tdx
from verifier.broker.azure_evidence import AzSnpEvidence, AzTdxEvidence
from verifier.broker.protocol import RuntimeData
from verifier.broker.snp_evidence import SnpEvidence
from verifier.broker.tdx_evidence import TdxEvidence
from verifier.tdx import event_log
from verifier.trust import TrustStore

Verified: TypeAlias = snp.VerifiedReport | tdx.VerifiedQuote | azure.VerifiedVm


@dataclass(frozen=True)
class Genuine:
    """Evidence that a vendor's hardware signed.

    collateral: what a quote was judged with; None for a report. events: how many of a TD's event log its quote attests;
    None without a log. devices: verified reports of the guest's devices; device_collateral: what they were judged with.
    """

    verified: Verified
    collateral: tdx.Collateral | None = None
    events: int | None = None
    devices: tuple[nvidia.VerifiedDevice, ...] = ()
    device_collateral: nvidia.Collateral | None = None

    @property
    def cpu(self) -> snp.VerifiedReport | tdx.VerifiedQuote:
        """What the CPU says."""
        return self.verified.cpu if isinstance(self.verified, azure.VerifiedVm) else self.verified

    @property
    def measurement(self) -> str:
        """What the CPU measured at launch, in hex: MEASUREMENT of a report, MRTD of a TD; on Azure the paravisor."""
        cpu = self.cpu
        if isinstance(cpu, snp.VerifiedReport):
            return cpu.report.measurement.hex()
        return cpu.quote.report.mr_td.hex()

    @property
    def root(self) -> str:
        """Whose root vouches for the CPU's evidence: the name of the trust anchor."""
        cpu = self.cpu
        return cpu.chain.anchor.name if isinstance(cpu, snp.VerifiedReport) else cpu.endorsement.chain.anchor.name

    @property
    def bound_by(self) -> str:
        """The field by which the guest binds the evidence, as its vendor calls it."""
        return "the vTPM's nonce" if isinstance(self.verified, azure.VerifiedVm) else "REPORT_DATA"

    def is_bound_to(self, runtime: RuntimeData) -> bool:
        """Whether the guest had this nonce and this key signed: in REPORT_DATA, or in its vTPM's quote."""
        if isinstance(self.verified, azure.VerifiedVm):
            vtpm = self.verified.vtpm
            return vtpm is not None and hmac.compare_digest(vtpm.quote.extra_data, runtime.digest())
        if isinstance(self.verified, snp.VerifiedReport):
            found = self.verified.report.report_data
        else:
            found = self.verified.quote.report.report_data
        return hmac.compare_digest(found, runtime.report_data())

    def device_collateral_members(self) -> dict[str, Any] | None:
        """What the devices were judged with, as JSON members; None without devices."""
        if self.device_collateral is None:
            return None
        rim_ids = {name for it in self.devices for name in it.rim_ids.values()}
        chains = [
            chain for it in self.devices for chain in (it.device.chain, *(rim.signers for rim in it.rims.values()))
        ]
        serials = {member.certificate.serial_number for chain in chains for member in chain.members}
        return self.device_collateral.members(rim_ids, serials)


def verify_snp(evidence: SnpEvidence, trust: TrustStore, at: datetime, crls: Sequence[bytes]) -> Genuine:
    """Check an SNP report with the certificates that came with it; MalformedEvidence or VerificationFailed."""
    return Genuine(snp.verify(snp.parse(evidence.report), evidence.endorsements, trust, at, crls=crls))


def verify_tdx(evidence: TdxEvidence, trust: TrustStore, at: datetime, source: tdx.CollateralSource) -> Genuine:
    """Check a TDX quote with the verifier's collateral for its platform, and that the event log is the quote's."""
    quote = tdx.parse(evidence.quote)
    collateral = source.find(quote)
    verified = tdx.verify(quote, collateral, trust, at)
    events = None
    if evidence.log is not None:
        events = event_log.attested_events(event_log.parse(evidence.log), quote.report)
    return Genuine(verified, collateral, events)


def verify_azure(
    evidence: AzSnpEvidence | AzTdxEvidence,
    trust: TrustStore,
    at: datetime,
    crls: Sequence[bytes],
    source: tdx.CollateralSource,
) -> Genuine:
    """Check what the vTPM of an Azure VM says, down to the CPU that vouches for it."""
    parsed = evidence.parsed()
    if isinstance(evidence, AzSnpEvidence):
        return Genuine(azure.verify(parsed, evidence.endorsements, trust, at, crls=crls))
    collateral = source.find(tdx.parse(evidence.td_quote))
    return Genuine(azure.verify(parsed, collateral, trust, at), collateral)
