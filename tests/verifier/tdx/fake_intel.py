"""An Intel of our own: root, PCK, quoting enclave, TDX module and collateral whose every part a test can set.

Quotes are packed with offsets written here a second time (Intel, TDX DCAP Quoting Library API, A.3), not with the
verifier's own table.
"""

import base64
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.verifier.fake_x509 import (
    FakeCertificate,
    FakeCrl,
    FakeExtension,
    authority_extensions,
    ecdsa,
    integer,
    oid,
    tlv,
)
from verifier.pki import Certificate
from verifier.tdx import Collateral
from verifier.trust import TrustAnchor, TrustStore

AT = datetime(2026, 6, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
YEAR = 365 * DAY

SGX = "1.2.840.113741.1.13.1"
FMSPC = "00906ed50000"
QE_VENDOR = bytes.fromhex("939a7233f79c4ca9940a0db3957f0607")
QE_SIGNER = bytes(range(32))
MODULE_SIGNER = bytes(48)

_TD = {
    "tee_tcb_svn": (0, 16),
    "mr_seam": (16, 48),
    "mr_signer_seam": (64, 48),
    "seam_attributes": (112, 8),
    "td_attributes": (120, 8),
    "xfam": (128, 8),
    "mr_td": (136, 48),
    "mr_config_id": (184, 48),
    "mr_owner": (232, 48),
    "mr_owner_config": (280, 48),
    "rtmr0": (328, 48),
    "rtmr1": (376, 48),
    "rtmr2": (424, 48),
    "rtmr3": (472, 48),
    "report_data": (520, 64),
    "tee_tcb_svn_2": (584, 16),
    "mr_service_td": (600, 48),
}
_QE = {
    "cpu_svn": (0, 16),
    "misc_select": (16, 4),
    "attributes": (48, 16),
    "mr_enclave": (64, 32),
    "mr_signer": (128, 32),
    "isv_prod_id": (256, 2),
    "isv_svn": (258, 2),
    "report_data": (320, 64),
}


def _pack(size: int, offsets: dict[str, tuple[int, int]], fields: dict[str, Any]) -> bytes:
    body = bytearray(size)
    for name, value in fields.items():
        offset, width = offsets[name]
        body[offset : offset + width] = value.to_bytes(width, "little") if isinstance(value, int) else value
    return bytes(body)


def td_fields() -> dict[str, Any]:
    """A TD that every default policy accepts."""
    return {
        "tee_tcb_svn": bytes([6, 1, 3]).ljust(16, b"\0"),
        "mr_seam": bytes(range(10, 58)),
        "td_attributes": 1 << 28,
        "xfam": 0x602E7,
        "mr_td": bytes(range(100, 148)),
        "mr_config_id": bytes(range(60, 108)),
        "rtmr0": b"\x10" * 48,
        "rtmr1": b"\x11" * 48,
        "rtmr2": b"\x12" * 48,
        "report_data": bytes(range(64)),
    }


def qe_fields() -> dict[str, Any]:
    """The report of the TDX quoting enclave."""
    return {"attributes": 0x15, "mr_signer": QE_SIGNER, "isv_prod_id": 2, "isv_svn": 4}


def sgx_extension(
    components: bytes = bytes([5] * 16),
    pcesvn: int = 13,
    pce_id: bytes = bytes(2),
    fmspc: str = FMSPC,
    *,
    tcb_tag: int = 0x30,
    svn_tag: int = 0x02,
    extra: bytes = b"",
) -> bytes:
    """The SGX extension of a PCK certificate. tcb_tag, svn_tag: DER tags of the TCB and of its first component."""
    svns = [integer(svn) for svn in components]
    svns[0] = bytes([svn_tag]) + svns[0][1:]
    tcb = [member(f"{SGX}.2.{n}", svn) for n, svn in enumerate(svns, 1)]
    tcb += [member(f"{SGX}.2.17", integer(pcesvn)), member(f"{SGX}.2.18", tlv(0x04, components))]
    return tlv(
        0x30,
        member(f"{SGX}.1", tlv(0x04, bytes(range(16)))),
        member(f"{SGX}.2", tlv(tcb_tag, *tcb)),
        member(f"{SGX}.3", tlv(0x04, pce_id)),
        member(f"{SGX}.4", tlv(0x04, bytes.fromhex(fmspc))),
        member(f"{SGX}.5", tlv(0x0A, b"\x01")),
        extra,
        member(f"{SGX}.6", tlv(0x04, bytes(16))),
    )


def member(dotted: str, value: bytes) -> bytes:
    """SEQUENCE { OBJECT IDENTIFIER, value }."""
    return tlv(0x30, oid(dotted), value)


def level(status: str = "UpToDate", *, tcb: dict[str, Any], advisories: tuple[str, ...] = ()) -> dict[str, Any]:
    """A TCB level of either document."""
    found = {"tcb": tcb, "tcbDate": "2026-01-15T00:00:00Z", "tcbStatus": status}
    return {**found, "advisoryIDs": list(advisories)} if advisories else found


def platform_tcb(sgx: int = 5, tdx: int = 3, pcesvn: int = 13) -> dict[str, Any]:
    """The tcb member of a platform's level; TDX component 2 is the one that matters."""
    components = [0, 0, tdx, *[0] * 13]
    return {
        "sgxtcbcomponents": [{"svn": sgx}] * 16,
        "pcesvn": pcesvn,
        "tdxtcbcomponents": [{"svn": svn} for svn in components],
    }


def tcb_info() -> dict[str, Any]:
    """TCB info with levels up to date and out of date, for the platform and for module 1."""
    module = {"mrsigner": MODULE_SIGNER.hex(), "attributes": "00" * 8, "attributesMask": "ff" * 8}
    return {
        "id": "TDX",
        "version": 3,
        "issueDate": f"{AT - DAY:%Y-%m-%dT%H:%M:%SZ}",
        "nextUpdate": f"{AT + DAY:%Y-%m-%dT%H:%M:%SZ}",
        "fmspc": FMSPC.upper(),
        "pceId": "0000",
        "tcbType": 0,
        "tcbEvaluationDataNumber": 20,
        "tdxModule": module,
        "tdxModuleIdentities": [
            {
                "id": "TDX_01",
                **module,
                "tcbLevels": [
                    level(tcb={"isvsvn": 6}),
                    level("OutOfDate", tcb={"isvsvn": 4}, advisories=("INTEL-SA-01036",)),
                    level("Revoked", tcb={"isvsvn": 2}),
                ],
            }
        ],
        "tcbLevels": [
            level(tcb=platform_tcb()),
            level("OutOfDate", tcb=platform_tcb(4, 2, 11), advisories=("INTEL-SA-00837", "INTEL-SA-01036")),
        ],
    }


def qe_identity() -> dict[str, Any]:
    """The identity of the TDX quoting enclave."""
    return {
        "id": "TD_QE",
        "version": 2,
        "issueDate": f"{AT - DAY:%Y-%m-%dT%H:%M:%SZ}",
        "nextUpdate": f"{AT + DAY:%Y-%m-%dT%H:%M:%SZ}",
        "tcbEvaluationDataNumber": 20,
        "miscselect": "00000000",
        "miscselectMask": "FFFFFFFF",
        "attributes": "11000000000000000000000000000000",
        "attributesMask": "FBFFFFFFFFFFFFFF0000000000000000",
        "mrsigner": QE_SIGNER.hex(),
        "isvprodid": 2,
        "tcbLevels": [
            level(tcb={"isvsvn": 4}),
            level("OutOfDate", tcb={"isvsvn": 2}, advisories=("INTEL-SA-00999",)),
        ],
    }


def compact(document: dict[str, Any]) -> bytes:
    """A document as Intel writes it."""
    return json.dumps(document, separators=(",", ":")).encode()


@cache
def key(name: str) -> ec.EllipticCurvePrivateKey:
    """A P-256 key of its own for each name."""
    return ec.generate_private_key(ec.SECP256R1())


def sign_raw(name: str, data: bytes) -> bytes:
    """r ‖ s of the named key."""
    r, s = decode_dss_signature(key(name).sign(data, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def point(name: str) -> bytes:
    """x ‖ y of the named key."""
    return key(name).public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)[1:]


def certificate(
    subject: str, issuer: str, name: str, signer: str, serial: int, extensions: tuple[FakeExtension, ...] = ()
) -> FakeCertificate:
    """A certificate for the key `name`, signed by the key `signer`."""
    return FakeCertificate(
        subject, issuer, key(name).public_key(), key(signer), AT - YEAR, AT + YEAR, extensions, serial, ecdsa()
    )


def crl(issuer: str, signer: str) -> FakeCrl:
    """An empty CRL, valid around the time of the tests, with its number and its authority's key identifier."""
    extensions = (
        FakeExtension("2.5.29.35", tlv(0x30, tlv(0x80, signer.encode().ljust(20, b"\0")))),
        FakeExtension("2.5.29.20", integer(1)),
    )
    return FakeCrl(issuer, key(signer), AT - DAY, AT + DAY, extensions=extensions, algorithm=ecdsa())


SIGNS_DATA = FakeExtension("2.5.29.15", tlv(0x03, b"\x06\xc0"), critical=True)

ROOT, PLATFORM_CA = "Intel SGX Root CA", "Intel SGX PCK Platform CA"


@dataclass(frozen=True)
class World:
    """One quote with everything that endorses it. A test replaces the part it is about.

    edit_*: change a signed document before, forge_*: after it is signed.
    """

    root: FakeCertificate
    intermediate: FakeCertificate
    pck: FakeCertificate
    signer: FakeCertificate
    root_crl: FakeCrl
    pck_crl: FakeCrl
    version: int = 4
    body_type: int = 2
    td: dict[str, Any] = field(default_factory=td_fields)
    qe: dict[str, Any] = field(default_factory=qe_fields)
    vendor: bytes = QE_VENDOR
    auth: bytes = bytes(range(32))
    binding_tail: bytes = bytes(32)
    certification_type: int = 5
    attestation_key: bytes = field(default_factory=lambda: point("attestation"))
    qe_signer: str = "pck"
    quote_signer: str = "attestation"
    tcb_info: dict[str, Any] = field(default_factory=tcb_info)
    qe_identity: dict[str, Any] = field(default_factory=qe_identity)
    serialize: Callable[[dict[str, Any]], bytes] = compact
    document_signer: str = "signer"
    at: datetime = AT

    def with_td(self, **fields: Any) -> "World":
        """The same world with other fields of the TD report, signed anew."""
        return replace(self, td={**self.td, **fields})

    def with_qe(self, **fields: Any) -> "World":
        """The same world with other fields of the QE report, signed anew."""
        return replace(self, qe={**self.qe, **fields})

    def with_tcb_info(self, **members: Any) -> "World":
        """The same world with other members of the TCB info, signed anew."""
        return replace(self, tcb_info={**self.tcb_info, **members})

    def with_qe_identity(self, **members: Any) -> "World":
        """The same world with other members of the QE identity, signed anew."""
        return replace(self, qe_identity={**self.qe_identity, **members})

    def signed(self) -> bytes:
        """Header and body."""
        header = (
            self.version.to_bytes(2, "little")
            + (2).to_bytes(2, "little")
            + (0x81).to_bytes(4, "little")
            + bytes(4)
            + self.vendor
            + bytes(20)
        )
        size = 648 if self.version == 5 and self.body_type == 3 else 584
        body = _pack(size, _TD, self.td)
        if self.version == 5:
            header += self.body_type.to_bytes(2, "little") + size.to_bytes(4, "little")
        return header + body

    def pck_chain(self) -> bytes:
        """The chain that the quote carries, in PEM."""
        return b"".join(pem(it.encode()) for it in (self.pck, self.intermediate, self.root))

    def quote(self) -> bytes:
        """The signed quote."""
        signed = self.signed()
        binding = hashlib.sha256(self.attestation_key + self.auth).digest() + self.binding_tail
        report = _pack(384, _QE, {"report_data": binding, **self.qe})
        chain = self.pck_chain()
        inner = (
            report
            + sign_raw(self.qe_signer, report)
            + len(self.auth).to_bytes(2, "little")
            + self.auth
            + self.certification_type.to_bytes(2, "little")
            + len(chain).to_bytes(4, "little")
            + chain
        )
        data = (
            sign_raw(self.quote_signer, signed)
            + self.attestation_key
            + (6).to_bytes(2, "little")
            + len(inner).to_bytes(4, "little")
            + inner
        )
        return signed + len(data).to_bytes(4, "little") + data

    def collateral(self, **changes: bytes) -> Collateral:
        """The signed collateral; changes: parts replaced after signing."""
        info, identity = self.serialize(self.tcb_info), self.serialize(self.qe_identity)
        parts = {
            "tcb_info": info,
            "tcb_info_signature": sign_raw(self.document_signer, info),
            "qe_identity": identity,
            "qe_identity_signature": sign_raw(self.document_signer, identity),
            "tcb_signing_chain": pem(self.signer.encode()) + pem(self.root.encode()),
            "root_crl": self.root_crl.encode(),
            "pck_crl": self.pck_crl.encode(),
        }
        return Collateral(**{**parts, **changes})

    def trust(self) -> TrustStore:
        """A store with only this world's root."""
        return TrustStore([TrustAnchor("fake", frozenset({"tdx"}), Certificate.parse(world().root.encode()))])


def pem(encoded: bytes) -> bytes:
    """A certificate in PEM."""
    return b"-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(encoded) + b"-----END CERTIFICATE-----\n"


@cache
def world() -> World:
    """A TD of version 1.0 on an up-to-date platform."""
    return World(
        root=certificate(ROOT, ROOT, "root", "root", 1, authority_extensions()),
        intermediate=certificate(PLATFORM_CA, ROOT, "ca", "root", 2, authority_extensions()),
        pck=certificate(
            "Intel SGX PCK Certificate", PLATFORM_CA, "pck", "ca", 3, (SIGNS_DATA, FakeExtension(SGX, sgx_extension()))
        ),
        signer=certificate("Intel SGX TCB Signing", ROOT, "signer", "root", 4, (SIGNS_DATA,)),
        root_crl=crl(ROOT, "root"),
        pck_crl=crl(PLATFORM_CA, "ca"),
    )


def world_15(**fields: Any) -> World:
    """A TD of version 1.5 in a quote of version 5."""
    base = replace(world(), version=5, body_type=3)
    return base.with_td(**{"tee_tcb_svn_2": base.td["tee_tcb_svn"], **fields})
