"""The core of `bailiwick verify`: files in, a verdict out. It prints nothing and knows no terminal.

The kind of evidence is told from its first bytes. The verdict has two answers. *Genuine*: the vendor's hardware
signed this evidence. *Acceptable*: the policy affirms it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar

from cryptography.hazmat.primitives.asymmetric import ec

from verifier import azure, ear, snp, tdx
from verifier.appraisal import AppraisalPolicy, AttestationResult, Claim, Tier, rejected
from verifier.appraisal import azure as azure_appraisal
from verifier.appraisal import snp as snp_appraisal
from verifier.appraisal import tdx as tdx_appraisal
from verifier.appraisal.policy import DEFAULT_POLICY
from verifier.errors import (
    InvalidReferenceValues,
    MalformedEvidence,
    UnreadableInput,
    VerificationFailed,
    VerifierError,
)
from verifier.pki.files import read_bytes
from verifier.reference import Envelope, read_any_bundle, read_bundle, read_tdx_bundle
from verifier.trust import TrustStore

if TYPE_CHECKING:
    from verifier.nvidia.files import Devices, VerifiedDevices

Evidence: TypeAlias = "snp.SnpReport | tdx.TdxQuote | azure.AzureEvidence | Devices"
Verified: TypeAlias = "snp.VerifiedReport | tdx.VerifiedQuote | azure.VerifiedVm | VerifiedDevices"

V = TypeVar("V")

MAX_REPORT_BYTES: Final = 524_288
"""Far above any evidence; only keeps a wrong file name from being read whole."""

_DEVICE_EVIDENCE: Final = (b"\x11\xe0", b"[")
"""How NVIDIA devices' evidence starts: an SPDM request, or a list in JSON. Its modules are imported only then, as an
XML library is among them and `bailiwick verify` should start fast."""

REPORT_DATA_BYTES: Final = 64


class ExitCode(IntEnum):
    """What the process returns."""

    AFFIRMING = 0
    NOT_AFFIRMING = 1
    UNUSABLE_INPUT = 2


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome for one piece of evidence.

    error: set when an input could not be used; one line, and the rest is then None.
    failure: set when the evidence is not genuine, or cannot be shown to be.
    result: the appraisal; for evidence that is not genuine, the contraindicated one.
    """

    at: datetime
    evidence: Evidence | None = None
    verified: Verified | None = None
    failure: VerificationFailed | None = None
    result: AttestationResult | None = None
    error: str | None = None

    @property
    def genuine(self) -> bool:
        """Whether the vendor's hardware signed the evidence, as far as can be shown."""
        return self.verified is not None

    @property
    def acceptable(self) -> bool:
        """Whether the policy affirms it."""
        return self.result is not None and self.result.status is Tier.AFFIRMING

    @property
    def exit_code(self) -> ExitCode:
        """0 affirming, 1 not, 2 an input is malformed or cannot be read."""
        if self.error is not None:
            return ExitCode.UNUSABLE_INPUT
        return ExitCode.AFFIRMING if self.acceptable else ExitCode.NOT_AFFIRMING

    @property
    def claims(self) -> tuple[Claim, ...]:
        """Every claim of every submodule, for `--explain`."""
        if self.result is None:
            return ()
        return tuple(claim for appraisal in self.result.submods.values() for claim in appraisal.claims)

    @property
    def summary(self) -> str:
        """The verdict in one line."""
        if self.error is not None:
            return self.error
        if self.failure is not None:
            return f"not shown to be genuine: {self.failure}"
        against = [claim for claim in self.claims if claim.tier > Tier.AFFIRMING]
        if not against:
            return f"genuine and acceptable{self._not_appraised()}"
        worst = max(against, key=lambda claim: claim.score)
        more = f" (and {len(against) - 1} more)" if len(against) > 1 else ""
        return f"genuine, but not acceptable: {worst.name}: {worst.reason}{more}"

    def as_json(self) -> dict[str, Any]:
        """The verdict as JSON members, for `--json`."""
        content: dict[str, Any] = {
            "exit_code": int(self.exit_code),
            "summary": self.summary,
            "at": self.at.isoformat(),
            "genuine": self.genuine,
            "acceptable": self.acceptable,
        }
        if self.failure is not None:
            content["failed_check"] = self.failure.check
        if self.result is not None:
            content["status"] = str(self.result.status)
            content["submods"] = {name: ear.submodule(appraisal) for name, appraisal in self.result.submods.items()}
        return content

    def _not_appraised(self) -> str:
        names = [claim.name for claim in self.claims if claim.tier is Tier.NONE]
        return f"; not appraised: {', '.join(names)}" if names else ""


