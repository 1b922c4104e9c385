"""What an Azure confidential VM sends: its HCL report, on TDX the quote, and what its vTPM says."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from verifier import canonical, tdx, tpm
from verifier.azure import hcl
from verifier.azure.hcl import HclReport
from verifier.errors import MalformedEvidence, UnreadableInput
from verifier.pki.files import read_bytes
from verifier.tpm import event_log
from verifier.tpm.event_log import EventLog

_QUOTE: Final = "tpm_quote.msg"
_SIGNATURE: Final = "tpm_quote.sig"
_PCRS: Final = "pcrs.json"
_EVENT_LOG: Final = "event_log.bin"
_TD_QUOTE: Final = "td_quote.bin"


@dataclass(frozen=True, slots=True)
class VtpmEvidence:
    """A quote by the vTPM's attestation key. pcrs: values as the guest sent them. log: None when it sent none."""

    quote: tpm.TpmQuote
    signature: tpm.TpmSignature
    pcrs: tpm.PcrValues
    log: EventLog | None = None


@dataclass(frozen=True, slots=True)
class AzureEvidence:
    """td_quote: on TDX, the quote that the instance metadata service made of the TDREPORT. vtpm: None: no quote."""

    hcl: HclReport
    td_quote: tdx.TdxQuote | None = None
    vtpm: VtpmEvidence | None = None

    def annotations(self) -> dict[str, str | int]:
        """The HCL report's, for results about evidence that is not genuine."""
        return self.hcl.annotations()


def with_event_log(evidence: AzureEvidence, log: bytes) -> AzureEvidence:
    """The same evidence with the vTPM's event log; UnreadableInput where no quote could attest one."""
    if evidence.vtpm is None:
        raise UnreadableInput("event log: there is no quote by the vTPM that could attest it")
    return replace(evidence, vtpm=replace(evidence.vtpm, log=event_log.parse(log)))


def from_directory(report: bytes, directory: Path) -> AzureEvidence:
    """The evidence that consists of an HCL report and of what lies in a folder.

    Files, each optional: `td_quote.bin`; `tpm_quote.msg` (TPMS_ATTEST) with `tpm_quote.sig` (RSASSA SHA-256, bare) and
    `pcrs.json` (a list of PCRs 0 to 23 of the SHA-256 bank, hex); `event_log.bin`.
    MalformedEvidence when the report does not parse, UnreadableInput when one of the files cannot be used.
    """
    return AzureEvidence(hcl.parse(report), _td_quote(directory / _TD_QUOTE), _vtpm(directory))


def _td_quote(path: Path) -> tdx.TdxQuote | None:
    try:
        return tdx.parse(read_bytes(path)) if path.exists() else None
    except MalformedEvidence as error:
        raise UnreadableInput(f"{path}: {error}") from None


def _vtpm(directory: Path) -> VtpmEvidence | None:
    if not (directory / _QUOTE).exists():
        return None
    path = directory / _QUOTE
    try:
        quote = tpm.parse(read_bytes(path))
        path = directory / _SIGNATURE
        signature = tpm.rsassa_sha256(read_bytes(path))
        path = directory / _PCRS
        pcrs = _pcrs(read_bytes(path))
        path = directory / _EVENT_LOG
        log = event_log.parse(read_bytes(path)) if path.exists() else None
    except (MalformedEvidence, canonical.JsonError) as error:
        raise UnreadableInput(f"{path}: {error}") from None
    return VtpmEvidence(quote, signature, pcrs, log)


def _pcrs(text: bytes) -> dict[int, dict[int, bytes]]:
    value: Any = canonical.parse(text)
    if not isinstance(value, list) or len(value) > tpm.layout.PCR_COUNT:
        raise canonical.JsonError(f"a list of at most {tpm.layout.PCR_COUNT} PCRs is expected")
    try:
        return {tpm.layout.SHA256: {register: bytes.fromhex(digest) for register, digest in enumerate(value)}}
    except (TypeError, ValueError):
        raise canonical.JsonError("PCRs are texts in hex") from None
