"""The core of `bailiwick verify`: files in, a verdict out. It prints nothing and knows no terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec

from verifier import library, nitro, snp, tdx, tpm
from verifier.appraisal import AppraisalPolicy
from verifier.appraisal.policy import DEFAULT_POLICY
from verifier.collateral.source import source_in
from verifier.collateral.store import is_store
from verifier.errors import (
    InvalidReferenceValues,
    MalformedEvidence,
    UnreadableInput,
    VerificationFailed,
    VerifierError,
)
from verifier.pki.files import read_bytes
from verifier.reference import (
    AnyReferenceValues,
    read_any_bundle,
    read_bundle,
    read_nitro_bundle,
    read_tdx_bundle,
)
from verifier.trust import TrustStore
from verifier.verdict import Evidence, ExitCode, Verdict

__all__ = ["ExitCode", "Verdict", "read_evidence", "verify_files", "verify_token"]

MAX_REPORT_BYTES: Final = 524_288
MAX_LOG_BYTES: Final = 2_097_152
"""Far above any evidence and any event log; only keeps a wrong file name from being read whole."""


def verify_files(
    evidence: Path,
    collateral: Path | None,
    *,
    at: datetime,
    policy: Path | None = None,
    nonce: bytes | None = None,
    reference_values: Sequence[Path] = (),
    build_keys: Iterable[ec.EllipticCurvePublicKey] = (),
    event_log: Path | None = None,
    trust: TrustStore | None = None,
) -> Verdict:
    """Verify and appraise the evidence in a file: an AMD SEV-SNP report, an Intel TDX quote, the HCL report of an Azure
    confidential VM, an AWS Nitro document (alone, or beside a report), what a Google vTPM says (alone, or with its
    processor's report), or NVIDIA devices'.

    NVIDIA devices' evidence is one report, or a list of them with their certificates (`nvidia.parse_evidence_list`).

    collateral: a collateral store, or a folder with what endorses this evidence; a Nitro document, and a Google vTPM's
    attestation but for the report in it, need none. For SNP `vcek.der` or `vlek.der` and, optionally, `ask`/`asvk`,
    `ark` and `crl`; for TDX the files of `tdx.Collateral.from_directory`; for NVIDIA devices those of
    `nvidia.Collateral.from_directory`. What belongs to the evidence itself, `chain.pem` of a single device report, what
    an HCL report's vTPM says (`azure.from_directory`) and the Nitro document that names a report
    (`aws.from_directory`), is in that folder too, or, with a store, beside the evidence. nonce, event_log, trust: as
    `library.verify` takes them. policy: None = the default policy. reference_values: DSSE envelopes signed by one of
    `build_keys`.
    """
    parsed: Evidence | None = None
    try:
        appraisal = AppraisalPolicy.load(policy or DEFAULT_POLICY)
        parsed = read_evidence(evidence, collateral)
        values = _reference_values(parsed, reference_values, tuple(build_keys))
        source = None if collateral is None else source_in(collateral, at)
        try:
            return library.verify(
                parsed,
                appraisal,
                source,
                at,
                nonce=nonce,
                reference_values=values,
                event_log=None if event_log is None else read_bytes(event_log, MAX_LOG_BYTES),
                trust=trust,
            )
        except MalformedEvidence as error:
            given = "" if collateral is None else f" with {collateral}"
            raise UnreadableInput(f"{evidence}{given}: {error}") from None
    except VerifierError as error:
        return Verdict(at, parsed, error=str(error))


def verify_token(
    token: Path,
    keys: Path,
    issuer: str,
    *,
    at: datetime,
    policy: Path | None = None,
    nonce: bytes | None = None,
) -> Verdict:
    """Verify and appraise an attestation token that somebody else issued.

    keys: the issuer's JWKS, or in PEM the root of its signers. issuer: name or `iss` of a listed one. nonce: what the
    token was asked with.
    """
    from verifier import tokens
    from verifier.appraisal import tokens as appraisal

    parsed: tokens.Token | None = None
    try:
        demands = AppraisalPolicy.load(policy or DEFAULT_POLICY)
        listed = tokens.find(issuer)
        key_set = tokens.KeySet.parse(read_bytes(keys, MAX_REPORT_BYTES))
        parsed = tokens.parse(read_bytes(token, MAX_REPORT_BYTES))
        try:
            verified = tokens.verify(parsed, listed, key_set, at)
        except VerificationFailed as failure:
            return Verdict(at, parsed, failure=failure, result=appraisal.rejected(failure, demands, parsed))
        result = appraisal.appraise(verified, demands, nonce=nonce)
        return Verdict(at, parsed, verified=verified, result=result, asserted_by=verified.asserted_by)
    except VerifierError as error:
        return Verdict(at, parsed, error=str(error))


def read_evidence(path: Path, collateral: Path | None = None) -> Evidence:
    """Parse the evidence in a file; UnreadableInput when that cannot be done.

    collateral: folder with what comes with the evidence; None, or a collateral store: that is beside the evidence.
    """
    data = read_bytes(path, MAX_REPORT_BYTES)
    companions = path.parent if collateral is None or is_store(collateral) else collateral
    try:
        return library.parse(data, companions)
    except MalformedEvidence as error:
        raise UnreadableInput(f"{path}: {error}") from None


def _reference_values(
    evidence: Evidence, paths: Sequence[Path], keys: tuple[ec.EllipticCurvePublicKey, ...]
) -> list[AnyReferenceValues]:
    """The bundles, each of which must be signed and for this kind of evidence."""
    if paths and isinstance(evidence, tuple):
        raise InvalidReferenceValues(library.NO_REFERENCE_VALUES)
    if isinstance(evidence, tpm.VtpmAttestation):
        if evidence.report is not None:
            return _reference_values(evidence.report.evidence, paths, keys)
        if paths:
            raise InvalidReferenceValues(library.NO_VTPM_VALUES)
    read: Callable[[bytes, tuple[ec.EllipticCurvePublicKey, ...]], AnyReferenceValues] = read_any_bundle
    if isinstance(evidence, snp.SnpReport):
        read = read_bundle
    elif isinstance(evidence, tdx.TdxQuote):
        read = read_tdx_bundle
    elif isinstance(evidence, nitro.NitroDocument):
        read = read_nitro_bundle
    values: list[AnyReferenceValues] = []
    for path in paths:
        try:
            values.append(read(read_bytes(path), keys))
        except InvalidReferenceValues as error:
            raise InvalidReferenceValues(f"{path}: {error}") from None
    return values
