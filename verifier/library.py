"""The verifier as a library: evidence, a policy and collateral in, a verdict out.

No state but the memory of the `TrustStore` that is given, which may be shared between threads. No file is read, unless
the source of collateral does it, and no clock: time is an argument.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from verifier import aws, azure, nitro, snp, tdx, tpm
from verifier.appraisal import AppraisalPolicy, AttestationResult, rejected
from verifier.appraisal import aws as aws_appraisal
from verifier.appraisal import azure as azure_appraisal
from verifier.appraisal import collateral as collateral_appraisal
from verifier.appraisal import nitro as nitro_appraisal
from verifier.appraisal import snp as snp_appraisal
from verifier.appraisal import tdx as tdx_appraisal
from verifier.collateral.carried import NO_SOURCE, Carried
from verifier.collateral.source import Folder, Source, Used
from verifier.errors import InvalidReferenceValues, UnreadableInput, VerificationFailed
from verifier.reference import AnyReferenceValues
from verifier.tdx import event_log as td_event_log
from verifier.trust import TrustStore
from verifier.verdict import Evidence, Verdict, Verified

if TYPE_CHECKING:
    from verifier.nvidia.files import Devices

DEVICE_EVIDENCE: Final = (b"\x11\xe0", b"[")
"""How NVIDIA devices' evidence starts: an SPDM request, or a list in JSON. Its modules are imported only then, as an
XML library is among them and `bailiwick verify` should start fast."""

VTPM_ATTESTATION: Final = b"\x0a"
"""How a message of go-tpm-tools starts: its first field, of bytes. Its modules are imported only then, too."""
REPORT_DATA_BYTES: Final = 64
NO_EVENT_LOG: Final = "event log: a TD's quote or a vTPM's can attest one, this evidence has no registers for it"
NO_VTPM_VALUES: Final = "reference values are not of Google's vTPMs; their PCRs are in the policy, google.pcrs"
NO_REFERENCE_VALUES: Final = "reference values are images'; NVIDIA devices are compared with their RIMs"

References = Sequence[AnyReferenceValues]


def parse(evidence: bytes, companions: Path | None = None) -> Evidence:
    """Evidence of the kind that its first bytes tell; MalformedEvidence when it is none.

    companions: folder with what comes beside it in files: `chain.pem` for a single NVIDIA report, what an Azure
    confidential VM's vTPM says, the Nitro document of an AWS instance with an SNP report. None: nothing does.
    """
    if evidence.startswith(DEVICE_EVIDENCE):
        from verifier.nvidia import files

        return files.parse(evidence, companions)
    if evidence.startswith(VTPM_ATTESTATION):
        from verifier.google import vtpm

        return vtpm.parse(evidence)
    if nitro.is_document(evidence):
        return nitro.parse(evidence)
    if azure.is_report(evidence):
        return azure.from_directory(evidence, companions) if companions else azure.AzureEvidence(azure.parse(evidence))
    if tdx.is_quote(evidence):
        return tdx.parse(evidence)
    report = snp.parse(evidence)
    return report if companions is None else aws.from_directory(report, companions)


def verify(
    evidence: bytes | Evidence,
    policy: AppraisalPolicy,
    collateral: Source | Path | None,
    at: datetime,
    *,
    nonce: bytes | None = None,
    reference_values: References = (),
    event_log: bytes | None = None,
    trust: TrustStore | None = None,
) -> Verdict:
    """Verify and appraise one piece of evidence as of the time `at`.

    evidence: as `parse` takes or gives it. collateral: a source, or a folder with the files for this evidence; None is
    enough for a Nitro document or a vTPM's attestation, which bring their chains. nonce: what REPORT_DATA must hold, up
    to 64 bytes, followed by zeros; for an HCL report or a vTPM's attestation what the vTPM was asked to quote; for a
    Nitro document its nonce; for NVIDIA devices the 32 bytes that they were asked with. reference_values: whose
    signatures have been checked.
    event_log: what firmware measured, which must replay: a TD's (CCEL) to the quote's RTMRs, that of a vTPM to its
    quote's PCRs. trust: None = the pinned vendors' roots, in one store for the whole process.

    Evidence that is not genuine is a verdict, not an error. MalformedEvidence, UnreadableInput and the other
    `VerifierError`s are for input that cannot be used; ValueError for a time without a zone.
    """
    parsed = parse(evidence) if isinstance(evidence, bytes) else evidence
    source = Folder(collateral) if isinstance(collateral, Path) else collateral
    try:
        question = _Question(policy, source, at, nonce, reference_values, event_log, trust or _production())
        verified, result, used = _judge(parsed, question)
    except VerificationFailed as failure:
        return Verdict(at, parsed, failure=failure, result=_rejected(failure, policy, parsed))
    return Verdict(
        at,
        parsed,
        verified=verified,
        result=collateral_appraisal.appraised(result, used, policy.collateral, at, question.trust),
    )


@cache
def _production() -> TrustStore:
    return TrustStore.production()


Judged = tuple[Verified, AttestationResult, Used]


@dataclass(frozen=True, slots=True)
class _Question:
    """What `verify` was asked, but for the evidence."""

    policy: AppraisalPolicy
    given: Source | None
    at: datetime
    nonce: bytes | None
    values: References
    event_log: bytes | None
    trust: TrustStore

    @property
    def source(self) -> Source:
        """Where collateral comes from; UnreadableInput when it is needed and nothing was given."""
        if self.given is None:
            raise UnreadableInput(NO_SOURCE)
        return self.given

    @property
    def report_data(self) -> bytes | None:
        """REPORT_DATA, of 64 bytes in either kind of CPU's evidence, that holds the nonce."""
        if self.nonce is None:
            return None
        if len(self.nonce) > REPORT_DATA_BYTES:
            raise UnreadableInput(
                f"nonce: {len(self.nonce)} bytes given, REPORT_DATA holds at most {REPORT_DATA_BYTES}"
            )
        return self.nonce.ljust(REPORT_DATA_BYTES, b"\0")


