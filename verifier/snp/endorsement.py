"""The endorsements of a report: the certificate of the key that signed it, and what AMD says in it.

Source: AMD 57230, "VCEK Certificate and KDS Interface Specification", certificate extensions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography import exceptions
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from verifier.errors import MalformedEvidence, UnreadableInput, VerificationFailed
from verifier.pki import Certificate, Extension, der
from verifier.pki.files import certificates_in, find, find_revocation_lists, read, read_bytes
from verifier.snp import certificate_table
from verifier.snp.product import Product, product_of_name
from verifier.snp.report import SigningKey

TABLE_FILE: Final = "auxblob"

_ARC: Final = "1.3.6.1.4.1.3704.1."
_STRUCT_VERSION: Final = _ARC + "1"
_PRODUCT_NAME: Final = _ARC + "2"
_SPL_ARC: Final = _ARC + "3."
_HARDWARE_ID: Final = _ARC + "4"
_CSP_ID: Final = _ARC + "5"

_SPL_ORDER: Final = {0: (1, 2, 4, 5, 6, 7, 3, 8), 1: (9, 1, 2, 3, 5, 6, 7, 8)}
"""structVersion → last arc of the SPL extension for each byte of TCB_VERSION.

1 boot loader, 2 TEE, 3 SNP, 4-7 reserved, 8 microcode, 9 FMC.
"""


@dataclass(frozen=True, slots=True)
class Endorsements:
    """What a caller offers to show that a report is genuine. None of it is trusted before it is verified.

    leaf: the VCEK or VLEK certificate, DER; kind: which of the two it is offered as.
    intermediate: ASK (for a VCEK) or ASVK (for a VLEK), DER; None = the one that this package ships.
    ark: DER; it must be a pinned one; None = whichever pinned one fits.
    """

    leaf: bytes
    kind: SigningKey
    intermediate: bytes | None = None
    ark: bytes | None = None

    @classmethod
    def from_directory(cls, directory: Path, kind: SigningKey) -> Endorsements:
        """Read a folder for a report that a key of `kind` signed.

        Files, in DER or PEM: `vcek` or `vlek`; optional `ask` or `asvk`, and `ark`, also with a prefix
        (`milan_ask.der`); or `cert_chain.pem` with both, as AMD's key distribution service serves it. A folder without
        a leaf may hold the table that came with an extended report instead, `auxblob` (see `certificate_table`).
        VerificationFailed `endorsement.missing` when there is no leaf, UnreadableInput when a file cannot
        be read, MalformedEvidence when it holds no certificate.
        """
        if not directory.is_dir():
            raise UnreadableInput(f"{directory}: no such folder; it should hold vcek.der or vlek.der")
        wanted, other = ("vcek", "vlek") if kind is SigningKey.VCEK else ("vlek", "vcek")
        path = find(directory, wanted)
        if path is None and (directory / TABLE_FILE).is_file():
            return cls.from_table(read_bytes(directory / TABLE_FILE), kind)
        if path is None:
            found = find(directory, other)
            hint = f", only {found.name}" if found else ""
            raise VerificationFailed(
                "endorsement.missing",
                f"a {kind.name} signed the report, and {directory} has no {wanted}.der{hint}",
            )
        authorities = _authorities(directory, kind)
        return cls(certificates_in(path)[0], kind, *authorities)

    @classmethod
    def from_table(cls, table: bytes, kind: SigningKey) -> Endorsements:
        """Read the certificate table of an extended report that a key of `kind` signed.

        VerificationFailed `endorsement.missing` when it holds no such leaf, MalformedEvidence when it is no table.
        """
        found = certificate_table.parse(table)
        leaf = found.leaf(kind)
        if leaf is None:
            raise VerificationFailed(
                "endorsement.missing", f"a {kind.name} signed the report, and the certificate table holds none"
            )
        return cls(leaf, kind, found.intermediate, found.ark)


def revocation_lists(directory: Path) -> tuple[bytes, ...]:
    """The CRLs in a folder of endorsements (`crl.der`, `milan.crl`, …), DER."""
    return tuple(read(path) for path in find_revocation_lists(directory))


def _authorities(directory: Path, kind: SigningKey) -> tuple[bytes | None, bytes | None]:
    """Intermediate and root of a folder. A VLEK's ASVK is preferred; an ASK in its place is not ignored."""
    chain = find(directory, "cert_chain")
    if chain is not None:
        members = certificates_in(chain)
        if len(members) != 2:
            raise MalformedEvidence(0, f"{chain}: {len(members)} certificates, the ASK or ASVK and the ARK expected")
        return members[0], members[1]
    order = ("asvk", "ask") if kind is SigningKey.VLEK else ("ask", "asvk")
    found = (find(directory, name) for name in order)
    intermediate = next((path for path in found if path), None)
    ark = find(directory, "ark")
    return (
        certificates_in(intermediate)[0] if intermediate else None,
        certificates_in(ark)[0] if ark else None,
    )


