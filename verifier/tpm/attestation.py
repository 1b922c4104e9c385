"""What a guest's agent sends of its vTPM: quotes of several banks, the key's certificate, and the event log."""

from __future__ import annotations

from dataclasses import dataclass

from verifier.tpm.event_log import EventLog
from verifier.tpm.pcr import PcrValues
from verifier.tpm.quote import TpmQuote
from verifier.tpm.signature import TpmSignature


@dataclass(frozen=True, slots=True)
class QuotedPcrs:
    """A quote with its signature, and the values that it is said to be over. bank: of those."""

    bank: int
    quote: TpmQuote
    signature: TpmSignature
    pcrs: PcrValues


@dataclass(frozen=True, slots=True)
class VtpmAttestation:
    """quotes: one for each bank, at least one. certificate: of the attestation key, DER; None when none came."""

    quotes: tuple[QuotedPcrs, ...]
    certificate: bytes | None = None
    log: EventLog | None = None

    def annotations(self) -> dict[str, str | int]:
        """The first quote's, for results about evidence that is not genuine."""
        return self.quotes[0].quote.annotations()
