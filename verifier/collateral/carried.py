"""Collateral for a processor's report that came in one message with a part of it, as Google's guests send theirs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from verifier.collateral.source import DeviceCollateral, SnpCollateral, Source, TdxCollateral
from verifier.errors import UnreadableInput
from verifier.snp import Endorsements, SnpReport
from verifier.tdx import TdxQuote
from verifier.tpm import CarriedReport
from verifier.trust import TrustStore

if TYPE_CHECKING:
    from verifier import nvidia

NO_SOURCE: Final = "collateral: none given, and this evidence needs it; name a collateral store or a folder"


@dataclass(frozen=True)
class Carried:
    """What a message carries, and the source beside it; None: there is none, and the message must be enough.

    Certificates of the message go before the source's; the firmware's endorsement is the source's, if it has one.
    """

    report: CarriedReport
    beside: Source | None

    def snp(self, report: SnpReport, given: Endorsements | None = None) -> SnpCollateral:
        """The message's certificates or the source's, with the source's CRLs."""
        endorsements = given or self.report.endorsements
        if self.beside is None and endorsements is not None:
            return SnpCollateral(endorsements, (), firmware=self.report.firmware)
        found = self._source.snp(report, endorsements)
        return replace(found, firmware=found.firmware or self.report.firmware)

    def tdx(self, quote: TdxQuote) -> TdxCollateral:
        """The source's: a quote has its chain in itself, and a message nothing more."""
        return self._source.tdx(quote)

    def devices(self, devices: Sequence[nvidia.DeviceEvidence], trust: TrustStore) -> DeviceCollateral:
        """The source's."""
        return self._source.devices(devices, trust)

    @property
    def _source(self) -> Source:
        if self.beside is None:
            raise UnreadableInput(NO_SOURCE)
        return self.beside
