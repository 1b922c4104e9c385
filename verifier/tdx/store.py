"""Where collateral comes from: the verifier's own folders, one for each kind of platform. A guest never brings it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from verifier.errors import UnreadableInput, VerificationFailed
from verifier.pki import Certificate
from verifier.pki.files import pem_values
from verifier.tdx.collateral import Collateral
from verifier.tdx.pck import read_platform
from verifier.tdx.quote import TdxQuote


class CollateralSource(Protocol):
    """Finds what a quote is to be judged with."""

    def find(self, quote: TdxQuote) -> Collateral:
        """The collateral for the quote's platform; VerificationFailed `collateral.missing` when there is none."""


@dataclass(frozen=True)
class CollateralStore:
    """`directory/<FMSPC in hex>/`, each as `Collateral.from_directory` reads it. None: an empty store.

    Folders are read when they are needed, so that what a publisher puts there counts at once. It exchanges a folder as
    a whole: documents and signatures of two issues do not fit together, and evidence is refused meanwhile.
    """

    directory: Path | None

    def find(self, quote: TdxQuote) -> Collateral:
        """The collateral for the FMSPC that the quote's PCK certificate names; whether it fits is verified later."""
        fmspc = _fmspc(quote)
        folder = self.directory / fmspc if self.directory else None
        if folder is None or not folder.is_dir():
            where = "the verifier has no collateral store" if folder is None else f"{folder} is not there"
            raise VerificationFailed("collateral.missing", f"no collateral for platforms with FMSPC {fmspc}: {where}")
        try:
            return Collateral.from_directory(folder)
        except UnreadableInput as error:
            raise VerificationFailed("collateral.missing", str(error)) from None


@dataclass(frozen=True)
class KnownCollateral:
    """Always the same collateral: for judging again what was judged with it before."""

    collateral: Collateral | None

    def find(self, quote: TdxQuote) -> Collateral:  # noqa: ARG002 - whether it fits the quote is verified later
        """The collateral."""
        if self.collateral is None:
            raise VerificationFailed("collateral.missing", "what the quote was judged with is not there")
        return self.collateral


def _fmspc(quote: TdxQuote) -> str:
    """FMSPC of the quote's first certificate, which is not verified yet, in lower-case hex."""
    certificates = pem_values(quote.certification)
    if not certificates:
        raise VerificationFailed("chain.length", "PCK chain: no certificates; PCK, intermediate, root expected")
    return read_platform(Certificate.parse(certificates[0])).fmspc.hex()
