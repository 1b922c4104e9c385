"""AMD's CRLs: one per product line, signed by the ARK, revoking ASKs and ASVKs (AMD 57230)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from enum import Enum
from typing import Final

from verifier.errors import MalformedEvidence, VerificationFailed
from verifier.pki import Certificate, RevocationList
from verifier.pki.signature import is_pss_sha384, verifies
from verifier.snp.chain import VerifiedChain, rsa_key
from verifier.trust import TrustStore

_FOREIGN: Final = "another issuer's"


class Revocation(Enum):
    """Whether revocation was looked up. That it was not is for the appraisal policy to accept or refuse."""

    CHECKED = "checked"
    NO_LIST = "no CRL of this root was given"


def check_revocation(chain: VerifiedChain, crls: Sequence[bytes], trust: TrustStore, at: datetime) -> Revocation:
    """Look the intermediate up in the newest CRL that the chain's root issued.

    crls: DER, from the verifier's own collateral; lists of other roots are skipped. A list of this root that is
    forged, out of date at `at` or not understood fails: it never counts as no list.
    """
    authority = chain.anchor.certificate
    own = [crl for crl in (_list_of(authority, encoded, trust) for encoded in crls) if crl is not None]
    if not own:
        return Revocation.NO_LIST
    crl = max(own, key=lambda it: it.this_update)
    if not crl.this_update <= at <= crl.next_update:
        raise VerificationFailed(
            "crl.validity",
            f"the CRL of {authority.common_name} is for {crl.this_update:%Y-%m-%d %H:%M:%S} to "
            f"{crl.next_update:%Y-%m-%d %H:%M:%S} UTC",
        )
    for member in chain.members[1:]:
        if member.serial_number in crl.revoked:
            raise VerificationFailed(
                f"chain.{member.role}.revoked",
                f"{member.common_name} (serial {member.serial_number:#x}) is in the CRL of {authority.common_name}",
            )
    return Revocation.CHECKED


def _list_of(authority: Certificate, encoded: bytes, trust: TrustStore) -> RevocationList | None:
    """The verified CRL of `authority`; None when another one issued it."""
    digest = hashlib.sha256(encoded)
    digest.update(authority.encoded)
    key = b"crl" + digest.digest()
    known = trust.verified.get(key)
    if known is None:
        known = verified_list(authority, encoded) or _FOREIGN
        trust.verified.put(key, known)
    return known if isinstance(known, RevocationList) else None


def verified_list(authority: Certificate, encoded: bytes) -> RevocationList | None:
    """The CRL, if `authority` signed it; None when another one issued it, whatever its time."""
    try:
        crl = RevocationList.parse(encoded)
        if crl.issuer != authority.subject:
            return None
        algorithm_is_known = is_pss_sha384(crl.algorithm)
    except MalformedEvidence as error:
        raise MalformedEvidence(error.offset, f"CRL: {error.reason}") from None
    if crl.unknown_critical:
        raise VerificationFailed(
            "crl.extensions", f"the CRL has the critical extension {crl.unknown_critical[0]}, which is not known"
        )
    if not authority.signs_revocations:
        raise VerificationFailed("crl.authority", f"{authority.common_name} may not sign CRLs")
    if not algorithm_is_known or not verifies(rsa_key(authority), crl.signed, crl.signature):
        raise VerificationFailed(
            "crl.signature", f"the CRL is not signed by {authority.common_name} with RSASSA-PSS SHA-384"
        )
    return crl
