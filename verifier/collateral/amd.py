"""AMD's objects: a VCEK or VLEK with its chain, a product's chain alone, and the CRLs of the ARKs (AMD 57230).

amd-vcek, amd-vlek   PEM: the leaf, ASK or ASVK, ARK
amd-chain            PEM: ASK or ASVK, ARK
amd-crl              DER
"""

from __future__ import annotations

from datetime import datetime

from verifier.collateral import needs, pem
from verifier.errors import VerificationFailed
from verifier.pki import Certificate, RevocationList
from verifier.pki.ecdsa import P384
from verifier.pki.signature import is_pss_sha384, verifies
from verifier.snp import Endorsements, SigningKey, SnpReport
from verifier.snp.chain import VerifiedChain, rsa_key, verified_chain
from verifier.snp.product import product_of_name
from verifier.snp.revocation import verified_list
from verifier.snp.verification import check_signature
from verifier.trust import TrustStore

_ARK = "ARK-"
_NAMES = {"SEV-VLEK-": SigningKey.VLEK, "SEV-": SigningKey.VCEK}


def endorsements(content: bytes, kind: SigningKey) -> Endorsements:
    """A VCEK or VLEK object, for verification."""
    leaf, intermediate, ark = pem.only(content, *[pem.CERTIFICATE] * 3)
    return Endorsements(leaf, kind, intermediate, ark)


def with_chain(offered: Endorsements, trust: TrustStore) -> bytes:
    """The object of a leaf that holds under a pinned root; VerificationFailed when it does not."""
    chain = verified_chain(offered, trust)
    intermediate = offered.intermediate
    if intermediate is None:
        fingerprint = chain.members[1].fingerprint
        intermediate = next(it.encoded for it in trust.intermediates if it.fingerprint == fingerprint)
    return pem.certificates(offered.leaf, intermediate, chain.anchor.certificate.encoded)


def signed(report: SnpReport, content: bytes) -> bool:
    """Whether the key of a VLEK object signed a report."""
    key = P384.load_key(Certificate.parse(endorsements(content, SigningKey.VLEK).leaf).key)
    if key is None:
        return False
    try:
        check_signature(report, key)
    except VerificationFailed:
        return False
    return True


def inspect_vcek(subject: str, content: bytes, trust: TrustStore) -> tuple[datetime, datetime]:
    """Validity of a genuine VCEK for the chip and TCB that the subject names."""
    chain = verified_chain(endorsements(content, SigningKey.VCEK), trust)
    if chain.hardware_id is None or subject != f"{chain.hardware_id.hex()}-{chain.tcb.hex()}":
        raise VerificationFailed("subject", f"this VCEK is for {_of(chain)}")
    return chain.not_before, chain.not_after


def inspect_vlek(subject: str, content: bytes, trust: TrustStore) -> tuple[datetime, datetime]:
    """Validity of a genuine VLEK."""
    offered = endorsements(content, SigningKey.VLEK)
    chain = verified_chain(offered, trust)
    if subject != needs.vlek_subject(chain.tcb, offered.leaf):
        raise VerificationFailed("subject", f"this VLEK is for {_of(chain)}")
    return chain.not_before, chain.not_after


def inspect_chain(subject: str, content: bytes, trust: TrustStore) -> tuple[datetime, datetime]:
    """Validity of an ASK or ASVK with its pinned ARK."""
    encoded, ark = pem.only(content, pem.CERTIFICATE, pem.CERTIFICATE)
    intermediate, root = Certificate.parse(encoded), _pinned(ark, trust)
    if not intermediate.is_authority or not intermediate.signs_certificates:
        raise VerificationFailed("chain.authority", f"{intermediate.common_name} may not sign certificates")
    if (
        intermediate.issuer != root.subject
        or not is_pss_sha384(intermediate.algorithm)
        or not verifies(rsa_key(root), intermediate.signed, intermediate.signature)
    ):
        raise VerificationFailed(
            "chain.signature", f"{intermediate.common_name} is not signed by the pinned {root.common_name}"
        )
    if subject != _chain_subject(intermediate):
        raise VerificationFailed("subject", f"this is the chain of {intermediate.common_name}")
    return max(intermediate.not_before, root.not_before), min(intermediate.not_after, root.not_after)


def inspect_crl(subject: str, content: bytes, trust: TrustStore) -> tuple[datetime, datetime]:
    """Validity of the CRL of the subject's ARK."""
    issuer = RevocationList.parse(content).issuer
    authority = next((it.certificate for it in trust.anchors if it.certificate.subject == issuer), None)
    if authority is None:
        raise VerificationFailed("crl.issuer", "no pinned root issued this CRL")
    crl = verified_list(authority, content)
    product = product_of_name(authority.common_name.partition(" ")[0].removeprefix(_ARK))
    if crl is None or product is None or product.value != subject:
        raise VerificationFailed("subject", f"this is the CRL of {authority.common_name}")
    return crl.this_update, crl.next_update


def _pinned(ark: bytes, trust: TrustStore) -> Certificate:
    for anchor in trust.anchors:
        if anchor.certificate.encoded == ark:
            return anchor.certificate
    raise VerificationFailed("chain.ark", "the ARK is not a pinned root")


def _chain_subject(intermediate: Certificate) -> str | None:
    name = intermediate.common_name.partition(" ")[0]
    for prefix, kind in _NAMES.items():
        if name.startswith(prefix):
            product = product_of_name(name.removeprefix(prefix))
            return None if product is None else needs.amd_chain(product, kind).subject
    return None


def _of(chain: VerifiedChain) -> str:
    who = chain.csp_id if chain.hardware_id is None else f"chip {chain.hardware_id[:8].hex()}…"
    return f"{who} at TCB {chain.tcb.hex()}"
