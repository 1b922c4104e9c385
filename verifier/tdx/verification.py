"""Is a quote genuine: did Intel's quoting enclave, on a platform that Intel endorses, sign these bytes?

Steps follow Intel, "SGX and TDX DCAP Quote Verification Library", 4.1.2. Whether a genuine quote is acceptable
(TCB status, debug, measurements) is another question, and `verifier.appraisal` answers it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec

from verifier.errors import VerificationFailed
from verifier.tdx import layout
from verifier.tdx.collateral import Collateral
from verifier.tdx.ecdsa import load_point, verifies_raw
from verifier.tdx.endorsement import Endorsement, endorsement
from verifier.tdx.quote import TdxQuote
from verifier.tdx.tcb import TcbEvaluation, evaluate
from verifier.trust import TrustStore

_QE_BINDING_PADDING: Final = bytes(32)
"""Second half of the QE's REPORTDATA, after the SHA-256."""


_MEMORY: Final = b"tdx.attestation-key"


@dataclass(frozen=True, slots=True)
class VerifiedQuote:
    """A genuine quote with what verification established about it.

    endorsement: verified chain, CRLs and collateral. tcb: status of each part and of all.
    at: the time for which all this holds.
    """

    quote: TdxQuote
    endorsement: Endorsement
    tcb: TcbEvaluation
    at: datetime

    def annotations(self) -> dict[str, str | int]:
        """The quote's fields and what verification established, for results and receipts."""
        chain, tcb = self.endorsement.chain, self.tcb
        parts = {
            "tcb_status": tcb.status.value,
            "tcb_date": tcb.date.isoformat(),
            "tcb_status_platform": tcb.platform.status.value,
            "tcb_status_qe": tcb.qe.status.value,
            "advisories": ", ".join(tcb.advisories),
        }
        if tcb.module is not None:
            parts["tcb_status_module"] = tcb.module.status.value
        if tcb.running is not None:
            parts["tcb_status_running"] = tcb.running.value
        return (
            self.quote.annotations()
            | parts
            | {
                "fmspc": chain.platform.fmspc.hex(),
                "tcb_evaluation_data_number": self.endorsement.tcb_info.tcb_evaluation_data_number,
                "pck_sha256": chain.pck.certificate.fingerprint,
                "trust_anchor": chain.anchor.name,
                "trust_anchor_sha256": chain.root.certificate.fingerprint,
                "collateral_sha256": self.endorsement.collateral_sha256,
            }
        )


def verify(quote: TdxQuote, collateral: Collateral, trust: TrustStore, at: datetime) -> VerifiedQuote:
    """Check `quote` at the time `at`; VerificationFailed names the first check that does not hold.

    collateral: for the quote's platform, from the verifier's own store; verified up to a root of `trust`.
    at: aware; there is no default. MalformedEvidence when a certificate or CRL does not parse.
    """
    if at.tzinfo is None:
        raise ValueError("the time of verification must have a time zone")
    if quote.qe_vendor != layout.INTEL_QE_VENDOR:
        raise VerificationFailed("quote.vendor", f"QE vendor {quote.qe_vendor.hex()} is not Intel")
    if quote.certification_type != layout.PCK_CHAIN_CERTIFICATION:
        raise VerificationFailed(
            "quote.certification",
            f"certification data of type {quote.certification_type}, 5 (PCK certificate chain) expected",
        )
    endorsed = endorsement(quote.certification, collateral, trust)
    endorsed.require_valid(at)
    _check_signatures(quote, endorsed, trust)
    tcb = evaluate(quote.report, quote.qe_report, endorsed.chain.platform, endorsed.tcb_info, endorsed.qe_identity)
    return VerifiedQuote(quote, endorsed, tcb, at)


def _check_signatures(quote: TdxQuote, endorsed: Endorsement, trust: TrustStore) -> None:
    """PCK → QE report → attestation key → quote."""
    key = _attestation_key(quote, endorsed, trust)
    if not verifies_raw(key, quote.signed, quote.signature):
        raise VerificationFailed("quote.signature", "the attestation key did not sign the header and the TD report")


def _attestation_key(quote: TdxQuote, endorsed: Endorsement, trust: TrustStore) -> ec.EllipticCurvePublicKey:
    """The attestation key, certified by the QE report that the PCK signed.

    A platform keeps its attestation key and this report from quote to quote: like the rest of the chain, what
    verified once is remembered by the hash of all of it.
    """
    link = hashlib.sha256(endorsed.chain.pck.certificate.key)
    for part in (quote.qe_report_signed, quote.qe_report_signature, quote.attestation_key, quote.qe_auth_data):
        link.update(part)
    memory = _MEMORY + link.digest()
    known = trust.verified.get(memory)
    if isinstance(known, ec.EllipticCurvePublicKey):
        return known
    if not verifies_raw(endorsed.chain.pck.key, quote.qe_report_signed, quote.qe_report_signature):
        raise VerificationFailed("qe.signature", "the PCK did not sign the QE report")
    binding = hashlib.sha256(quote.attestation_key + quote.qe_auth_data).digest() + _QE_BINDING_PADDING
    if quote.qe_report.report_data != binding:
        raise VerificationFailed(
            "qe.report-data", "the QE report is not about this attestation key and authentication data"
        )
    key = load_point(quote.attestation_key)
    if key is None:
        raise VerificationFailed("quote.attestation-key", "the attestation key is not a point of P-256")
    trust.verified.put(memory, key)
    return key
