"""Intel TDX quotes: parse (bytes → fields) and verify (is it genuine)."""

from verifier.tdx import layout
from verifier.tdx.collateral import Collateral
from verifier.tdx.endorsement import Endorsement
from verifier.tdx.quote import QeReport, TdReport, TdxQuote, is_quote, parse
from verifier.tdx.status import TcbStatus
from verifier.tdx.store import CollateralSource, CollateralStore, KnownCollateral
from verifier.tdx.tcb import TcbEvaluation
from verifier.tdx.verification import VerifiedQuote, verify

__all__ = [
    "Collateral",
    "CollateralSource",
    "CollateralStore",
    "Endorsement",
    "KnownCollateral",
    "QeReport",
    "TcbEvaluation",
    "TcbStatus",
    "TdReport",
    "TdxQuote",
    "VerifiedQuote",
    "is_quote",
    "layout",
    "parse",
    "verify",
]