def verify_files(
    evidence: Path,
    collateral: Path,
    *,
    at: datetime,
    policy: Path | None = None,
    nonce: bytes | None = None,
    reference_values: Sequence[Path] = (),
    build_keys: Iterable[ec.EllipticCurvePublicKey] = (),
    trust: TrustStore | None = None,
) -> Verdict:
    """Verify and appraise the evidence in a file: an AMD SEV-SNP report, an Intel TDX quote, the HCL report of an Azure
    confidential VM, or NVIDIA devices'.

    NVIDIA devices' evidence is one report, or a list of them with their certificates (`nvidia.parse_evidence_list`).

    collateral: folder with what endorses it, and for an HCL report also what the VM's vTPM says, in the files of
    `azure.from_directory`. For SNP `vcek.der` or `vlek.der` and, optionally, `ask`/`asvk`, `ark`
    and `crl`; for TDX the files of `tdx.Collateral.from_directory`; for NVIDIA devices those of
    `nvidia.Collateral.from_directory`, and `chain.pem` for a single report.
    nonce: what REPORT_DATA must hold, up to 64 bytes, followed by zeros; for an HCL report what the vTPM was asked to
    quote; for NVIDIA devices the 32 bytes that they were asked with. policy: None = the default policy.
    reference_values: DSSE envelopes signed by one of `build_keys`. trust: None = the pinned vendors' roots.
    """
    parsed: Evidence | None = None
    try:
        inputs = _Inputs(
            evidence=evidence,
            collateral=collateral,
            at=at,
            policy=AppraisalPolicy.load(policy or DEFAULT_POLICY),
            nonce=nonce,
            reference_values=reference_values,
            build_keys=tuple(build_keys),
            trust=trust or TrustStore.production(),
        )
        parsed = _parse(evidence, collateral)
        verified, result = _judge(parsed, inputs)
    except VerificationFailed as failure:
        return Verdict(at, parsed, failure=failure, result=_rejected(failure, inputs.policy, parsed))
    except VerifierError as error:
        return Verdict(at, parsed, error=str(error))
    return Verdict(at, parsed, verified=verified, result=result)


@dataclass(frozen=True, slots=True)
class _Inputs:
    """What `verify_files` was given, read as far as it does not depend on the kind of evidence."""

    evidence: Path
    collateral: Path
    at: datetime
    policy: AppraisalPolicy
    nonce: bytes | None
    reference_values: Sequence[Path]
    build_keys: tuple[ec.EllipticCurvePublicKey, ...]
    trust: TrustStore

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

    def bundles(self, read: Callable[[Envelope, Iterable[ec.EllipticCurvePublicKey]], V]) -> list[V]:
        """The reference values, as `read` reads one bundle."""
        values = []
        for path in self.reference_values:
            try:
                values.append(read(read_bytes(path), self.build_keys))
            except InvalidReferenceValues as error:
                raise InvalidReferenceValues(f"{path}: {error}") from None
        return values


