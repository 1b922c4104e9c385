"""The verifier as a library: evidence, a policy and collateral in, a verdict out.

No state but the memory of the `TrustStore` that is given, which may be shared between threads. No file is read, unless
the source of collateral does it, and no clock: time is an argument.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Final

from verifier import azure, snp, tdx
from verifier.appraisal import AppraisalPolicy, AttestationResult, rejected
from verifier.appraisal import azure as azure_appraisal
from verifier.appraisal import collateral as collateral_appraisal
from verifier.appraisal import snp as snp_appraisal
from verifier.appraisal import tdx as tdx_appraisal
from verifier.collateral.source import Folder, Source, Used
from verifier.errors import InvalidReferenceValues, UnreadableInput, VerificationFailed
from verifier.reference import ReferenceValues, TdxReferenceValues
from verifier.trust import TrustStore
from verifier.verdict import Evidence, Verdict, Verified

DEVICE_EVIDENCE: Final = (b"\x11\xe0", b"[")
"""How NVIDIA devices' evidence starts: an SPDM request, or a list in JSON. Its modules are imported only then, as an
XML library is among them and `bailiwick verify` should start fast."""

REPORT_DATA_BYTES: Final = 64
NO_REFERENCE_VALUES: Final = "reference values are images'; NVIDIA devices are compared with their RIMs"

References = Sequence[ReferenceValues | TdxReferenceValues]


def parse(evidence: bytes, companions: Path | None = None) -> Evidence:
    """Evidence of the kind that its first bytes tell; MalformedEvidence when it is none.

    companions: folder with what comes beside it in files: `chain.pem` for a single NVIDIA report, and what an Azure
    confidential VM's vTPM says. None: nothing does.
    """
    if evidence.startswith(DEVICE_EVIDENCE):
        from verifier.nvidia import files

        return files.parse(evidence, companions)
    if azure.is_report(evidence):
        return azure.from_directory(evidence, companions) if companions else azure.AzureEvidence(azure.parse(evidence))
    return tdx.parse(evidence) if tdx.is_quote(evidence) else snp.parse(evidence)


def verify(
    evidence: bytes | Evidence,
    policy: AppraisalPolicy,
    collateral: Source | Path,
    at: datetime,
    *,
    nonce: bytes | None = None,
    reference_values: References = (),
    trust: TrustStore | None = None,
) -> Verdict:
    """Verify and appraise one piece of evidence as of the time `at`.

    evidence: as `parse` takes or gives it. collateral: a source, or a folder with the files for this evidence.
    nonce: what REPORT_DATA must hold, up to 64 bytes, followed by zeros; for an HCL report what the vTPM was asked to
    quote; for NVIDIA devices the 32 bytes that they were asked with. reference_values: whose signatures have been
    checked. trust: None = the pinned vendors' roots, in one store for the whole process.

    Evidence that is not genuine is a verdict, not an error. MalformedEvidence, UnreadableInput and the other
    `VerifierError`s are for input that cannot be used; ValueError for a time without a zone.
    """
    parsed = parse(evidence) if isinstance(evidence, bytes) else evidence
    source = Folder(collateral) if isinstance(collateral, Path) else collateral
    try:
        verified, result, used = _judge(parsed, policy, source, at, nonce, reference_values, trust or _production())
    except VerificationFailed as failure:
        return Verdict(at, parsed, failure=failure, result=_rejected(failure, policy, parsed))
    return Verdict(
        at,
        parsed,
        verified=verified,
        result=collateral_appraisal.appraised(result, used, policy.collateral, at),
    )


@cache
def _production() -> TrustStore:
    return TrustStore.production()


Judged = tuple[Verified, AttestationResult, Used]


def _judge(
    evidence: Evidence,
    policy: AppraisalPolicy,
    source: Source,
    at: datetime,
    nonce: bytes | None,
    values: References,
    trust: TrustStore,
) -> Judged:
    if isinstance(evidence, tuple):
        from verifier.nvidia import files

        if values:
            raise InvalidReferenceValues(NO_REFERENCE_VALUES)
        files.require_nonce(nonce)
        found = source.devices(evidence, trust)
        return *files.judge(evidence, found.collateral, policy, nonce, trust, at), found.used
    if isinstance(evidence, azure.AzureEvidence):
        return _azure(evidence, policy, source, at, nonce, values, trust)
    expected = None if nonce is None else _report_data(nonce)
    if isinstance(evidence, tdx.TdxQuote):
        quotes = [value for value in values if isinstance(value, TdxReferenceValues)]
        given = source.tdx(evidence)
        quote = tdx.verify(evidence, given.collateral, trust, at)
        return (
            quote,
            tdx_appraisal.appraise(quote, policy, report_data=expected, reference_values=quotes),
            given.used,
        )
    reports = [value for value in values if isinstance(value, ReferenceValues)]
    endorsing = source.snp(evidence)
    report = snp.verify(evidence, endorsing.endorsements, trust, at, crls=endorsing.crls)
    return (
        report,
        snp_appraisal.appraise(report, policy, report_data=expected, reference_values=reports),
        endorsing.used,
    )


def _azure(
    evidence: azure.AzureEvidence,
    policy: AppraisalPolicy,
    source: Source,
    at: datetime,
    nonce: bytes | None,
    values: References,
    trust: TrustStore,
) -> Judged:
    report = evidence.hcl.snp_report
    endorsements: snp.Endorsements | tdx.Collateral
    if report is not None:
        given = source.snp(report)
        endorsements, crls, used = given.endorsements, given.crls, given.used
    else:
        documents = source.tdx(azure.required_quote(evidence))
        endorsements, crls, used = documents.collateral, (), documents.used
    verified = azure.verify(evidence, endorsements, trust, at, crls=crls)
    return verified, azure_appraisal.appraise(verified, policy, nonce=nonce, reference_values=values), used


def _rejected(failure: VerificationFailed, policy: AppraisalPolicy, evidence: Evidence) -> AttestationResult:
    if isinstance(evidence, tuple):
        from verifier.nvidia import files

        return files.rejected(failure, policy)
    if isinstance(evidence, azure.AzureEvidence):
        return azure_appraisal.rejected(failure, policy, evidence)
    return rejected(failure, policy, evidence)


def _report_data(nonce: bytes) -> bytes:
    """REPORT_DATA, of 64 bytes in either kind of CPU's evidence, that holds the nonce."""
    if len(nonce) > REPORT_DATA_BYTES:
        raise UnreadableInput(f"nonce: {len(nonce)} bytes given, REPORT_DATA holds at most {REPORT_DATA_BYTES}")
    return nonce.ljust(REPORT_DATA_BYTES, b"\0")
