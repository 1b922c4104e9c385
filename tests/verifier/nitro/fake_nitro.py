"""An AWS of our own: a root, a chain of authorities and documents, whose every part a test can set."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

import cbor2

from tests.verifier.fake_x509 import authority_extensions, integer, tlv
from tests.verifier.nvidia.fake_nvidia import ECDSA_SHA384, SIGNS_DATA, P384Certificate, key, sign_raw
from verifier import nitro
from verifier.pki import Certificate
from verifier.trust import TrustAnchor, TrustStore

AT = datetime(2026, 6, 1, 12, tzinfo=UTC)
MADE_AT = AT - timedelta(minutes=1)
NONCE = b"a nonce of the caller"
HOUR = timedelta(hours=1)
DAY = 24 * HOUR
ROOT, REGION, ZONE, LEAF = "aws.nitro-enclaves", "region.aws", "zone.aws", "i-0123456789abcdef0-enc0123"
BASIC_CONSTRAINTS = "2.5.29.19"


def certificate(subject: str, issuer: str, *extensions: Any, life: timedelta = DAY) -> P384Certificate:
    """A certificate of the key called like its subject, by the key called like its issuer."""
    public = key(subject).public_key()
    return P384Certificate(subject, issuer, public, key(issuer), AT - life, AT + life, extensions, 1, ECDSA_SHA384)


def constrained(path_length: int) -> bytes:
    """BasicConstraints of a CA below which so many CAs may be."""
    return tlv(0x30, tlv(0x01, b"\xff"), integer(path_length))


def default_payload() -> dict[str, Any]:
    """What the Nitro Security Module says of an enclave, but for the certificates."""
    return {
        "module_id": LEAF,
        "digest": "SHA384",
        "timestamp": int(MADE_AT.timestamp() * 1000),
        "pcrs": {index: (bytes([index + 1]) * 48 if index < 5 else bytes(48)) for index in range(16)},
        "public_key": None,
        "user_data": None,
        "nonce": NONCE,
    }


PINNED = certificate(ROOT, ROOT, *authority_extensions(), life=100 * DAY)
REGIONAL = certificate(REGION, ROOT, *authority_extensions(), life=10 * DAY)
ZONAL = certificate(ZONE, REGION, *authority_extensions())
SIGNER = certificate(LEAF, ZONE, SIGNS_DATA, life=HOUR)


@dataclass(frozen=True)
class World:
    """A document and all that it rests on. A test replaces the part it is about.

    changes: members of the payload to set, None being CBOR's null; left_out: those that are not there. payload,
    signature: as given instead. signer: name of the key that signs. headers, tag: of the COSE_Sign1.
    """

    root: P384Certificate = PINNED
    region: P384Certificate = REGIONAL
    zone: P384Certificate = ZONAL
    leaf: P384Certificate = SIGNER
    changes: dict[str, Any] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()
    headers: dict[int, Any] = field(default_factory=lambda: {1: -35})
    payload: bytes | None = None
    signature: bytes | None = None
    signer: str = LEAF
    tag: int | None = None

    @cached_property
    def trust(self) -> TrustStore:
        """A store that trusts the root for Nitro."""
        return TrustStore([TrustAnchor("aws", frozenset({"nitro"}), Certificate.parse(PINNED.encode()))])

    def with_payload(self, **changes: Any) -> "World":
        """The same, saying something else."""
        return replace(self, changes=self.changes | changes)

    def document(self) -> bytes:
        """The document as an enclave gets it."""
        chain = {
            "certificate": self.leaf.encode(),
            "cabundle": [it.encode() for it in (self.root, self.region, self.zone)],
        }
        members = default_payload() | chain | self.changes
        payload = self.payload or cbor2.dumps({name: it for name, it in members.items() if name not in self.left_out})
        protected = cbor2.dumps(self.headers)
        signed = cbor2.dumps(["Signature1", protected, b"", payload])
        message = [protected, {}, payload, self.signature or sign_raw(self.signer, signed)]
        return cbor2.dumps(message if self.tag is None else cbor2.CBORTag(self.tag, message))

    def verified(self, at: datetime = AT) -> nitro.VerifiedDocument:
        """The outcome of verification."""
        return nitro.verify(nitro.parse(self.document()), self.trust, at)
