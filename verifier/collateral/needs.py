"""What evidence needs to be verified, and how the store calls it.

A need's subject is worked out from the evidence alone, so that a static file server, which lists nothing, can be asked:

    amd-vcek         <chip id>-<reported TCB>       hex; 8 bytes of the chip id on Turin, else 64
    amd-vlek         <reported TCB>-<certificate>   hex; first 16 digits of the certificate's SHA-256
    amd-chain        <product>-vcek | <product>-vlek
    amd-crl          <product>
    intel-tcb-info   <FMSPC>[-early|-<number>]      lower-case hex; early: before a TCB recovery becomes the standard;
                                                    number: tcbEvaluationDataNumber of one TCB recovery
    intel-qe-identity  td[-early|-<number>]
    intel-pck-crl    platform | processor
    intel-root-crl   root
    nvidia-rim       the RIM's id
    nvidia-ocsp      <serial number>-<issuer>       hex; first 16 digits of the SHA-256 of the issuer's key
    google-launch-endorsement  <tee>-<measurement>
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from verifier.collateral.record import Kind
from verifier.errors import VerificationFailed
from verifier.pki import Certificate
from verifier.pki.files import pem_values
from verifier.snp import Product, SigningKey, SnpReport
from verifier.snp.product import product_of_cpuid
from verifier.tdx.chain import PCK_AUTHORITIES
from verifier.tdx.pck import read_platform
from verifier.tdx.quote import TdxQuote

if TYPE_CHECKING:
    from verifier.pki.chain import Member

STANDARD: Final = "standard"
EARLY: Final = "early"
QE: Final = "td"
ROOT: Final = "root"

_CAS: Final = dict(zip(PCK_AUTHORITIES, ("platform", "processor"), strict=True))
_TURIN_CHIP_ID_BYTES: Final = 8


@dataclass(frozen=True, slots=True)
class Need:
    """One object that is needed.

    products: AMD only: the product lines that the processor may be of, most likely first. chain: OCSP only: PEM, the
    whole chain that the certificate in question is part of.
    """

    kind: Kind
    subject: str
    products: tuple[Product, ...] = ()
    chain: bytes = b""

    @property
    def name(self) -> str:
        """As records and messages call it."""
        return f"{self.kind}/{self.subject}"


def vcek(report: SnpReport) -> Need:
    """The VCEK of a report's chip at its reported TCB."""
    if not any(report.chip_id):
        raise VerificationFailed("chip-id", "CHIP_ID is masked, so nothing says which VCEK endorses the report")
    return Need(Kind.VCEK, vcek_subject(report), products_of(report))


def vcek_subject(report: SnpReport) -> str:
    """How the VCEK of a report's chip is called."""
    chip = report.chip_id
    if not any(chip[_TURIN_CHIP_ID_BYTES:]):
        chip = chip[:_TURIN_CHIP_ID_BYTES]
    return f"{chip.hex()}-{report.reported_tcb.hex()}"


def products_of_chip(subject: str) -> tuple[Product, ...]:
    """The product lines that a VCEK's chip may be of: the length of its id tells Turin apart."""
    is_turin = len(subject.partition("-")[0]) == 2 * _TURIN_CHIP_ID_BYTES
    return (Product.TURIN,) if is_turin else (Product.MILAN, Product.GENOA)


def products_of(report: SnpReport) -> tuple[Product, ...]:
    """The product line; before version 3 a report does not say it, and the length of the chip id tells Turin apart."""
    if not report.has_cpuid:
        return products_of_chip(vcek_subject(report))
    product = product_of_cpuid(report.cpuid_family, report.cpuid_model)
    if product is None:
        family, model = report.cpuid_family, report.cpuid_model
        raise VerificationFailed("product", f"CPUID family {family:#x} model {model:#x} is not known")
    return (product,)


def vlek_subject(tcb: bytes, leaf: bytes) -> str:
    """How a VLEK's certificate (DER) is called."""
    return f"{tcb.hex()}-{hashlib.sha256(leaf).hexdigest()[:16]}"


def amd_chain(product: Product, kind: SigningKey) -> Need:
    """The ASK or ASVK of a product line, with its ARK."""
    return Need(Kind.AMD_CHAIN, f"{product.value}-{kind.name.lower()}", (product,))


def amd_crl(product: Product) -> Need:
    """The CRL of a product line's ARK."""
    return Need(Kind.AMD_CRL, product.value, (product,))


def tdx(quote: TdxQuote, update: str = STANDARD) -> tuple[Need, ...]:
    """TCB info, QE identity and both CRLs for a quote, as its PCK certificate, which is not verified here, says.

    update: `standard`, `early`, or the number of a TCB recovery.
    """
    certificates = pem_values(quote.certification)
    if not certificates:
        raise VerificationFailed("chain.length", "PCK chain: no certificates; PCK, intermediate, root expected")
    leaf = Certificate.parse(certificates[0])
    issuer = next((ca for name, ca in _CAS.items() if name.encode() in leaf.issuer), None)
    if issuer is None:
        raise VerificationFailed("chain.intermediate", f"none of {PCK_AUTHORITIES} issued the PCK")
    return (*intel(read_platform(leaf).fmspc.hex(), update), Need(Kind.PCK_CRL, issuer))


def intel(fmspc: str, update: str = STANDARD) -> tuple[Need, ...]:
    """What every platform with an FMSPC needs, whichever CA issued its PCK."""
    suffix = "" if update == STANDARD else f"-{update}"
    return (
        Need(Kind.TCB_INFO, fmspc + suffix),
        Need(Kind.QE_IDENTITY, QE + suffix),
        Need(Kind.ROOT_CRL, ROOT),
    )


def pck_crls() -> tuple[Need, ...]:
    """The CRLs of both CAs that issue PCKs."""
    return tuple(Need(Kind.PCK_CRL, ca) for ca in _CAS.values())


def read_update(subject: str) -> tuple[str, str]:
    """FMSPC or QE, and which issue of the document it is."""
    name, _, update = subject.partition("-")
    return name, update or STANDARD


def rim(identifier: str) -> Need:
    """A RIM by its id."""
    return Need(Kind.RIM, identifier)


def ocsp(member: Member, issuer: Member, chain: bytes = b"") -> Need:
    """The responder's word on a certificate."""
    return Need(Kind.OCSP, ocsp_subject(member.certificate, issuer.certificate), chain=chain)


def ocsp_subject(certificate: Certificate, issuer: Certificate) -> str:
    """How the responder's word on a certificate is called."""
    return f"{certificate.serial_number:x}-{hashlib.sha256(issuer.key).hexdigest()[:16]}"


def launch_endorsement(tee: Literal["snp", "tdx"], measurement: bytes) -> Need:
    """Google's endorsement of a measurement of its firmware."""
    return Need(Kind.LAUNCH_ENDORSEMENT, f"{tee}-{measurement.hex()}")
