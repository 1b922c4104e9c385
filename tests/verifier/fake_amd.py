"""An AMD of our own: roots, chips and firmware whose every certificate and report field a test can set.

Reports are packed with offsets written here a second time (AMD 56860, 7.3), not with the verifier's own table.
"""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from tests.verifier.fake_x509 import (
    FakeCertificate,
    FakeCrl,
    FakeExtension,
    authority_extensions,
    integer,
    tlv,
)
from verifier.pki import Certificate
from verifier.snp import Endorsements, SigningKey
from verifier.trust import TrustAnchor, TrustStore

AT = datetime(2026, 6, 1, 12, tzinfo=UTC)
YEAR = timedelta(days=365)

ARC = "1.3.6.1.4.1.3704.1."
PRODUCT_NAME, STRUCT_VERSION, HARDWARE_ID, CSP_ID = ARC + "2", ARC + "1", ARC + "4", ARC + "5"
SNP_SPL, MICROCODE_SPL, FMC_SPL = ARC + "3.3", ARC + "3.8", ARC + "3.9"

CHIP = bytes(range(1, 65))
TCB = bytes([4, 0, 0, 0, 0, 0, 24, 219])
TURIN_TCB = bytes([1, 1, 1, 4, 0, 0, 0, 81])

_WIDTHS = {
    "version": (0x000, 4),
    "guest_svn": (0x004, 4),
    "policy": (0x008, 8),
    "family_id": (0x010, 16),
    "image_id": (0x020, 16),
    "vmpl": (0x030, 4),
    "signature_algo": (0x034, 4),
    "current_tcb": (0x038, 8),
    "platform_info": (0x040, 8),
    "key_info": (0x048, 4),
    "report_data": (0x050, 64),
    "measurement": (0x090, 48),
    "host_data": (0x0C0, 32),
    "id_key_digest": (0x0E0, 48),
    "author_key_digest": (0x110, 48),
    "report_id": (0x140, 32),
    "report_id_ma": (0x160, 32),
    "reported_tcb": (0x180, 8),
    "cpuid": (0x188, 3),
    "chip_id": (0x1A0, 64),
    "committed_tcb": (0x1E0, 8),
    "current_firmware": (0x1E8, 3),
    "committed_firmware": (0x1EC, 3),
    "launch_tcb": (0x1F0, 8),
    "launch_mitigations": (0x1F8, 8),
    "current_mitigations": (0x200, 8),
}


def pack(fields: dict[str, Any]) -> bytes:
    """The 672 signed bytes of a report."""
    body = bytearray(0x2A0)
    for name, value in fields.items():
        offset, size = _WIDTHS[name]
        body[offset : offset + size] = value.to_bytes(size, "little") if isinstance(value, int) else value
    return bytes(body)


def default_fields() -> dict[str, Any]:
    """A version 3 report of a Milan that every default policy accepts."""
    return {
        "version": 3,
        "policy": 0x3001F,
        "signature_algo": 1,
        "platform_info": 0x25,
        "report_data": bytes(range(64)),
        "measurement": bytes(range(100, 148)),
        "report_id": b"\x11" * 32,
        "report_id_ma": b"\xff" * 32,
        "cpuid": bytes([0x19, 0x01, 0x01]),
        "chip_id": CHIP,
        "current_firmware": bytes([24, 55, 1]),
        "committed_firmware": bytes([24, 55, 1]),
        **dict.fromkeys(("current_tcb", "reported_tcb", "committed_tcb", "launch_tcb"), TCB),
    }


@dataclass(frozen=True)
class World:
    """One report with everything that endorses it. A test replaces the part it is about."""

    ark: FakeCertificate
    intermediate: FakeCertificate
    leaf: FakeCertificate
    leaf_key: ec.EllipticCurvePrivateKey
    kind: SigningKey = SigningKey.VCEK
    fields: dict[str, Any] = field(default_factory=default_fields)
    scope: frozenset[str] = frozenset({"milan", "genoa", "turin"})
    at: datetime = AT

    def with_fields(self, **fields: Any) -> "World":
        """The same world with other report fields, signed anew."""
        return replace(self, fields={**self.fields, **fields})

    def report(self) -> bytes:
        """The signed report."""
        return sign(pack(self.fields), self.leaf_key)

    def endorsements(self) -> Endorsements:
        """The leaf and its intermediate."""
        return Endorsements(self.leaf.encode(), self.kind, self.intermediate.encode())

    def trust(self) -> TrustStore:
        """A store with only this world's root."""
        anchor = TrustAnchor("fake", self.scope, Certificate.parse(self.ark.encode()))
        return TrustStore([anchor])

    def crl(self, **changes: Any) -> FakeCrl:
        """An empty CRL of the root, valid around the world's time."""
        return replace(
            FakeCrl(self.ark.subject, ark_key(), self.at - timedelta(days=1), self.at + timedelta(days=1)), **changes
        )


