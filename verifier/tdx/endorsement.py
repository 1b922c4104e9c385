"""Everything that vouches for a quote but does not depend on it: PCK chain, CRLs and collateral, verified together.

What verified once is remembered by hash. What depends on time is kept as periods and checked on every use.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from verifier.errors import VerificationFailed
from verifier.tdx.chain import Member, PckChain, Period, pck_chain, tcb_signing
from verifier.tdx.collateral import Collateral
from verifier.tdx.documents import Document, QeIdentity, TcbInfo, read_qe_identity, read_tcb_info
from verifier.tdx.ecdsa import verifies_raw
from verifier.tdx.revocation import period, require_not_revoked, revocation_list
from verifier.trust import TrustStore

_MEMORY: Final = b"tdx"


@dataclass(frozen=True, slots=True)
class Endorsement:
    """A verified PCK chain with verified collateral for its platform.

    periods: when each part is valid; start and end: when all are. collateral_sha256: of the collateral, hex.
    """

    chain: PckChain
    signer: Member
    tcb_info: TcbInfo
    qe_identity: QeIdentity
    periods: tuple[Period, ...]
    start: datetime
    end: datetime
    collateral_sha256: str

    def require_valid(self, at: datetime) -> None:
        """VerificationFailed when a part is not valid at `at`."""
        if not self.start <= at <= self.end:
            for part in self.periods:
                part.require(at)


def endorsement(pem: bytes, collateral: Collateral, trust: TrustStore) -> Endorsement:
    """The endorsement by a PCK chain and collateral, from the store's memory if it has verified it before."""
    key = _MEMORY + hashlib.sha256(pem).digest() + collateral.digest
    known = trust.verified.get(key)
    if isinstance(known, Endorsement):
        return known
    fresh = _verify(pem, collateral, trust)
    trust.verified.put(key, fresh)
    return fresh


def _verify(pem: bytes, collateral: Collateral, trust: TrustStore) -> Endorsement:
    chain = pck_chain(pem, trust)
    root_crl = revocation_list(collateral.root_crl, "root", chain.root)
    pck_crl = revocation_list(collateral.pck_crl, "pck", chain.intermediate)
    signer = tcb_signing(collateral.tcb_signing_chain, chain.root)
    require_not_revoked(chain.intermediate, root_crl)
    require_not_revoked(chain.pck, pck_crl)
    require_not_revoked(signer, root_crl)

    tcb_info = read_tcb_info(_signed(collateral.tcb_info, collateral.tcb_info_signature, signer, "tcb-info"))
    qe_identity = read_qe_identity(
        _signed(collateral.qe_identity, collateral.qe_identity_signature, signer, "qe-identity")
    )
    _require_same_platform(chain, tcb_info)
    periods = (
        chain.pck.period,
        chain.intermediate.period,
        chain.root.period,
        signer.period,
        period(root_crl, "root"),
        period(pck_crl, "pck"),
        _document_period(tcb_info, "tcb-info", "the TCB info"),
        _document_period(qe_identity, "qe-identity", "the QE identity"),
    )
    return Endorsement(
        chain=chain,
        signer=signer,
        tcb_info=tcb_info,
        qe_identity=qe_identity,
        periods=periods,
        start=max(part.start for part in periods),
        end=min(part.end for part in periods),
        collateral_sha256=collateral.digest.hex(),
    )


def _signed(document: bytes, signature: bytes, signer: Member, name: str) -> bytes:
    """The document, if its exact bytes are signed: it is not read before."""
    if not verifies_raw(signer.key, document, signature):
        raise VerificationFailed(
            f"{name}.signature", f"{signer.certificate.common_name} did not sign exactly these bytes"
        )
    return document


def _require_same_platform(chain: PckChain, tcb_info: TcbInfo) -> None:
    platform = chain.platform
    for name, mine, theirs in (
        ("fmspc", platform.fmspc, tcb_info.fmspc),
        ("pceid", platform.pce_id, tcb_info.pce_id),
    ):
        if mine != theirs:
            raise VerificationFailed(
                f"tcb-info.{name}", f"the PCK is for {name.upper()} {mine.hex()}, the TCB info for {theirs.hex()}"
            )


def _document_period(document: Document, name: str, what: str) -> Period:
    return Period(f"{name}.validity", what, document.issue_date, document.next_update)
