"""How current the TCB of a TD is: levels of the platform, the TDX module and the QE, and what they say together.

Source: Intel PCS API v4, "TCB info" (order of comparison); Intel, "SGX and TDX DCAP Quote Verification Library",
4.1.2.4.9 (QE identity) and 4.1.2.4.17 (TCB levels, TDX module identity, convergence, relaunch).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from operator import ge
from typing import TYPE_CHECKING, Final

from verifier.errors import VerificationFailed
from verifier.tdx.pck import Platform
from verifier.tdx.quote import QeReport, TdReport
from verifier.tdx.status import Rating, TcbStatus, after_update, converge

if TYPE_CHECKING:
    from verifier.tdx.documents import PartLevel, QeIdentity, TcbInfo, TdxModule, TdxModuleIdentity

MODULE_SVN: Final = 0
"""Index in TEE_TCB_SVN of the TDX module's SVN, MODULE_MAJOR that of its major version."""
MODULE_MAJOR: Final = 1
_AFTER_MODULE: Final = 2


@dataclass(frozen=True, slots=True)
class TcbEvaluation:
    """The TCB of a TD, part by part.

    status: all parts converged. platform, qe: their levels; module: that of the TDX module, None for a module of
    major version 0, which is rated with the platform.
    running: TD 1.5 only, the converged status with TEE_TCB_SVN_2, the TDX module that runs the TD now.
    """

    status: TcbStatus
    platform: Rating
    module: Rating | None
    qe: Rating
    running: TcbStatus | None

    @property
    def advisories(self) -> tuple[str, ...]:
        """The security advisories that apply to any part, without repetition, in order of their ids."""
        parts = (self.platform, self.qe) if self.module is None else (self.platform, self.module, self.qe)
        return tuple(sorted({advisory for part in parts for advisory in part.advisories}))

    @property
    def date(self) -> datetime:
        """tcbDate of the part that is furthest behind."""
        parts = (self.platform, self.qe) if self.module is None else (self.platform, self.module, self.qe)
        return min(part.date for part in parts)


def evaluate(
    report: TdReport, qe_report: QeReport, platform: Platform, tcb_info: TcbInfo, identity: QeIdentity
) -> TcbEvaluation:
    """Rate a TD; VerificationFailed when a part is not one that Intel's documents know."""
    qe = _qe(qe_report, identity)
    _require_module(report, tcb_info)
    platform_rating, module, status = _rate(report.tee_tcb_svn, platform, tcb_info, qe)
    running = None
    if report.tee_tcb_svn_2 is not None:
        if report.tee_tcb_svn_2 == report.tee_tcb_svn:
            running = status
        else:
            running = _rate(report.tee_tcb_svn_2, platform, tcb_info, qe)[2]
            status = after_update(status, running)
    return TcbEvaluation(status, platform_rating, module, qe, running)


def _qe(report: QeReport, identity: QeIdentity) -> Rating:
    """The quoting enclave against its identity."""
    if report.mr_signer != identity.mrsigner:
        raise VerificationFailed("qe.mrsigner", f"signer {report.mr_signer.hex()} is not Intel's QE signer")
    if report.isv_prod_id != identity.isvprodid:
        raise VerificationFailed(
            "qe.isvprodid", f"product {report.isv_prod_id}, {identity.isvprodid} is the TDX quoting enclave"
        )
    if report.misc_select & identity.miscselect_mask != identity.miscselect:
        raise VerificationFailed("qe.miscselect", f"MISCSELECT {report.misc_select:#x} is not the QE identity's")
    attributes = int.from_bytes(report.attributes, "little")
    if attributes & identity.attributes_mask != identity.attributes:
        raise VerificationFailed("qe.attributes", f"ATTRIBUTES {report.attributes.hex()} are not the QE identity's")
    return _level(report.isv_svn, identity.tcb_levels, "qe.isvsvn", "QE")


def _require_module(report: TdReport, tcb_info: TcbInfo) -> None:
    """Who signed the TDX module, and its attributes."""
    expected: TdxModule = _identity(report.tee_tcb_svn, tcb_info) or tcb_info.tdx_module
    if report.mr_signer_seam != expected.mrsigner:
        raise VerificationFailed("module.mrsigner", f"MRSIGNERSEAM {report.mr_signer_seam.hex()} is not Intel's")
    if report.seam_attributes & expected.attributes_mask != expected.attributes:
        raise VerificationFailed(
            "module.attributes", f"SEAMATTRIBUTES {report.seam_attributes:#x} are not those of a TDX module"
        )


def _rate(svn: bytes, platform: Platform, tcb_info: TcbInfo, qe: Rating) -> tuple[Rating, Rating | None, TcbStatus]:
    """Levels of the platform and the TDX module for a TEE_TCB_SVN, and the status of both with the QE's."""
    identity = _identity(svn, tcb_info)
    module = None
    if identity is not None:
        module = _level(svn[MODULE_SVN], identity.tcb_levels, "module.isvsvn", "TDX module")
    rating = _platform(svn, platform, tcb_info)
    status = rating.status if module is None else converge(rating.status, module.status)
    return rating, module, converge(status, qe.status)


def _identity(svn: bytes, tcb_info: TcbInfo) -> TdxModuleIdentity | None:
    """The identity of a TDX module of major version 1 or later; None for version 0, which has none."""
    major = svn[MODULE_MAJOR]
    if not major:
        return None
    identity = tcb_info.modules.get(major)
    if identity is None:
        raise VerificationFailed("module.identity", f"the TCB info knows no TDX module of major version {major}")
    return identity


def _platform(svn: bytes, platform: Platform, tcb_info: TcbInfo) -> Rating:
    """The first level that the platform reaches in every SVN; levels come best first."""
    first = _AFTER_MODULE if svn[MODULE_MAJOR] else 0
    mine = svn[first:]
    for level in tcb_info.tcb_levels:
        least = level.tcb
        if (
            platform.pcesvn >= least.pcesvn
            and all(map(ge, platform.components, least.sgx))
            and all(map(ge, mine, least.tdx[first:]))
        ):
            return level.rating
    raise VerificationFailed(
        "tcb.level",
        f"no TCB level of the TCB info is reached: SGX {platform.components.hex()}, PCESVN {platform.pcesvn}, "
        f"TDX {svn.hex()}",
    )


def _level(svn: int, levels: tuple[PartLevel, ...], check: str, what: str) -> Rating:
    for level in levels:
        if svn >= level.tcb.isvsvn:
            return level.rating
    raise VerificationFailed(check, f"SVN {svn} of the {what} is below every level that Intel lists")