def _judge(evidence: Evidence, question: _Question) -> Judged:
    if isinstance(evidence, azure.AzureEvidence):
        return _azure(evidence, question)
    if isinstance(evidence, tdx.TdxQuote):
        return _tdx(evidence, question)
    if isinstance(evidence, tpm.VtpmAttestation) and evidence.report is not None:
        return _machine(evidence, evidence.report, question)
    if question.event_log is not None:
        raise UnreadableInput(NO_EVENT_LOG)
    if isinstance(evidence, nitro.NitroDocument):
        return _nitro(evidence, question)
    if isinstance(evidence, aws.AwsEvidence):
        return _aws(evidence, question)
    if isinstance(evidence, tpm.VtpmAttestation):
        return _vtpm(evidence, question)
    return _devices(evidence, question) if isinstance(evidence, tuple) else _snp(evidence, question)


def _nitro(document: nitro.NitroDocument, asked: _Question) -> Judged:
    verified = nitro.verify(document, asked.trust, asked.at)
    result = nitro_appraisal.appraise(verified, asked.policy, nonce=asked.nonce, reference_values=asked.values)
    return verified, result, ()


def _vtpm(attestation: tpm.VtpmAttestation, asked: _Question) -> Judged:
    from verifier.appraisal import google_vtpm
    from verifier.google import vtpm

    if asked.values:
        raise InvalidReferenceValues(NO_VTPM_VALUES)
    verified = vtpm.verify(attestation, asked.trust, asked.at)
    return verified, google_vtpm.appraise(verified, asked.policy, nonce=asked.nonce), ()


def _machine(attestation: tpm.VtpmAttestation, report: tpm.CarriedReport, asked: _Question) -> Judged:
    from verifier.appraisal import google_machine
    from verifier.google import machine

    for_report = google_machine.for_report(asked.policy)
    cpu, result, used = _judge(report.evidence, replace(asked, given=Carried(report, asked.given), policy=for_report))
    assert isinstance(cpu, snp.VerifiedReport | tdx.VerifiedQuote), "a message carries one of these"
    verified = machine.VerifiedMachine(cpu, machine.verify_vtpm(attestation, asked.trust, asked.at))
    return verified, google_machine.appraised(result, verified, asked.policy, nonce=asked.nonce), used


