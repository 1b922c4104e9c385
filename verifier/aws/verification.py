"""Is an instance's evidence genuine: the processor's report, the Nitro System's document, and are they of one instance?

AWS signs nothing that says on which processor a document was made. The instance does: `user_data` of its document is
the hash of its own report. The document's PCRs say what booted there, so that who trusts that image knows that the
report is of the machine which it runs on, and not one that somebody fetched elsewhere.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from verifier import nitro, snp
from verifier.aws.evidence import AwsEvidence
from verifier.errors import VerificationFailed
from verifier.nitro import DocumentKind
from verifier.trust import TrustStore


@dataclass(frozen=True, slots=True)
class VerifiedInstance:
    """Genuine evidence of one instance. cpu: by the processor's vendor. document: by AWS."""

    cpu: snp.VerifiedReport
    document: nitro.VerifiedDocument


def report_digest(report: bytes) -> bytes:
    """What `user_data` of the document must be: SHA-384 of the report's 1184 bytes."""
    return hashlib.sha384(report).digest()


def verify(
    evidence: AwsEvidence,
    endorsements: snp.Endorsements,
    trust: TrustStore,
    at: datetime,
    *,
    crls: Sequence[bytes] = (),
) -> VerifiedInstance:
    """Check `evidence` at the time `at`; VerificationFailed names the first check that does not hold.

    endorsements, crls: as `snp.verify` takes them. Checks of the document are called `nitro.…`.
    """
    cpu = snp.verify(evidence.report, endorsements, trust, at, crls=crls)
    try:
        document = nitro.verify(evidence.document, trust, at)
    except VerificationFailed as failure:
        raise VerificationFailed(f"nitro.{failure.check}", failure.reason) from None
    if evidence.document.kind is not DocumentKind.NITROTPM:
        label = evidence.document.kind.label
        raise VerificationFailed("nitro.kind", f"the document is a {label}'s, one of NitroTPM expected beside a report")
    if not hmac.compare_digest(evidence.document.user_data or b"", report_digest(evidence.report.raw)):
        raise VerificationFailed("nitro.report", "user_data of the document is not the hash of this report")
    return VerifiedInstance(cpu, document)
