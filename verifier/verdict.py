"""The verdict on one piece of evidence, which has two answers.

*Genuine*: the vendor's hardware signed this evidence. *Acceptable*: the policy affirms it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import TYPE_CHECKING, Any, TypeAlias

from verifier import aws, azure, ear, nitro, snp, tdx, tpm
from verifier.appraisal import AttestationResult, Claim, Tier
from verifier.errors import VerificationFailed

if TYPE_CHECKING:
    from verifier import tokens
    from verifier.google.machine import VerifiedMachine
    from verifier.google.vtpm import VerifiedVtpm
    from verifier.nvidia.files import Devices, VerifiedDevices

Evidence: TypeAlias = (
    "snp.SnpReport | tdx.TdxQuote | azure.AzureEvidence | aws.AwsEvidence | nitro.NitroDocument | "
    "tpm.VtpmAttestation | Devices"
)
Verified: TypeAlias = (
    "snp.VerifiedReport | tdx.VerifiedQuote | azure.VerifiedVm | aws.VerifiedInstance | nitro.VerifiedDocument | "
    "VerifiedVtpm | VerifiedMachine | VerifiedDevices"
)


class ExitCode(IntEnum):
    """What the process returns."""

    AFFIRMING = 0
    NOT_AFFIRMING = 1
    UNUSABLE_INPUT = 2


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome for one piece of evidence, or for a token: what a third party says about evidence of its own.

    error: set when an input could not be used; one line, and the rest is then None.
    failure: set when the evidence is not genuine, or cannot be shown to be.
    result: the appraisal; for evidence that is not genuine, the contraindicated one.
    asserted_by: of a token, whose word it rests on; None: on hardware's.
    """

    at: datetime
    evidence: Evidence | tokens.Token | None = None
    verified: Verified | tokens.VerifiedToken | None = None
    failure: VerificationFailed | None = None
    result: AttestationResult | None = None
    error: str | None = None
    asserted_by: str | None = None

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
        basis = "" if self.asserted_by is None else f"{self.asserted_by}: "
        against = [] if self.acceptable else [claim for claim in self.claims if claim.tier > Tier.AFFIRMING]
        if not against:
            return f"{basis}genuine and acceptable{self._not_appraised()}"
        worst = max(against, key=lambda claim: claim.score)
        more = f" (and {len(against) - 1} more)" if len(against) > 1 else ""
        return f"{basis}genuine, but not acceptable: {worst.name}: {worst.reason}{more}"

    def as_json(self) -> dict[str, Any]:
        """The verdict as JSON members, for `--json`."""
        content = {"exit_code": int(self.exit_code), **self.outcome()}
        if self.result is not None:
            content["submods"] = {name: ear.submodule(appraisal) for name, appraisal in self.result.submods.items()}
        return content

    def outcome(self) -> dict[str, Any]:
        """The verdict as JSON members, without its claims."""
        content: dict[str, Any] = {
            "summary": self.summary,
            "at": self.at.isoformat(),
            "genuine": self.genuine,
            "acceptable": self.acceptable,
        }
        if self.asserted_by is not None:
            content["asserted_by"] = self.asserted_by
        if self.failure is not None:
            content["failed_check"] = self.failure.check
        if self.result is not None:
            content["status"] = str(self.result.status)
        return content

    def _not_appraised(self) -> str:
        names = [claim.name for claim in self.claims if claim.tier is Tier.NONE]
        return f"; not appraised: {', '.join(names)}" if names else ""
