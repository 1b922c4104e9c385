"""The core of `bailiwick verify`: files in, a verdict out. It prints nothing and knows no terminal.

The verdict has two answers. *Genuine*: AMD's hardware signed this report. *Acceptable*: the policy affirms it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec

from verifier import ear
from verifier.appraisal import AppraisalPolicy, AttestationResult, Claim, Tier, appraise, rejected
from verifier.appraisal.policy import DEFAULT_POLICY
from verifier.errors import (
    InvalidReferenceValues,
    MalformedEvidence,
    UnreadableInput,
    VerificationFailed,
    VerifierError,
)
from verifier.pki.files import read_bytes
from verifier.reference import ReferenceValues, read_bundle
from verifier.snp import Endorsements, SnpReport, VerifiedReport, layout, parse, revocation_lists, verify
from verifier.trust import TrustStore

MAX_REPORT_BYTES: Final = 65_536
"""Far above any evidence; only keeps a wrong file name from being read whole."""


class ExitCode(IntEnum):
    """What the process returns."""

    AFFIRMING = 0
    NOT_AFFIRMING = 1
    UNUSABLE_INPUT = 2


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome for one report.

    error: set when an input could not be used; one line, and the rest is then None.
    failure: set when the report is not genuine, or cannot be shown to be.
    result: the appraisal; for a report that is not genuine, the contraindicated one.
    """

    at: datetime
    report: SnpReport | None = None
    verified: VerifiedReport | None = None
    failure: VerificationFailed | None = None
    result: AttestationResult | None = None
    error: str | None = None

    @property
    def genuine(self) -> bool:
        """Whether AMD's hardware signed the report, as far as can be shown."""
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
    report: Path,
    endorsements: Path,
    *,
    at: datetime,
    policy: Path | None = None,
    nonce: bytes | None = None,
    reference_values: Sequence[Path] = (),
    build_keys: Iterable[ec.EllipticCurvePublicKey] = (),
    trust: TrustStore | None = None,
) -> Verdict:
    """Verify and appraise a report in a file.

    endorsements: folder with `vcek.der` or `vlek.der` and, optionally, `ask`/`asvk`, `ark` and `crl`.
    nonce: what REPORT_DATA must hold, up to 64 bytes, followed by zeros. policy: None = the default policy.
    reference_values: DSSE envelopes signed by one of `build_keys`. trust: None = the pinned vendors' roots.
    """
    parsed: SnpReport | None = None
    try:
        chosen = AppraisalPolicy.load(policy or DEFAULT_POLICY)
        expected = _expected_report_data(nonce)
        values = _reference_values(reference_values, tuple(build_keys))
        parsed = _parse(report)
        verified = _verify(parsed, endorsements, trust or TrustStore.production(), at)
    except VerificationFailed as failure:
        return Verdict(at, report=parsed, failure=failure, result=rejected(failure, chosen, parsed))
    except VerifierError as error:
        return Verdict(at, report=parsed, error=str(error))
    result = appraise(verified, chosen, report_data=expected, reference_values=values)
    return Verdict(at, report=parsed, verified=verified, result=result)


def _verify(report: SnpReport, directory: Path, trust: TrustStore, at: datetime) -> VerifiedReport:
    kind = report.signing_key
    if kind is None:
        raise VerificationFailed("signing-key", "neither a VCEK nor a VLEK signed the report")
    try:
        endorsements = Endorsements.from_directory(directory, kind)
        return verify(report, endorsements, trust, at, crls=revocation_lists(directory))
    except MalformedEvidence as error:
        raise UnreadableInput(f"{directory}: {error}") from None


def _parse(path: Path) -> SnpReport:
    try:
        return parse(read_bytes(path, MAX_REPORT_BYTES))
    except MalformedEvidence as error:
        raise UnreadableInput(f"{path}: {error}") from None


def _expected_report_data(nonce: bytes | None) -> bytes | None:
    size = next(field.size for field in layout.FIELDS if field.name == "report_data")
    if nonce is None:
        return None
    if len(nonce) > size:
        raise UnreadableInput(f"nonce: {len(nonce)} bytes given, REPORT_DATA holds at most {size}")
    return nonce.ljust(size, b"\0")


def _reference_values(paths: Sequence[Path], keys: tuple[ec.EllipticCurvePublicKey, ...]) -> list[ReferenceValues]:
    values = []
    for path in paths:
        try:
            values.append(read_bundle(read_bytes(path), keys))
        except InvalidReferenceValues as error:
            raise InvalidReferenceValues(f"{path}: {error}") from None
    return values
