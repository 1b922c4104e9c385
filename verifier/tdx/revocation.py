"""Intel's CRLs: the root's revokes CAs and TCB signers, a PCK CA's revokes PCKs. TDX evidence needs both."""

from __future__ import annotations

from verifier.errors import MalformedEvidence, VerificationFailed
from verifier.pki import RevocationList
from verifier.tdx.chain import Member, Period
from verifier.tdx.ecdsa import is_ecdsa_sha256, verifies


def revocation_list(encoded: bytes, name: str, authority: Member) -> RevocationList:
    """The CRL that `authority` signed; name: `root` or `pck`, for the checks."""
    check = f"crl.{name}"
    issuer = authority.certificate.common_name
    try:
        crl = RevocationList.parse(encoded)
        algorithm_is_known = is_ecdsa_sha256(crl.algorithm)
    except MalformedEvidence as error:
        raise MalformedEvidence(error.offset, f"{name} CRL: {error.reason}") from None
    if crl.issuer != authority.certificate.subject:
        raise VerificationFailed(f"{check}.issuer", f"the {name} CRL is not {issuer}'s")
    if crl.unknown_critical:
        raise VerificationFailed(
            f"{check}.extensions", f"the {name} CRL has the unknown critical extension {crl.unknown_critical[0]}"
        )
    if not authority.certificate.signs_revocations:
        raise VerificationFailed(f"{check}.authority", f"{issuer} may not sign CRLs")
    if not algorithm_is_known or not verifies(authority.key, crl.signed, crl.signature):
        raise VerificationFailed(f"{check}.signature", f"the {name} CRL is not signed by {issuer} with ECDSA SHA-256")
    return crl


def period(crl: RevocationList, name: str) -> Period:
    """When a CRL may be relied on."""
    return Period(f"crl.{name}.validity", f"the {name} CRL", crl.this_update, crl.next_update)


def require_not_revoked(member: Member, crl: RevocationList) -> None:
    """VerificationFailed when a certificate's serial number is in its issuer's CRL."""
    certificate = member.certificate
    if certificate.serial_number in crl.revoked:
        raise VerificationFailed(
            f"chain.{member.role}.revoked",
            f"{certificate.common_name} (serial {certificate.serial_number:#x}) is in its issuer's CRL",
        )
