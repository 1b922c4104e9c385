"""Is this evidence genuine: each kind of hardware by its own rules, and what the broker needs of any."""

from __future__ import annotations

import hmac
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from verifier import aws, azure, nitro, nvidia, snp, tdx
from verifier.broker.aws_evidence import AwsNitroEvidence, AwsSnpEvidence
from verifier.broker.azure_evidence import AzSnpEvidence, AzTdxEvidence
from verifier.broker.protocol import RuntimeData
from verifier.broker.snp_evidence import SnpEvidence
from verifier.broker.tdx_evidence import TdxEvidence
from verifier.tdx import event_log
from verifier.trust import TrustStore

Verified: TypeAlias = (
    snp.VerifiedReport | tdx.VerifiedQuote | azure.VerifiedVm | aws.VerifiedInstance | nitro.VerifiedDocument
)


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
    def machine(self) -> snp.VerifiedReport | tdx.VerifiedQuote | nitro.VerifiedDocument:
        """What vouches for the machine itself: the CPU's report or quote; a Nitro document where it comes alone."""
        verified = self.verified
        return verified.cpu if isinstance(verified, azure.VerifiedVm | aws.VerifiedInstance) else verified

    @property
    def measurement(self) -> str:
        """What was measured at launch, in hex: MEASUREMENT of a report, MRTD of a TD, on Azure the paravisor; of a
        Nitro document alone the PCR of what it booted."""
        match self.machine:
            case snp.VerifiedReport(report=report):
                return report.measurement.hex()
            case tdx.VerifiedQuote(quote=quote):
                return quote.report.mr_td.hex()
            case nitro.VerifiedDocument(document=document):
                return document.booted.hex()

    @property
    def root(self) -> str:
        """Whose root vouches for the machine: the name of the trust anchor."""
        machine = self.machine
        chain = machine.endorsement.chain if isinstance(machine, tdx.VerifiedQuote) else machine.chain
        return chain.anchor.name

    def unbound(self, runtime: RuntimeData) -> str | None:
        """Why this is not evidence of the guest with this nonce and key; None when it is."""
        for problem, found, expected in self._bindings(runtime):
            if not hmac.compare_digest(found, expected):
                return problem
        return None

    def _bindings(self, runtime: RuntimeData) -> Iterator[tuple[str, bytes, bytes]]:
        """By what the guest had nonce and key signed: what is wrong if it did not, what is there, what must be."""
        match self.verified:
            case azure.VerifiedVm(vtpm=vtpm):
                found = b"" if vtpm is None else vtpm.quote.extra_data
                yield _unbound("the vTPM's nonce"), found, runtime.digest()
            case snp.VerifiedReport(report=report):
                yield _unbound("REPORT_DATA"), report.report_data, runtime.report_data()
            case tdx.VerifiedQuote(quote=quote):
                yield _unbound("REPORT_DATA"), quote.report.report_data, runtime.report_data()
            case nitro.VerifiedDocument(document=document):
                yield from _document_bindings(document, runtime)
            case aws.VerifiedInstance(cpu=cpu, document=verified):
                yield _unbound("REPORT_DATA"), cpu.report.report_data, runtime.report_data()
                yield from _document_bindings(verified.document, runtime)

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


def _unbound(field: str) -> str:
    return f"{field} is not the hash of this nonce and key: the evidence is of another session or guest"


def _document_bindings(document: nitro.NitroDocument, runtime: RuntimeData) -> Iterator[tuple[str, bytes, bytes]]:
    yield _unbound("the Nitro document's nonce"), document.nonce or b"", runtime.digest()
    if document.public_key is not None:
        problem = "the Nitro document's public_key is not the guest's: the evidence is of another guest"
        yield problem, document.public_key, runtime.public_key()


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


def verify_aws(
    evidence: AwsSnpEvidence | AwsNitroEvidence, trust: TrustStore, at: datetime, crls: Sequence[bytes]
) -> Genuine:
    """Check a Nitro document, and the SNP report that it names where one comes with it."""
    if isinstance(evidence, AwsSnpEvidence):
        return Genuine(aws.verify(evidence.parsed(), evidence.cpu.endorsements, trust, at, crls=crls))
    return Genuine(nitro.verify(nitro.parse(evidence.document), trust, at))
