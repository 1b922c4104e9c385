"""Is a report genuine: did AMD's firmware, on a chip that AMD endorses, sign these bytes?

Steps and order follow AMD 56860 (7.3) and 57230. Whether a genuine report is acceptable (debug, VMPL, minimum
TCB, measurement) is another question, and `verifier.appraisal` answers it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from verifier.errors import VerificationFailed
from verifier.snp import layout
from verifier.snp.chain import VerifiedChain, verified_chain
from verifier.snp.endorsement import Endorsements
from verifier.snp.product import Product, Tcb, product_of_cpuid
from verifier.snp.report import SigningKey, SnpReport
from verifier.snp.revocation import Revocation, check_revocation
from verifier.trust import TrustStore

P384_ORDER: Final = int(
    "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973", 16
)
"""Order of the P-384 group (NIST SP 800-186, 3.2.1.4)."""

_ECDSA: Final = ec.ECDSA(hashes.SHA384())
_NO_CHIP_ID: Final = bytes(64)
_MEANING_OF_KEY: Final = {7: "no key (SIGNING_KEY 7)"}


@dataclass(frozen=True, slots=True)
class VerifiedReport:
    """A genuine report with what verification established about it.

    product: from CPUID and the certificate, which agree. current, committed, reported, launch: TCBs decoded.
    chain: the verified certificates. revocation: whether a CRL was consulted.
    chip_id_masked: CHIP_ID is zero under a VCEK, so nothing ties the report to the certificate's chip but the key.
    at: the time for which all this holds.
    """

    report: SnpReport
    product: Product
    current: Tcb
    committed: Tcb
    reported: Tcb
    launch: Tcb
    chain: VerifiedChain
    revocation: Revocation
    chip_id_masked: bool
    at: datetime

    def annotations(self) -> dict[str, str | int]:
        """The report's fields and what verification established, for results and receipts."""
        chain = self.chain
        return self.report.annotations() | {
            "product": self.product.value,
            "reported_tcb": str(self.reported),
            "committed_tcb": str(self.committed),
            "current_tcb": str(self.current),
            "launch_tcb": str(self.launch),
            "signing_key": chain.kind.name,
            "leaf_sha256": chain.members[0].fingerprint,
            "trust_anchor": chain.anchor.name,
            "trust_anchor_sha256": chain.members[2].fingerprint,
            "revocation": self.revocation.value,
        }


def verify(
    report: SnpReport,
    endorsements: Endorsements,
    trust: TrustStore,
    at: datetime,
    *,
    crls: Sequence[bytes] = (),
) -> VerifiedReport:
    """Check `report` at the time `at`; VerificationFailed names the first check that does not hold.

    endorsements: what the caller offers; verified up to a root of `trust`. at: aware; there is no default.
    crls: DER, from the verifier's own collateral. Without one the result says so, and the policy decides.
    MalformedEvidence when a certificate or CRL does not parse.
    """
    if at.tzinfo is None:
        raise ValueError("the time of verification must have a time zone")
    kind = _signing_key(report)
    if endorsements.kind is not kind:
        raise VerificationFailed(
            "endorsement.kind", f"a {kind.name} signed the report, a {endorsements.kind.name} is offered"
        )
    chain = verified_chain(endorsements, trust)
    chain.require_valid(at)
    revocation = check_revocation(chain, crls, trust, at) if crls else Revocation.NO_LIST
    product = _product(report, chain)
    masked = _check_chip(report, chain)
    if report.reported_tcb != chain.tcb:
        raise VerificationFailed(
            "tcb.reported",
            f"REPORTED_TCB is {Tcb.decode(report.reported_tcb, product)}, "
            f"the {kind.name} is for {Tcb.decode(chain.tcb, product)}",
        )
    check_signature(report, chain.key)
    current, committed, reported, launch = _tcbs(report, product)
    _check_order("COMMITTED", committed, current)
    _check_order("REPORTED", reported, current)
    return VerifiedReport(report, product, current, committed, reported, launch, chain, revocation, masked, at)


def _signing_key(report: SnpReport) -> SigningKey:
    if report.signature_algo != layout.ECDSA_P384_SHA384:
        raise VerificationFailed(
            "signature.algorithm", f"SIGNATURE_ALGO {report.signature_algo}, 1 (ECDSA P-384 SHA-384) expected"
        )
    kind = report.signing_key
    if kind is None:
        code = report.signing_key_code
        found = (
            "MASK_CHIP_KEY is set"
            if report.key_info & layout.MASK_CHIP_KEY
            else _MEANING_OF_KEY.get(code, f"SIGNING_KEY {code} is not defined")
        )
        raise VerificationFailed("signing-key", f"neither a VCEK nor a VLEK signed the report: {found}")
    return kind


def _product(report: SnpReport, chain: VerifiedChain) -> Product:
    """The product line: of the processor (version 3 and later), and the same as the certificate's."""
    if not report.has_cpuid:
        return chain.product
    family, model = report.cpuid_family, report.cpuid_model
    product = product_of_cpuid(family, model)
    if product is None:
        raise VerificationFailed("product", f"CPUID family {family:#x} model {model:#x} is not known")
    if product is not chain.product:
        raise VerificationFailed(
            "product", f"the processor is a {product.label}, the certificate is for a {chain.product.label}"
        )
    return product


def _check_chip(report: SnpReport, chain: VerifiedChain) -> bool:
    """CHIP_ID against the VCEK's hwID; whether CHIP_ID is masked. A VLEK belongs to a cloud, not to a chip."""
    if chain.hardware_id is None:
        return False
    if report.chip_id == _NO_CHIP_ID:
        return True
    if report.chip_id != chain.hardware_id.ljust(len(_NO_CHIP_ID), b"\0"):
        raise VerificationFailed(
            "chip-id",
            f"CHIP_ID {report.chip_id[:8].hex()}… is not the VCEK's chip {chain.hardware_id[:8].hex()}…",
        )
    return False


def check_signature(report: SnpReport, key: ec.EllipticCurvePublicKey) -> None:
    """VerificationFailed unless `key` signed the report; whose key it is, the chain says."""
    r, s = report.signature_r, report.signature_s
    if not (0 < r < P384_ORDER and 0 < s < P384_ORDER):
        raise VerificationFailed("signature.range", "R or S is zero or not below the order of P-384")
    try:
        key.verify(encode_dss_signature(r, s), report.signed, _ECDSA)
    except InvalidSignature:
        raise VerificationFailed("signature", "the endorsed key did not sign bytes 000h-29Fh of the report") from None


def _tcbs(report: SnpReport, product: Product) -> tuple[Tcb, Tcb, Tcb, Tcb]:
    """CURRENT, COMMITTED, REPORTED and LAUNCH, which are mostly the same 8 bytes."""
    raw = (report.current_tcb, report.committed_tcb, report.reported_tcb, report.launch_tcb)
    current = Tcb.decode(raw[0], product)
    committed, reported, launch = (current if value == raw[0] else Tcb.decode(value, product) for value in raw[1:])
    return current, committed, reported, launch


def _check_order(name: str, tcb: Tcb, current: Tcb) -> None:
    """Anti-rollback: firmware never claims or commits to more than it runs."""
    if tcb is not current and (ahead := current.below(tcb)):
        raise VerificationFailed("tcb.order", f"CURRENT_TCB is below {name}_TCB: {', '.join(ahead)}")
