"""Intel's objects, each with the issuer chain that the service gives in a header (PCS API v4).

    intel-tcb-info, intel-qe-identity   PEM: TCB signing certificate, root; then the answer as it was served
    intel-pck-crl                       PEM: CA that issues PCKs, root, CRL
    intel-root-crl                      DER

What is signed are the exact bytes of one member of the answer, so that it is cut out and never written anew.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import datetime
from typing import Final, TypeVar

from verifier.collateral import needs, pem
from verifier.errors import MalformedEvidence, VerificationFailed
from verifier.pki import Certificate, RevocationList
from verifier.tdx import Collateral
from verifier.tdx.chain import PCK_AUTHORITIES, SCOPE, Member, pck_authority, tcb_signing, trusted_root
from verifier.tdx.documents import Document, read_qe_identity, read_tcb_info
from verifier.tdx.ecdsa import SIGNATURE_BYTES, verifies_raw
from verifier.tdx.revocation import revocation_list
from verifier.trust import TrustStore

TCB_INFO_MEMBER: Final = "tcbInfo"
QE_IDENTITY_MEMBER: Final = "enclaveIdentity"

D = TypeVar("D", bound=Document)

_SIGNATURE: Final = re.compile(rb'\s*,\s*"signature"\s*:\s*"([0-9A-Fa-f]{%d})"\s*\}\s*' % (2 * SIGNATURE_BYTES))
_CAS: Final = dict(zip(("platform", "processor"), PCK_AUTHORITIES, strict=True))


def collateral(tcb_info: bytes, qe_identity: bytes, root_crl: bytes, pck_crl: bytes) -> Collateral:
    """Four objects as one set of collateral, for verification."""
    chain, info, info_signature = _document(tcb_info, TCB_INFO_MEMBER)
    _, identity, identity_signature = _document(qe_identity, QE_IDENTITY_MEMBER)
    *_, crl = pem.only(pck_crl, pem.CERTIFICATE, pem.CERTIFICATE, pem.CRL)
    return Collateral(
        tcb_info=info,
        tcb_info_signature=info_signature,
        qe_identity=identity,
        qe_identity_signature=identity_signature,
        tcb_signing_chain=chain,
        root_crl=root_crl,
        pck_crl=crl,
    )


def inspect_tcb_info(subject: str, content: bytes, trust: TrustStore) -> tuple[datetime, datetime]:
    """Validity of a genuine TCB info for the FMSPC that the subject names."""
    document = _signed(content, TCB_INFO_MEMBER, "tcb-info", read_tcb_info, trust)
    _require_issue(subject, document.fmspc.hex(), document, "TCB info")
    return document.issue_date, document.next_update


def inspect_qe_identity(subject: str, content: bytes, trust: TrustStore) -> tuple[datetime, datetime]:
    """Validity of a genuine identity of the TDX quoting enclave."""
    document = _signed(content, QE_IDENTITY_MEMBER, "qe-identity", read_qe_identity, trust)
    _require_issue(subject, needs.QE, document, "identity of the quoting enclave")
    return document.issue_date, document.next_update


def inspect_pck_crl(subject: str, content: bytes, trust: TrustStore) -> tuple[datetime, datetime]:
    """Validity of the CRL of the CA that the subject names."""
    authority, root, encoded = pem.only(content, pem.CERTIFICATE, pem.CERTIFICATE, pem.CRL)
    member = pck_authority(pem.certificates(authority, root), trust)
    if member.certificate.common_name != _CAS.get(subject):
        raise VerificationFailed("subject", f"this is the CRL of {member.certificate.common_name}")
    crl = revocation_list(encoded, "pck", member)
    return crl.this_update, crl.next_update


def inspect_root_crl(subject: str, content: bytes, trust: TrustStore) -> tuple[datetime, datetime]:
    """Validity of the CRL of a pinned root."""
    if subject != needs.ROOT:
        raise VerificationFailed("subject", f"there is one CRL of the root, called {needs.ROOT}")
    issuer = RevocationList.parse(content).issuer
    for anchor in trust.anchors:
        if SCOPE in anchor.scope and anchor.certificate.subject == issuer:
            crl = revocation_list(content, "root", _root(anchor.certificate, trust))
            return crl.this_update, crl.next_update
    raise VerificationFailed("crl.root.issuer", "no pinned root for TDX issued this CRL")


def _require_issue(subject: str, name: str, document: Document, what: str) -> None:
    """Which of standard and early a document is, it does not say; its number it does."""
    found, update = needs.read_update(subject)
    number = document.tcb_evaluation_data_number
    if found != name or (update.isdigit() and int(update) != number):
        raise VerificationFailed("subject", f"this is the {what} for {name} with tcbEvaluationDataNumber {number}")


def _root(certificate: Certificate, trust: TrustStore) -> Member:
    return trusted_root(certificate, trust)[1]


def _document(content: bytes, member: str) -> tuple[bytes, bytes, bytes]:
    """Issuer chain in PEM, the exact signed bytes, and the signature r ‖ s of an answer."""
    blocks, body = pem.split(content, pem.CERTIFICATE, pem.CERTIFICATE)
    signed, signature = signed_member(body, member)
    return pem.certificates(*blocks), signed, signature


def signed_member(body: bytes, member: str) -> tuple[bytes, bytes]:
    """The bytes of `{"<member>": …, "signature": "…"}` that are signed, and the signature (r ‖ s, 64 bytes).

    MalformedEvidence for any other shape, so that there is one reading of what is signed.
    """
    opening = re.match(rb'\s*\{\s*"%s"\s*:\s*' % member.encode("ascii"), body)
    if opening is None:
        raise MalformedEvidence(0, f'an answer that starts with {{"{member}": expected')
    try:
        _, length = json.JSONDecoder().raw_decode(body[opening.end() :].decode("ascii"))
    except (ValueError, RecursionError):
        raise MalformedEvidence(opening.end(), f"{member}: cut off, or not JSON in ASCII") from None
    end = opening.end() + length
    rest = _SIGNATURE.fullmatch(body, end)
    if rest is None:
        raise MalformedEvidence(end, f"{member} is not followed by a signature of {SIGNATURE_BYTES} bytes in hex alone")
    return body[opening.end() : end], bytes.fromhex(rest[1].decode("ascii"))


def _signed(content: bytes, member: str, name: str, read: Callable[[bytes], D], trust: TrustStore) -> D:
    chain, signed, signature = _document(content, member)
    root = _root(Certificate.parse(pem.split(chain, pem.CERTIFICATE, pem.CERTIFICATE)[0][1]), trust)
    signer = tcb_signing(chain, root)
    if not verifies_raw(signer.key, signed, signature):
        raise VerificationFailed(f"{name}.signature", f"{signer.certificate.common_name} did not sign exactly this")
    return read(signed)