def sign(body: bytes, key: ec.EllipticCurvePrivateKey) -> bytes:
    """Append the signature: R and S little-endian, 72 bytes each, then zeros."""
    r, s = decode_dss_signature(key.sign(body, ec.ECDSA(hashes.SHA384())))
    return (body + r.to_bytes(72, "little") + s.to_bytes(72, "little")).ljust(1184, b"\0")


@cache
def ark_key() -> rsa.RSAPrivateKey:
    """The root's key; 2048 bits keep the tests fast, and pinning does not look at the size."""
    return rsa.generate_private_key(65537, 2048)


@cache
def intermediate_key() -> rsa.RSAPrivateKey:
    """The key of the ASK and the ASVK."""
    return rsa.generate_private_key(65537, 2048)


@cache
def other_key() -> rsa.RSAPrivateKey:
    """A key that nobody trusts."""
    return rsa.generate_private_key(65537, 2048)


@cache
def leaf_key() -> ec.EllipticCurvePrivateKey:
    """The chip's key."""
    return ec.generate_private_key(ec.SECP384R1())


def spl(versions: bytes, arcs: tuple[int, ...]) -> tuple[FakeExtension, ...]:
    """Security patch levels in the order of the TCB_VERSION bytes."""
    return tuple(FakeExtension(f"{ARC}3.{arc}", integer(v)) for arc, v in zip(arcs, versions, strict=True))


def vcek_extensions(product: str = "Milan-B0", tcb: bytes = TCB) -> tuple[FakeExtension, ...]:
    """The extensions of a VCEK of struct version 0."""
    return (
        FakeExtension(STRUCT_VERSION, integer(0)),
        FakeExtension(PRODUCT_NAME, tlv(0x16, product.encode())),
        *spl(tcb, (1, 2, 4, 5, 6, 7, 3, 8)),
        FakeExtension(HARDWARE_ID, CHIP),
    )


def turin_extensions() -> tuple[FakeExtension, ...]:
    """The extensions of a Turin's VCEK: struct version 1, FMC, 8 bytes of hwID."""
    return (
        FakeExtension(STRUCT_VERSION, integer(1)),
        FakeExtension(PRODUCT_NAME, tlv(0x16, b"Turin")),
        *spl(TURIN_TCB, (9, 1, 2, 3, 5, 6, 7, 8)),
        FakeExtension(HARDWARE_ID, CHIP[:8]),
    )


def _authority(subject: str, issuer: str, key: rsa.RSAPrivateKey, serial: int) -> FakeCertificate:
    return FakeCertificate(
        subject,
        issuer,
        key.public_key(),
        ark_key(),
        AT - 5 * YEAR,
        AT + 20 * YEAR,
        authority_extensions(),
        serial,
    )


def milan(product: str = "Milan") -> World:
    """A VCEK of Milan, or of another line of struct version 0, with its chain and a report."""
    return World(
        ark=_authority(f"ARK-{product}", f"ARK-{product}", ark_key(), 0x10000),
        intermediate=_authority(f"SEV-{product}", f"ARK-{product}", intermediate_key(), 0x10001),
        leaf=FakeCertificate(
            "SEV-VCEK",
            f"SEV-{product}",
            leaf_key().public_key(),
            intermediate_key(),
            AT - YEAR,
            AT + 6 * YEAR,
            vcek_extensions(product),
        ),
        leaf_key=leaf_key(),
    )


def turin() -> World:
    """A VCEK of Turin."""
    world = milan("Turin")
    tcbs = dict.fromkeys(("current_tcb", "reported_tcb", "committed_tcb", "launch_tcb"), TURIN_TCB)
    return replace(world, leaf=replace(world.leaf, extensions=turin_extensions())).with_fields(
        version=5, cpuid=bytes([0x1A, 0x02, 0x01]), chip_id=CHIP[:8].ljust(64, b"\0"), **tcbs
    )


def vlek() -> World:
    """A VLEK of Milan, as clouds use that hide which chip a guest runs on."""
    world = milan()
    extensions = tuple(it for it in vcek_extensions("Milan") if it.oid != HARDWARE_ID)
    csp = FakeExtension(CSP_ID, tlv(0x16, b"CN=cc.example.org"))
    return replace(
        world,
        intermediate=_authority("SEV-VLEK-Milan", "ARK-Milan", intermediate_key(), 0x10101),
        leaf=replace(world.leaf, subject="SEV-VLEK", issuer="SEV-VLEK-Milan", extensions=(*extensions, csp)),
        kind=SigningKey.VLEK,
    ).with_fields(key_info=1 << 2, chip_id=bytes(64))
