"""An NVIDIA of our own: roots, devices, RIMs and OCSP responses whose every part a test can set.

Reports are packed with offsets written here a second time (DSP0274 1.1), not with the verifier's own table. RIMs are
made as text and signed over lxml's Canonical XML.
"""

import base64
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from lxml import etree

from tests.verifier import fake_x509
from tests.verifier.fake_x509 import FakeCertificate, FakeExtension, authority_extensions, integer, oid, tlv
from verifier.nvidia import Collateral, OcspResponses
from verifier.pki import Certificate
from verifier.trust import TrustAnchor, TrustStore

AT = datetime(2026, 6, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
YEAR = 365 * DAY

SIGNING = ec.ECDSA(hashes.SHA384(), deterministic_signing=True)
"""The same bytes are signed alike each time, so that what a store remembers is found again."""

ECDSA_SHA384 = tlv(0x30, oid("1.2.840.10045.4.3.3"))
SHA384 = tlv(0x30, oid("2.16.840.1.101.3.4.2.2"))
COMPOSITE, TCB_INFO = "2.23.133.5.4.1", "2.23.133.5.4.1.1"
OCSP_SIGNING = FakeExtension("2.5.29.37", tlv(0x30, oid("1.3.6.1.5.5.7.3.9")), critical=True)
SIGNS_DATA = FakeExtension("2.5.29.15", tlv(0x03, b"\x07\x80"), critical=True)

NONCE = bytes(range(32))
FWID = b"\xf1" * 48
DEVICE_ROOT, RIM_ROOT = "NVIDIA Device Identity CA", "NVIDIA CoRIM signing Root CA"
DRIVER_ID = "NV_GPU_DRIVER_GH100_580.95.05"
VBIOS_ID = "NV_GPU_VBIOS_1010_0200_882_960074001A"
SWITCH_ID = "NV_SWITCH_BIOS_5612_0002_890_9610550001"
SWID = "http://standards.iso.org/iso/19770/-2/2015/schema.xsd"
DSIG = "http://www.w3.org/2000/09/xmldsig#"
DSIG_MORE = "http://www.w3.org/2001/04/xmldsig-more#"
C14N11 = "http://www.w3.org/2006/12/xml-c14n11"


@cache
def key(name: str) -> ec.EllipticCurvePrivateKey:
    """A P-384 key of its own for each name."""
    return ec.generate_private_key(ec.SECP384R1())


def spki(name: str) -> bytes:
    """SubjectPublicKeyInfo of the named key."""
    return key(name).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def sign_raw(name: str, data: bytes) -> bytes:
    """r ‖ s of the named key."""
    r, s = decode_dss_signature(key(name).sign(data, SIGNING))
    return r.to_bytes(48, "big") + s.to_bytes(48, "big")


@dataclass(frozen=True)
class P384Certificate(FakeCertificate):
    """A certificate signed with ECDSA P-384 and SHA-384, whatever its algorithm says."""

    def encode(self) -> bytes:
        """The signed certificate in DER; FakeCertificate signs with SHA-256, so the signature is made here."""
        whole = super().encode()
        signed = Certificate.parse(whole).signed
        signature = self.signer.sign(signed, SIGNING)
        return tlv(0x30, signed, self.algorithm, tlv(0x03, b"\0", signature))

    def with_extension(self, dotted: str, value: bytes | None, **options: Any) -> "P384Certificate":
        """A copy with one extension replaced or added, or left out if `value` is None."""
        return P384Certificate(**super().with_extension(dotted, value, **options).__dict__)


def certificate(
    subject: str, issuer: str, name: str, signer: str, serial: int, extensions: tuple[FakeExtension, ...] = ()
) -> P384Certificate:
    """A certificate for the key `name`, signed by the key `signer`."""
    public = key(name).public_key()
    return P384Certificate(subject, issuer, public, key(signer), AT - YEAR, AT + YEAR, extensions, serial, ECDSA_SHA384)


def fwid_entry(digest: bytes = FWID, algorithm: str = "2.16.840.1.101.3.4.2.2") -> bytes:
    """SEQUENCE { hashAlg, digest }."""
    return tlv(0x30, oid(algorithm), tlv(0x04, digest))


def composite(device_key: bytes, fwid: bytes) -> bytes:
    """The CompositeDeviceID of a Hopper's leaf."""
    return tlv(0x30, integer(1), device_key, fwid)


def tcb_info(*fwids: bytes) -> bytes:
    """The DiceTcbInfo of a Blackwell's leaf."""
    return tlv(0x30, tlv(0x80, b"NVIDIA"), tlv(0xA6, *fwids), tlv(0x87, b"\0"))


Chain = tuple[P384Certificate, ...]
AUTHORITY = authority_extensions()


def device_certificates(
    word: str = "GH100", pdi: bytes = bytes.fromhex("a1a2a3a4a5a6a7a8"), fwid: bytes | None = None
) -> Chain:
    """Chain of a device, leaf first. word: how its model is called in certificates."""
    if fwid is None:
        value = FakeExtension(COMPOSITE, composite(spki("brom"), fwid_entry()))
    else:
        value = FakeExtension(TCB_INFO, fwid)
    engine = "FSP" if word.startswith("LS") else "GSP"
    leaf, brom = f"{word} A01 {engine} FMC LF", f"{word} A01 {engine} BROM"
    provisioner, identity = f"NVIDIA {word} Provisioner ICA 1", f"NVIDIA {word} Identity"
    return (
        certificate(leaf, brom, "leaf", "brom", 11, (SIGNS_DATA, value)),
        certificate(brom, provisioner, "brom", "provisioner", int.from_bytes(b"\x41" + pdi, "big"), AUTHORITY),
        certificate(provisioner, identity, "provisioner", "identity", 13, AUTHORITY),
        certificate(identity, DEVICE_ROOT, "identity", "device-root", 14, AUTHORITY),
        certificate(DEVICE_ROOT, DEVICE_ROOT, "device-root", "device-root", 15, AUTHORITY),
    )


def rim_certificates() -> Chain:
    """Chain of a RIM's signer, the signer first."""
    return (
        certificate("HCC RIM L4 Signer", "L3", "rim-signer", "rim-l3", 21, (SIGNS_DATA,)),
        certificate("L3", "L2", "rim-l3", "rim-l2", 22, AUTHORITY),
        certificate("L2", RIM_ROOT, "rim-l2", "rim-root", 23, AUTHORITY),
        certificate(RIM_ROOT, RIM_ROOT, "rim-root", "rim-root", 24, AUTHORITY),
    )


def value_of(index: int) -> bytes:
    """What a device measures at an SPDM index."""
    return hashlib.sha384(bytes([index])).digest()


def golden(*indexes: int) -> dict[int, list[bytes]]:
    """RIM entries for SPDM blocks one further, with another value as alternative."""
    return {index: [bytes(48), value_of(index + 1)] for index in indexes}


@dataclass(frozen=True)
class FakeRim:
    """A RIM before it is signed.

    edit: changes the text before it is signed; forge: the signed text; info: SignedInfo before it is signed.
    """

    product: str = "GH100"
    version: str = "580.95.05"
    edition: str = "GPU"
    golden: Mapping[int, list[bytes]] = field(default_factory=dict)
    inactive: tuple[int, ...] = (62, 63)
    chain: Chain = field(default_factory=rim_certificates)
    signer: str = "rim-signer"
    edit: Callable[[str], str] = str
    info: Callable[[str], str] = str
    forge: Callable[[str], str] = str

    def resource(self, index: int, values: list[bytes], active: bool) -> str:
        """One measurement."""
        listed = " ".join(f'ns2:Hash{n}="{value.hex()}"' for n, value in enumerate(values))
        return (
            f'<ns0:Resource type="Measurement" index="{index}" active="{active}" alternatives="{len(values)}" '
            f'{listed} name="Measurement_{index}" size="{len(values[0])}"/>'
        )

    def encode(self) -> bytes:
        """The signed document."""
        entries = [self.resource(index, values, True) for index, values in self.golden.items()]
        entries += [self.resource(index, [bytes(48)], False) for index in self.inactive]
        body = self.edit(
            f'<SoftwareIdentity xmlns="{SWID}" xmlns:ns0="{SWID}" xmlns:ns2="http://www.w3.org/2001/04/xmlenc#sha384" '
            f'name="{self.product}" tagId="{self.product}{self.version}" version="1.0">\n'
            '<ns0:Entity name="Fake NVIDIA" role="softwareCreator tagCreator"/>'
            f'<ns0:Meta colloquialVersion="{self.version}" edition="{self.edition}" product="{self.product}"/>'
            f"<ns0:Payload>{''.join(entries)}</ns0:Payload></SoftwareIdentity>"
        )
        digest = hashlib.sha384(etree.tostring(etree.fromstring(body), method="c14n")).digest()
        info = self.info(
            f'<ds:SignedInfo><ds:CanonicalizationMethod Algorithm="{C14N11}"/>'
            f'<ds:SignatureMethod Algorithm="{DSIG_MORE}ecdsa-sha384"/><ds:Reference URI=""><ds:Transforms>'
            f'<ds:Transform Algorithm="{DSIG}enveloped-signature"/><ds:Transform Algorithm="{C14N11}"/></ds:Transforms>'
            f'<ds:DigestMethod Algorithm="{DSIG_MORE}sha384"/><ds:DigestValue>{text64(digest)}</ds:DigestValue>'
            "</ds:Reference></ds:SignedInfo>"
        )
        start, end = body.rsplit("</", 1)
        unsigned = f'{start}<ds:Signature xmlns:ds="{DSIG}">{info}</ds:Signature></{end}'
        signed_info = etree.fromstring(unsigned).find(f".//{{{DSIG}}}SignedInfo")
        signature = sign_raw(self.signer, etree.tostring(signed_info, method="c14n"))
        certificates = "".join(f"<ds:X509Certificate>{text64(it.encode())}</ds:X509Certificate>" for it in self.chain)
        rest = (
            f"<ds:SignatureValue>{text64(signature)}</ds:SignatureValue>"
            f"<ds:KeyInfo><ds:X509Data>{certificates}</ds:X509Data></ds:KeyInfo>"
        )
        return self.forge(unsigned.replace("</ds:Signature>", f"{rest}</ds:Signature>")).encode()


def text64(data: bytes) -> str:
    """Base64."""
    return base64.b64encode(data).decode()


@dataclass(frozen=True)
class FakeOcsp:
    """An OCSP response before it is signed. status: DER of the certStatus; version: of the ResponseData, or none."""

    certificate: P384Certificate
    issuer: P384Certificate
    signer: str
    responders: tuple[P384Certificate, ...] = ()
    status: bytes = b"\x80\x00"
    this_update: datetime = AT - DAY / 2
    next_update: datetime | None = AT + DAY / 2
    algorithm: bytes = ECDSA_SHA384
    hash_oid: str = "2.16.840.1.101.3.4.2.2"
    hash_name: str = "sha384"
    response_status: int = 0
    version: bytes = b""

    def encode(self) -> bytes:
        """The signed response in DER."""
        name = hashlib.new(self.hash_name, fake_x509.name(self.issuer.subject)).digest()
        bits = self.issuer.key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        identifier = tlv(
            0x30,
            tlv(0x30, oid(self.hash_oid)),
            tlv(0x04, name),
            tlv(0x04, hashlib.new(self.hash_name, bits).digest()),
            integer(self.certificate.serial_number),
        )
        until = tlv(0xA0, stamp(self.next_update)) if self.next_update else b""
        single = tlv(0x30, identifier, self.status, stamp(self.this_update), until)
        responder = tlv(0xA2, tlv(0x04, bytes(20)))
        data = tlv(0x30, self.version, responder, stamp(self.this_update), tlv(0x30, single))
        signature = key(self.signer).sign(data, SIGNING)
        certificates = [tlv(0xA0, tlv(0x30, *(it.encode() for it in self.responders)))] if self.responders else []
        basic = tlv(0x30, data, self.algorithm, tlv(0x03, b"\0", signature), *certificates)
        typed = tlv(0x30, oid("1.3.6.1.5.5.7.48.1.1"), tlv(0x04, basic))
        return tlv(0x30, tlv(0x0A, bytes([self.response_status])), tlv(0xA0, typed))


def stamp(at: datetime) -> bytes:
    """GeneralizedTime."""
    return tlv(0x18, at.strftime("%Y%m%d%H%M%SZ").encode())


HELD = tlv(0xA1, stamp(AT - DAY), tlv(0xA0, tlv(0x0A, b"\x06")))
REVOKED = tlv(0xA1, stamp(AT - DAY), tlv(0xA0, tlv(0x0A, b"\x01")))
REVOKED_WITHOUT_REASON = tlv(0xA1, stamp(AT - DAY))
UNKNOWN_STATUS = b"\x82\x00"


def opaque_fields() -> dict[int, bytes]:
    """The opaque data of a Hopper with driver 580.95.05 and VBIOS 96.00.74.00.1A."""
    return {
        6: bytes.fromhex("007400961a000000"),
        14: b"\xb1\x03\0\0",
        15: b"882\0\0\0",
        17: b"1010\0",
        18: b"0200\0",
        3: b"580.95.05\0",
        11: b"\x55",
        20: FWID,
        21: b"\x55",
        36: b"\0\0",
    }


@dataclass(frozen=True)
class World:
    """One device with its RIMs. A test replaces the part it is about."""

    certificates: Chain = field(default_factory=device_certificates)
    rims: Mapping[str, FakeRim] = field(default_factory=dict)
    ocsp: tuple[FakeOcsp, ...] = ()
    opaque: Mapping[int, bytes] = field(default_factory=opaque_fields)
    blocks: Mapping[int, bytes] = field(default_factory=lambda: {index: value_of(index) for index in range(1, 65)})
    nonce: bytes = NONCE
    signer: str = "leaf"
    padding: int = 0
    at: datetime = AT

    def with_opaque(self, fields: Mapping[int, bytes | None]) -> "World":
        """The same device that states something else, or leaves out what is None."""
        merged = {**self.opaque, **fields}
        return replace(self, opaque={kind: value for kind, value in merged.items() if value is not None})

    def with_rim(self, name: str, **changes: Any) -> "World":
        """The same device with another RIM under this id."""
        return replace(self, rims={**self.rims, name: replace(self.rims[name], **changes)})

    def with_certificate(self, number: int, **changes: Any) -> "World":
        """The same device with another certificate in its chain."""
        changed = replace(self.certificates[number], **changes)
        return replace(self, certificates=(*self.certificates[:number], changed, *self.certificates[number + 1 :]))

    def report(self) -> bytes:
        """The signed report."""
        request = b"\x11\xe0\x01\xff" + self.nonce + b"\0"
        record = b"".join(
            bytes([index, 1])
            + (len(value) + 3).to_bytes(2, "little")
            + b"\x01"
            + len(value).to_bytes(2, "little")
            + value
            for index, value in self.blocks.items()
        )
        opaque = b"".join(
            kind.to_bytes(2, "little") + len(value).to_bytes(2, "little") + value for kind, value in self.opaque.items()
        )
        response = (
            b"\x11\x60\0\0"
            + bytes([len(self.blocks)])
            + len(record).to_bytes(3, "little")
            + record
            + bytes(range(32, 64))
            + len(opaque).to_bytes(2, "little")
            + opaque
        )
        signed = request + response
        return signed + sign_raw(self.signer, signed) + bytes(self.padding)

    def chain(self) -> bytes:
        """The certificates in PEM."""
        return b"".join(pem(it.encode()) for it in self.certificates)

    def collateral(self) -> Collateral:
        """RIMs and OCSP responses."""
        return Collateral(
            {name: rim.encode() for name, rim in self.rims.items()}, OcspResponses(it.encode() for it in self.ocsp)
        )


def pem(encoded: bytes) -> bytes:
    """A certificate in PEM."""
    return b"-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(encoded) + b"-----END CERTIFICATE-----\n"


def trust() -> TrustStore:
    """A store with only this NVIDIA's roots."""
    device, rim = (Certificate.parse(chain[-1].encode()) for chain in (device_certificates(), rim_certificates()))
    return TrustStore(
        [
            TrustAnchor("fake", frozenset({"nvidia-device"}), device),
            TrustAnchor("fake", frozenset({"nvidia-gpu-rim", "nvidia-switch-rim"}), rim),
        ]
    )


@cache
def hopper() -> World:
    """A Hopper GPU whose driver and VBIOS measure what their RIMs say."""
    return World(
        rims={
            DRIVER_ID: FakeRim(golden=golden(7, 21, 30, 35)),
            VBIOS_ID: FakeRim(version="96.00.74.00.1A", golden=golden(0, 1, 9)),
        }
    )


def switch(pdi: bytes = bytes.fromhex("50515253545556ff"), gpus: tuple[bytes, ...] = ()) -> World:
    """An LS10 NVSwitch."""
    blocks = {index: value_of(index) for index in range(1, 32)}
    return World(
        certificates=device_certificates("LS_10", pdi),
        rims={SWITCH_ID: FakeRim("LS10", "96.10.55.00.01", "SWITCH", golden(*range(31)), ())},
        opaque={6: b"96.10.55.00.01", 22: pdi, 26: b"".join(gpus).ljust(128, b"\0"), 25: b"\x01\0"},
        blocks=blocks,
    )


def blackwell() -> World:
    """A Blackwell GPU, which calls its chip by name and certifies its firmware otherwise."""
    names = {
        "NV_GPU_CC_DRIVER_GB100_580.95.05": FakeRim("GB100", golden=golden(7, 21)),
        "NV_GPU_VBIOS_G525_0220_886_970088000F": FakeRim("GB100", "97.00.88.00.0F", golden=golden(0, 1)),
    }
    stated = {6: bytes.fromhex("008800970f000000"), 15: b"886", 17: b"G525", 18: b"0220", 35: b"GB100\0", 21: None}
    chain = device_certificates("GB100", fwid=tcb_info(fwid_entry(), fwid_entry(bytes(48))))
    return replace(World(certificates=chain, rims=names).with_opaque(stated))