def _judge(evidence: Evidence, inputs: _Inputs) -> tuple[Verified, AttestationResult]:
    if isinstance(evidence, tuple):
        from verifier.nvidia import files

        if inputs.reference_values:
            raise InvalidReferenceValues("reference values are images'; NVIDIA devices are compared with their RIMs")
        try:
            return files.judge(evidence, inputs.collateral, inputs.policy, inputs.nonce, inputs.trust, inputs.at)
        except MalformedEvidence as error:
            raise UnreadableInput(f"{inputs.evidence} with {inputs.collateral}: {error}") from None
    if isinstance(evidence, azure.AzureEvidence):
        return _azure(evidence, inputs)
    return _tdx(evidence, inputs) if isinstance(evidence, tdx.TdxQuote) else _snp(evidence, inputs)


def _rejected(failure: VerificationFailed, policy: AppraisalPolicy, evidence: Evidence | None) -> AttestationResult:
    if isinstance(evidence, tuple):
        from verifier.nvidia import files

        return files.rejected(failure, policy)
    if isinstance(evidence, azure.AzureEvidence):
        return azure_appraisal.rejected(failure, policy, evidence)
    return rejected(failure, policy, evidence)


def _snp(report: snp.SnpReport, inputs: _Inputs) -> tuple[snp.VerifiedReport, AttestationResult]:
    values = inputs.bundles(read_bundle)
    kind, directory = report.signing_key, inputs.collateral
    if kind is None:
        raise VerificationFailed("signing-key", "neither a VCEK nor a VLEK signed the report")
    try:
        endorsements = snp.Endorsements.from_directory(directory, kind)
        crls = snp.revocation_lists(directory)
        verified = snp.verify(report, endorsements, inputs.trust, inputs.at, crls=crls)
    except MalformedEvidence as error:
        raise UnreadableInput(f"{directory}: {error}") from None
    return verified, snp_appraisal.appraise(
        verified, inputs.policy, report_data=inputs.report_data, reference_values=values
    )


def _tdx(quote: tdx.TdxQuote, inputs: _Inputs) -> tuple[tdx.VerifiedQuote, AttestationResult]:
    values = inputs.bundles(read_tdx_bundle)
    collateral = tdx.Collateral.from_directory(inputs.collateral)
    try:
        verified = tdx.verify(quote, collateral, inputs.trust, inputs.at)
    except MalformedEvidence as error:
        raise UnreadableInput(f"{inputs.evidence} with {inputs.collateral}: {error}") from None
    return verified, tdx_appraisal.appraise(
        verified, inputs.policy, report_data=inputs.report_data, reference_values=values
    )


def _azure(evidence: azure.AzureEvidence, inputs: _Inputs) -> tuple[azure.VerifiedVm, AttestationResult]:
    values = inputs.bundles(read_any_bundle)
    try:
        endorsements, crls = _endorsements(evidence, inputs.collateral)
        verified = azure.verify(evidence, endorsements, inputs.trust, inputs.at, crls=crls)
    except MalformedEvidence as error:
        raise UnreadableInput(f"{inputs.evidence} with {inputs.collateral}: {error}") from None
    return verified, azure_appraisal.appraise(verified, inputs.policy, nonce=inputs.nonce, reference_values=values)


def _endorsements(
    evidence: azure.AzureEvidence, directory: Path
) -> tuple[snp.Endorsements | tdx.Collateral, Sequence[bytes]]:
    report = evidence.hcl.snp_report
    if report is None:
        return tdx.Collateral.from_directory(directory), ()
    kind = report.signing_key or snp.SigningKey.VCEK
    return snp.Endorsements.from_directory(directory, kind), snp.revocation_lists(directory)


def _parse(path: Path, collateral: Path) -> Evidence:
    data = read_bytes(path, MAX_REPORT_BYTES)
    try:
        if data.startswith(_DEVICE_EVIDENCE):
            from verifier.nvidia import files

            return files.parse(data, collateral)
        if azure.is_report(data):
            return azure.from_directory(data, collateral)
        return tdx.parse(data) if tdx.is_quote(data) else snp.parse(data)
    except MalformedEvidence as error:
        raise UnreadableInput(f"{path}: {error}") from None
