"""Certificates and CRLs written byte by byte, so that a test can make any part of them wrong."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey
PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

KEY_USAGE = "2.5.29.15"
BASIC_CONSTRAINTS = "2.5.29.19"


def tlv(tag: int, *contents: bytes) -> bytes:
    """One DER value."""
    body = b"".join(contents)
    if len(body) < 0x80:
        return bytes([tag, len(body)]) + body
    length = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + body


def integer(value: int) -> bytes:
    """INTEGER."""
    magnitude = value if value >= 0 else ~value
    return tlv(0x02, value.to_bytes(magnitude.bit_length() // 8 + 1, "big", signed=True))


def oid(dotted: str) -> bytes:
    """OBJECT IDENTIFIER."""
    first, second, *rest = map(int, dotted.split("."))
    body = b""
    for arc in (40 * first + second, *rest):
        septets = [arc & 0x7F]
        while arc := arc >> 7:
            septets.append(arc & 0x7F | 0x80)
        body += bytes(reversed(septets))
    return tlv(0x06, body)


def time(at: datetime) -> bytes:
    """UTCTime until 2049, GeneralizedTime after."""
    at = at.astimezone(UTC)
    if at.year < 2050:
        return tlv(0x17, at.strftime("%y%m%d%H%M%SZ").encode())
    return tlv(0x18, at.strftime("%Y%m%d%H%M%SZ").encode())


def name(common_name: str) -> bytes:
    """A Name of the shape that AMD uses."""
    parts = (("2.5.4.10", "Advanced Micro Devices"), ("2.5.4.3", common_name))
    return tlv(0x30, *(tlv(0x31, tlv(0x30, oid(kind), tlv(0x0C, text.encode()))) for kind, text in parts))


def pss(hash_oid: str = "2.16.840.1.101.3.4.2.2", salt: int = 48) -> bytes:
    """AlgorithmIdentifier of RSASSA-PSS; by default SHA-384 with a salt of 48 bytes."""
    digest = tlv(0x30, oid(hash_oid), tlv(0x05))
    mask = tlv(0x30, oid("1.2.840.113549.1.1.8"), digest)
    parameters = tlv(0x30, tlv(0xA0, digest), tlv(0xA1, mask), tlv(0xA2, integer(salt)))
    return tlv(0x30, oid("1.2.840.113549.1.1.10"), parameters)


def ecdsa() -> bytes:
    """AlgorithmIdentifier of ECDSA with SHA-256."""
    return tlv(0x30, oid("1.2.840.10045.4.3.2"))


def sign(key: PrivateKey, data: bytes) -> bytes:
    """RSASSA-PSS SHA-384 with a salt of 48 bytes, as AMD signs, or ECDSA with SHA-256, as Intel does."""
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return key.sign(data, ec.ECDSA(hashes.SHA256()))
    return key.sign(data, padding.PSS(padding.MGF1(hashes.SHA384()), 48), hashes.SHA384())


@dataclass(frozen=True)
class FakeExtension:
    """An extension; `value` is what its OCTET STRING holds."""

    oid: str
    value: bytes
    critical: bool = False

    def encode(self) -> bytes:
        flag = tlv(0x01, b"\xff") if self.critical else b""
        return tlv(0x30, oid(self.oid), flag, tlv(0x04, self.value))


def authority_extensions(usage: int = 0x06) -> tuple[FakeExtension, ...]:
    """BasicConstraints and KeyUsage of a CA; usage: 04 signs certificates, 02 signs CRLs."""
    return (
        FakeExtension(BASIC_CONSTRAINTS, tlv(0x30, tlv(0x01, b"\xff")), critical=True),
        FakeExtension(KEY_USAGE, tlv(0x03, bytes([1, usage])), critical=True),
    )


@dataclass(frozen=True)
class FakeCertificate:
    """A certificate before it is encoded. signer: the key that signs; issuer: the name it says signed.

    version: as X.509 counts, 2 is v3. spki: SubjectPublicKeyInfo to write in place of the key's.
    """

    subject: str
    issuer: str
    key: PublicKey
    signer: PrivateKey
    not_before: datetime
    not_after: datetime
    extensions: tuple[FakeExtension, ...] = ()
    serial_number: int = 0
    algorithm: bytes = pss()
    version: int = 2
    spki: bytes | None = None

    def encode(self) -> bytes:
        """The signed certificate in DER."""
        signed = tlv(
            0x30,
            tlv(0xA0, integer(self.version)),
            integer(self.serial_number),
            self.algorithm,
            name(self.issuer),
            tlv(0x30, time(self.not_before), time(self.not_after)),
            name(self.subject),
            self.spki or self.key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
            tlv(0xA3, tlv(0x30, *(extension.encode() for extension in self.extensions))),
        )
        return tlv(0x30, signed, self.algorithm, tlv(0x03, b"\0", sign(self.signer, signed)))

    def with_extension(self, dotted: str, value: bytes | None, **options: Any) -> "FakeCertificate":
        """A copy with one extension replaced or added, or left out if `value` is None."""
        kept = tuple(extension for extension in self.extensions if extension.oid != dotted)
        added = () if value is None else (FakeExtension(dotted, value, **options),)
        return FakeCertificate(**{**self.__dict__, "extensions": kept + added})


@dataclass(frozen=True)
class FakeCrl:
    """A CRL before it is encoded."""

    issuer: str
    signer: PrivateKey
    this_update: datetime
    next_update: datetime | None
    revoked: Sequence[int] = ()
    extensions: tuple[FakeExtension, ...] = ()
    algorithm: bytes = pss()
    version: int = 1

    def encode(self) -> bytes:
        """The signed list in DER."""
        entries = [tlv(0x30, integer(serial), time(self.this_update)) for serial in self.revoked]
        signed = tlv(
            0x30,
            integer(self.version),
            self.algorithm,
            name(self.issuer),
            time(self.this_update),
            time(self.next_update) if self.next_update else b"",
            tlv(0x30, *entries) if entries else b"",
            tlv(0xA0, tlv(0x30, *(it.encode() for it in self.extensions))) if self.extensions else b"",
        )
        return tlv(0x30, signed, self.algorithm, tlv(0x03, b"\0", sign(self.signer, signed)))
