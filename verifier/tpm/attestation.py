"""What a guest's agent sends of its vTPM: quotes of several banks, the key's certificate, and the event log; and in the
same message, where the guest is a confidential VM, its processor's report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from verifier.tpm.event_log import EventLog
from verifier.tpm.pcr import PcrValues
from verifier.tpm.quote import TpmQuote
from verifier.tpm.signature import TpmSignature

if TYPE_CHECKING:
    from verifier import snp, tdx


@dataclass(frozen=True, slots=True)
class QuotedPcrs:
    """A quote with its signature, and the values that it is said to be over. bank: of those."""

    bank: int
    quote: TpmQuote
    signature: TpmSignature
    pcrs: PcrValues


@dataclass(frozen=True, slots=True)
class CarriedReport:
    """A processor's report with what its host added to it. None of it is trusted before it is verified.

    endorsements: of an SNP report, as from a host's certificate table; None: it had no certificate of the key that
    signed, or this is a quote, which has its chain in itself. firmware: the cloud's endorsement of the firmware.
    """

    evidence: snp.SnpReport | tdx.TdxQuote
    endorsements: snp.Endorsements | None = None
    firmware: bytes | None = None


@dataclass(frozen=True, slots=True)
class VtpmAttestation:
    """quotes: one for each bank, at least one. certificate: of the attestation key, DER; None when none came.
    report: of the processor; None: the message has none."""

    quotes: tuple[QuotedPcrs, ...]
    certificate: bytes | None = None
    log: EventLog | None = None
    report: CarriedReport | None = None

    def annotations(self) -> dict[str, str | int]:
        """The first quote's, for results about evidence that is not genuine."""
        return self.quotes[0].quote.annotations()
