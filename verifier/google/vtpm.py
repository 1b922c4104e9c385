"""What the vTPM of a Google machine says, as go-tpm-tools writes it down: a protobuf message, read and verified.

The processor's report of a confidential VM is read with it, and verified elsewhere.

Source: google/go-tpm-tools, proto/attest.proto and proto/tpm.proto (numbers of the fields).

    Attestation   1 ak_pub, 2 quotes, 3 event_log, 4 instance_info, 5 canonical_event_log, 6 ak_cert,
                  7 intermediate_certs, one of 8 sev_snp_attestation and 9 tdx_attestation
    Quote         1 quote (TPMS_ATTEST), 2 raw_sig (TPMT_SIGNATURE), 3 pcrs {1 hash, 2 map of PCR to value}

The key and the instance are those of the certificate that Google's authority signed; what else the message says of
them (1, 4) is its sender's word, and not used. The intermediate (7) is the verifier's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from verifier import tpm
from verifier.errors import MalformedEvidence, VerificationFailed
from verifier.google import snp_report, td_quote
from verifier.google.attestation_key import VerifiedAttestationKey, verify_attestation_key
from verifier.google.protobuf import Message
from verifier.tpm import event_log
from verifier.tpm.attestation import CarriedReport, QuotedPcrs, VtpmAttestation
from verifier.tpm.event_log import Event
from verifier.tpm.secure_boot import secure_boot
from verifier.trust import TrustStore

MAX_ATTESTATION_BYTES: Final = 524_288
"""Many times a genuine one, most of which is the event log."""

_REPORTS: Final = {8: ("SNP attestation", snp_report.read), 9: ("TDX quote", td_quote.read)}
_RESERVED: Final = range(8, 16)
"""Where the reports of processors are, and where others of them may come."""


@dataclass(frozen=True, slots=True)
class VerifiedVtpm:
    """A genuine attestation. quoted: the SHA-256 bank's. events: of the log; None without one.

    measured_secure_boot: whether Secure Boot was on; None where no attested event says. at: for which time that holds.
    """

    key: VerifiedAttestationKey
    quoted: tpm.VerifiedTpmQuote
    events: tuple[Event, ...] | None
    measured_secure_boot: bool | None
    at: datetime

    def annotations(self) -> dict[str, str | int]:
        """The quote's fields and PCRs, and the instance that the certificate names."""
        instance = self.key.instance
        return self.quoted.annotations() | {
            "project_id": instance.project_id,
            "zone": instance.zone,
            "instance_id": instance.instance_id,
            "instance_name": instance.instance_name,
        }


def parse(data: bytes) -> VtpmAttestation:
    """Read an Attestation message; MalformedEvidence says what is wrong, or that a report is in it that is not read."""
    if len(data) > MAX_ATTESTATION_BYTES:
        raise MalformedEvidence(
            MAX_ATTESTATION_BYTES, f"vTPM attestation: {len(data)} bytes, at most {MAX_ATTESTATION_BYTES}"
        )
    message = Message(data, "vTPM attestation")
    message.required_bytes(1)
    quotes = tuple(_quoted(quote) for quote in message.messages(2, "quote"))
    banks = [quoted.bank for quoted in quotes]
    if not banks or len(set(banks)) < len(banks):
        raise MalformedEvidence(0, f"vTPM attestation: {len(banks)} quotes, one for each of several banks expected")
    log = message.octets(3)
    events = event_log.parse(log) if log else None
    return VtpmAttestation(quotes, message.octets(6) or None, events, _report(message))


def _report(message: Message) -> CarriedReport | None:
    """The report of the processor; None where there is none."""
    found = [number for number in _RESERVED if message.has(number)]
    if not found:
        return None
    if len(found) > 1 or found[0] not in _REPORTS:
        fields = ", ".join(map(str, found))
        raise MalformedEvidence(0, f"vTPM attestation: fields {fields}; one report is read, of SNP (8) or TDX (9)")
    name, read = _REPORTS[found[0]]
    return read(message.required_message(found[0], name))


def _quoted(message: Message) -> QuotedPcrs:
    pcrs = message.message(3, "PCRs")
    if pcrs is None:
        raise MalformedEvidence(0, "vTPM attestation: a quote comes without its PCRs")
    values: dict[int, bytes] = {}
    for entry in pcrs.messages(2, "PCR"):
        register = entry.uint(1)
        if register in values or register >= tpm.layout.PCR_COUNT:
            raise MalformedEvidence(0, f"vTPM attestation: PCR {register} does not exist, or comes twice")
        values[register] = entry.octets(2)
    bank = pcrs.uint(1)
    if bank not in tpm.layout.HASH_NAMES:
        raise MalformedEvidence(0, f"vTPM attestation: PCR bank {bank:#06x} is not known")
    quote, signature = tpm.parse(message.required_bytes(1)), tpm.parse_signature(message.required_bytes(2))
    return QuotedPcrs(bank, quote, signature, {bank: values})


def verify(attestation: VtpmAttestation, trust: TrustStore, at: datetime) -> VerifiedVtpm:
    """Check `attestation` at the time `at`; VerificationFailed names the first check that does not hold.

    Only the quote of the SHA-256 bank counts, in which the event log is replayed. MalformedEvidence when the
    certificate does not parse.
    """
    if attestation.certificate is None:
        raise VerificationFailed("ak.missing", "no certificate says whose attestation key signed the quotes")
    key = verify_attestation_key(attestation.certificate, trust, at)
    found = next((it for it in attestation.quotes if it.bank == tpm.layout.SHA256), None)
    if found is None:
        raise VerificationFailed("tpm.pcr-bank", "no quote covers the SHA-256 bank")
    quoted = tpm.verify(found.quote, found.signature, key.key, found.pcrs)
    if attestation.log is None:
        return VerifiedVtpm(key, quoted, None, None, at)
    events = event_log.verify(attestation.log, quoted)
    return VerifiedVtpm(key, quoted, events, secure_boot(events), at)