def _aws(evidence: aws.AwsEvidence, asked: _Question) -> Judged:
    expected, given = asked.report_data, asked.source.snp(evidence.report)
    verified = aws.verify(evidence, given.endorsements, asked.trust, asked.at, crls=given.crls)
    result = aws_appraisal.appraise(
        verified, asked.policy, nonce=asked.nonce, report_data=expected, reference_values=asked.values
    )
    return verified, result, given.used


def _devices(evidence: Devices, asked: _Question) -> Judged:
    from verifier.nvidia import files

    if asked.values:
        raise InvalidReferenceValues(NO_REFERENCE_VALUES)
    files.require_nonce(asked.nonce)
    found = asked.source.devices(evidence, asked.trust)
    return *files.judge(evidence, found.collateral, asked.policy, asked.nonce, asked.trust, asked.at), found.used


def _snp(evidence: snp.SnpReport, asked: _Question) -> Judged:
    expected, given = asked.report_data, asked.source.snp(evidence)
    verified = snp.verify(evidence, given.endorsements, asked.trust, asked.at, crls=given.crls)
    result = snp_appraisal.appraise(verified, asked.policy, report_data=expected, reference_values=asked.values)
    return verified, _with_firmware(result, verified, given.firmware, asked), given.used


def _tdx(evidence: tdx.TdxQuote, asked: _Question) -> Judged:
    expected, given = asked.report_data, asked.source.tdx(evidence)
    verified, events = tdx.verify(evidence, given.collateral, asked.trust, asked.at), None
    if asked.event_log is not None:
        events = td_event_log.attested_events(td_event_log.parse(asked.event_log), evidence.report)
    result = tdx_appraisal.appraise(
        verified, asked.policy, report_data=expected, reference_values=asked.values, events=events
    )
    return verified, _with_firmware(result, verified, given.firmware, asked), given.used


def _with_firmware(
    result: AttestationResult,
    verified: snp.VerifiedReport | tdx.VerifiedQuote,
    endorsement: bytes | None,
    asked: _Question,
) -> AttestationResult:
    """The result with Google's word on the firmware; its modules are imported only where there is one to be judged."""
    if endorsement is None and asked.policy.google.launch_endorsement == "if-given":
        return result
    from verifier.appraisal import google

    return google.appraised(result, verified, endorsement, asked.policy, asked.trust, asked.at)


def _azure(evidence: azure.AzureEvidence, asked: _Question) -> Judged:
    if asked.event_log is not None:
        evidence = azure.with_event_log(evidence, asked.event_log)
    report = evidence.hcl.snp_report
    endorsements: snp.Endorsements | tdx.Collateral
    if report is not None:
        given = asked.source.snp(report)
        endorsements, crls, used = given.endorsements, given.crls, given.used
    else:
        documents = asked.source.tdx(azure.required_quote(evidence))
        endorsements, crls, used = documents.collateral, (), documents.used
    verified = azure.verify(evidence, endorsements, asked.trust, asked.at, crls=crls)
    result = azure_appraisal.appraise(verified, asked.policy, nonce=asked.nonce, reference_values=asked.values)
    return verified, result, used


def _rejected(failure: VerificationFailed, policy: AppraisalPolicy, evidence: Evidence) -> AttestationResult:
    if isinstance(evidence, tuple):
        from verifier.nvidia import files

        return files.rejected(failure, policy)
    if isinstance(evidence, tpm.VtpmAttestation):
        from verifier.appraisal import google_machine

        return google_machine.rejected(failure, policy, evidence)
    if isinstance(evidence, nitro.NitroDocument):
        return nitro_appraisal.rejected(failure, policy, evidence)
    if isinstance(evidence, azure.AzureEvidence):
        return azure_appraisal.rejected(failure, policy, evidence)
    if isinstance(evidence, aws.AwsEvidence):
        return aws_appraisal.rejected(failure, policy, evidence)
    return rejected(failure, policy, evidence)
