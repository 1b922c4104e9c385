"""Is the evidence of an Azure confidential VM genuine: does one chain lead from the CPU's vendor to the vTPM's quote?

The CPU's report vouches for REPORT_DATA, REPORT_DATA for the runtime claims, the claims for the vTPM's attestation
key, the key for the quote, and the quote for the PCRs and the event log. The paravisor (HCL), which the CPU measures,
is what makes the vTPM part of the confidential VM. Whether a genuine VM is acceptable, `verifier.appraisal` answers.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from verifier import jwk, snp, tdx, tpm
from verifier.azure import hcl
from verifier.azure.claims import ATTESTATION_KEY, RuntimeClaims
from verifier.azure.evidence import AzureEvidence, VtpmEvidence
from verifier.azure.hcl import HclReport
from verifier.errors import VerificationFailed
from verifier.tpm import event_log
from verifier.tpm.event_log import Event
from verifier.tpm.secure_boot import secure_boot
from verifier.trust import TrustStore


@dataclass(frozen=True, slots=True)
class VerifiedVm:
    """A genuine VM's evidence with what verification established about it.

    cpu: the verified hardware report or quote, whose REPORT_DATA binds the claims. vtpm: None when there is no quote.
    events: of the event log, those that the quote attests; None without a log. measured_secure_boot: what they say.
    at: the time for which all this holds.
    """

    hcl: HclReport
    cpu: snp.VerifiedReport | tdx.VerifiedQuote
    vtpm: tpm.VerifiedTpmQuote | None
    events: tuple[Event, ...] | None
    measured_secure_boot: bool | None
    at: datetime

    def annotations(self) -> dict[str, str | int]:
        """The paravisor's claims and the vTPM's quote, for results and receipts; the CPU's are its own."""
        quoted = {} if self.vtpm is None else self.vtpm.annotations()
        return self.hcl.annotations() | quoted


def verify(
    evidence: AzureEvidence,
    endorsements: snp.Endorsements | tdx.Collateral,
    trust: TrustStore,
    at: datetime,
    *,
    crls: Sequence[bytes] = (),
) -> VerifiedVm:
    """Check `evidence` at the time `at`; VerificationFailed names the first check that does not hold.

    endorsements: of the CPU's report, `snp.Endorsements` or, for a TD, `tdx.Collateral`; crls: AMD's, DER.
    at: aware; there is no default. MalformedEvidence when a certificate or CRL does not parse.
    """
    report = evidence.hcl
    if report.request_type != hcl.ATTESTATION_REQUEST or report.status != 0:
        raise VerificationFailed(
            "hcl.request",
            f"request type {report.request_type} with status {report.status}, type 2 (attestation) with 0 expected",
        )
    check_binding(report)
    cpu = _cpu(evidence, endorsements, trust, at, crls)
    if evidence.vtpm is None:
        return VerifiedVm(report, cpu, None, None, None, at)
    quoted = _vtpm(report.claims, evidence.vtpm)
    if evidence.vtpm.log is None:
        return VerifiedVm(report, cpu, quoted, None, None, at)
    events = event_log.verify(evidence.vtpm.log, quoted)
    return VerifiedVm(report, cpu, quoted, events, secure_boot(events), at)


def check_binding(report: HclReport) -> None:
    """VerificationFailed unless REPORT_DATA is the hash of the exact bytes of the runtime claims, then zeros."""
    digest = hashlib.new(report.hash_name, report.runtime_json).digest()
    if not hmac.compare_digest(digest.ljust(len(report.report_data), b"\0"), report.report_data):
        raise VerificationFailed(
            "hcl.binding",
            f"the runtime claims hash to {digest[:8].hex()}…, REPORT_DATA is {report.report_data[:8].hex()}…",
        )


def required_quote(evidence: AzureEvidence) -> tdx.TdxQuote:
    """The TD quote of a VM without an SNP report."""
    if evidence.td_quote is None:
        raise VerificationFailed(
            "td-quote.missing", "the TDREPORT in an HCL report proves nothing elsewhere; its TD quote must come with it"
        )
    return evidence.td_quote


def _cpu(
    evidence: AzureEvidence,
    endorsements: snp.Endorsements | tdx.Collateral,
    trust: TrustStore,
    at: datetime,
    crls: Sequence[bytes],
) -> snp.VerifiedReport | tdx.VerifiedQuote:
    report = evidence.hcl
    if report.snp_report is not None:
        if not isinstance(endorsements, snp.Endorsements):
            raise VerificationFailed("endorsement.kind", "an SEV-SNP report needs a VCEK or VLEK, not TDX collateral")
        return snp.verify(report.snp_report, endorsements, trust, at, crls=crls)
    if not isinstance(endorsements, tdx.Collateral):
        raise VerificationFailed("endorsement.kind", "a TD's report needs TDX collateral, not a VCEK or VLEK")
    quote = required_quote(evidence)
    verified = tdx.verify(quote, endorsements, trust, at)
    if not hmac.compare_digest(quote.report.report_data, report.report_data):
        raise VerificationFailed(
            "td-quote.report-data", "REPORTDATA of the TD quote is not the TDREPORT's: the quote is another VM's"
        )
    return verified


def _vtpm(claims: RuntimeClaims, evidence: VtpmEvidence) -> tpm.VerifiedTpmQuote:
    return tpm.verify(evidence.quote, evidence.signature, _attestation_key(claims), evidence.pcrs)


def _attestation_key(claims: RuntimeClaims) -> tpm.AttestationKey:
    """HCLAkPub, an RSA key; its key_ops are not looked at, as paravisors of 2022 call it an encryption key."""
    found = claims.keys.get(ATTESTATION_KEY)
    if found is None:
        raise VerificationFailed("hcl.attestation-key", f"the runtime claims have no key {ATTESTATION_KEY}")
    try:
        return jwk.to_public_key({name: found.get(name) for name in ("kty", "n", "e")})
    except jwk.JwkError as error:
        raise VerificationFailed("hcl.attestation-key", f"{ATTESTATION_KEY}: {error}") from None
