"""Everything that vouches for a quote but does not depend on it: PCK chain, CRLs and collateral, verified together.

What verified once is remembered by hash. What depends on time is kept as periods and checked on every use.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from verifier.errors import VerificationFailed
from verifier.pki import RevocationList
from verifier.tdx.chain import Member, PckChain, Period, pck_chain, tcb_signing
from verifier.tdx.collateral import Collateral
from verifier.tdx.ecdsa import verifies_raw
from verifier.tdx.revocation import period, require_not_revoked, revocation_list
from verifier.trust import TrustStore

if TYPE_CHECKING:
    from verifier.tdx.documents import Document, QeIdentity, TcbInfo

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Documents:
    """Verified collateral but for the CRL of the PCK's issuer."""

    root_crl: RevocationList
    signer: Member
    tcb_info: TcbInfo
    qe_identity: QeIdentity


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
    """The endorsement by a PCK chain and collateral, from the store's memory if it has verified it before.

    Collateral is for many platforms: it is remembered once, not with each PCK chain. A chain is the same however its
    PEM is written, and whichever certificate of the pinned root it carries: no caller fills the memory with copies.
    """

    def verify() -> Endorsement:
        chain = pck_chain(pem, trust)
        same = hashlib.sha256(chain.pck.certificate.encoded + chain.intermediate.certificate.encoded).digest()
        return _remembered(
            trust, b"tdx.chain" + same + collateral.digest, Endorsement, lambda: _endorsed(chain, collateral, trust)
        )

    whole = hashlib.sha256(pem).digest() + collateral.digest
    return _remembered(trust, b"tdx.endorsement" + whole, Endorsement, verify)


def _endorsed(chain: PckChain, collateral: Collateral, trust: TrustStore) -> Endorsement:
    """The endorsement by a verified chain; what it shares with other chains is verified once."""
    root_key = hashlib.sha256(chain.root.certificate.key).digest()
    known = _remembered(
        trust, b"tdx.collateral" + collateral.digest + root_key, _Documents, lambda: _documents(collateral, chain)
    )
    crl_key = hashlib.sha256(collateral.pck_crl + chain.intermediate.certificate.key).digest()
    pck_crl = _remembered(
        trust,
        b"tdx.crl" + crl_key,
        RevocationList,
        lambda: revocation_list(collateral.pck_crl, "pck", chain.intermediate),
    )
    return _combine(chain, known, pck_crl, collateral)


def _remembered(trust: TrustStore, key: bytes, kind: type[T], verify: Callable[[], T]) -> T:
    """What the store remembers under `key`, or else what `verify` gives; a failure is not remembered."""
    known = trust.verified.get(key)
    if isinstance(known, kind):
        return known
    fresh = verify()
    trust.verified.put(key, fresh)
    return fresh


def _documents(collateral: Collateral, chain: PckChain) -> _Documents:
    """The part of the collateral that is the same for every platform under a root."""
    # Imported here: pydantic takes its time for the models, and who verifies anything but a quote needs none of them.
    from verifier.tdx.documents import read_qe_identity, read_tcb_info

    root_crl = revocation_list(collateral.root_crl, "root", chain.root)
    signer = tcb_signing(collateral.tcb_signing_chain, chain.root)
    require_not_revoked(signer, root_crl)
    tcb_info = read_tcb_info(_signed(collateral.tcb_info, collateral.tcb_info_signature, signer, "tcb-info"))
    qe_identity = read_qe_identity(
        _signed(collateral.qe_identity, collateral.qe_identity_signature, signer, "qe-identity")
    )
    return _Documents(root_crl, signer, tcb_info, qe_identity)


def _combine(chain: PckChain, documents: _Documents, pck_crl: RevocationList, collateral: Collateral) -> Endorsement:
    """A PCK chain with the collateral that must be for its platform and must not revoke it."""
    require_not_revoked(chain.intermediate, documents.root_crl)
    require_not_revoked(chain.pck, pck_crl)
    _require_same_platform(chain, documents.tcb_info)
    periods = (
        chain.pck.period,
        chain.intermediate.period,
        chain.root.period,
        documents.signer.period,
        period(documents.root_crl, "root"),
        period(pck_crl, "pck"),
        _document_period(documents.tcb_info, "tcb-info", "the TCB info"),
        _document_period(documents.qe_identity, "qe-identity", "the QE identity"),
    )
    return Endorsement(
        chain=chain,
        signer=documents.signer,
        tcb_info=documents.tcb_info,
        qe_identity=documents.qe_identity,
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