@dataclass(frozen=True, slots=True)
class Leaf:
    """What a VCEK or VLEK certificate states.

    tcb: the 8 bytes of TCB_VERSION that its security patch levels make.
    hardware_id: raw bytes, 64 or 8 (Turin); VCEK only. csp_id: VLEK only, the cloud it was issued to.
    """

    kind: SigningKey
    product: Product
    tcb: bytes
    hardware_id: bytes | None
    csp_id: str | None
    key: ec.EllipticCurvePublicKey


def read_leaf(certificate: Certificate, kind: SigningKey) -> Leaf:
    """The statements of a leaf that is offered as `kind`; VerificationFailed when they do not fit together."""
    extensions = certificate.extensions
    name = _ia5(_required(extensions, _PRODUCT_NAME, "productName"), "productName")
    product = product_of_name(name)
    if product is None:
        raise VerificationFailed("product", f"the certificate is for {name!r}, a product that is not known")
    struct_version = _spl(extensions, _STRUCT_VERSION, "structVersion")
    if struct_version != product.struct_version:
        raise VerificationFailed(
            "chain.leaf.extensions",
            f"structVersion {struct_version} in a {product.label} certificate, {product.struct_version} expected",
        )
    hardware_id, csp_id = _identity(certificate, kind, product)
    return Leaf(kind, product, _tcb(extensions, struct_version), hardware_id, csp_id, _p384(certificate.key))


def _identity(certificate: Certificate, kind: SigningKey, product: Product) -> tuple[bytes | None, str | None]:
    """hwID of a VCEK, cspID of a VLEK: one of them, never both, and the subject says the same kind."""
    hardware_id = certificate.extensions.get(_HARDWARE_ID)
    csp_id = certificate.extensions.get(_CSP_ID)
    subject = certificate.common_name.partition(" ")[0]
    if kind is SigningKey.VCEK:
        if csp_id is not None or hardware_id is None or subject != "SEV-VCEK":
            raise VerificationFailed(
                "endorsement.kind", f"{certificate.common_name or 'the leaf'} is not a VCEK certificate with a hwID"
            )
        if len(hardware_id.value) != product.hardware_id_bytes:
            raise VerificationFailed(
                "chain.leaf.extensions",
                f"hwID of {len(hardware_id.value)} bytes, {product.label} has {product.hardware_id_bytes}",
            )
        return hardware_id.value, None
    if hardware_id is not None or csp_id is None or subject != "SEV-VLEK":
        raise VerificationFailed(
            "endorsement.kind", f"{certificate.common_name or 'the leaf'} is not a VLEK certificate with a cspID"
        )
    return None, _ia5(csp_id.value, "cspID")


def _tcb(extensions: Mapping[str, Extension], struct_version: int) -> bytes:
    """TCB_VERSION from the SPL extensions: exactly those of the struct version, none unknown."""
    arcs = _SPL_ORDER[struct_version]
    expected = {f"{_SPL_ARC}{arc}" for arc in arcs}
    unknown = sorted(oid for oid in extensions if oid.startswith(_SPL_ARC) and oid not in expected)
    if unknown:
        raise VerificationFailed(
            "chain.leaf.extensions", f"security patch level {unknown[0]} is not known in struct {struct_version}"
        )
    return bytes(_spl(extensions, f"{_SPL_ARC}{arc}", f"security patch level 3.{arc}") for arc in arcs)


def _spl(extensions: Mapping[str, Extension], oid: str, what: str) -> int:
    """A DER INTEGER 0-255: from 128 on it takes two octets, so the last octet alone says nothing."""
    reader = der.Reader(_required(extensions, oid, what))
    value = der.integer(reader.read(der.INTEGER, what), what)
    reader.finish(what)
    if not 0 <= value <= 0xFF:
        raise VerificationFailed("chain.leaf.extensions", f"{what} is {value}, 0-255 expected")
    return value


def _required(extensions: Mapping[str, Extension], oid: str, what: str) -> bytes:
    extension = extensions.get(oid)
    if extension is None:
        raise VerificationFailed("chain.leaf.extensions", f"the certificate has no {what} ({oid})")
    return extension.value


def _ia5(value: bytes, what: str) -> str:
    reader = der.Reader(value)
    text = reader.read(der.IA5_STRING, what).contents
    reader.finish(what)
    return text.decode("ascii", "replace")


def _p384(spki: bytes) -> ec.EllipticCurvePublicKey:
    try:
        key = serialization.load_der_public_key(spki)
    except (ValueError, exceptions.UnsupportedAlgorithm):
        raise VerificationFailed("chain.leaf.key", "the leaf's public key cannot be read") from None
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP384R1):
        raise VerificationFailed("chain.leaf.key", "the leaf's key is not on P-384")
    return key
