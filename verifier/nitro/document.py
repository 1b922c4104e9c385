"""The attestation document: a COSE_Sign1 over a CBOR map. Parsing is total: bytes give a document or MalformedEvidence.

Source: AWS, Nitro Enclaves user guide, "Verifying the root of trust" (structure and syntactical validation), and
Amazon EC2 user guide, "Validate a NitroTPM Attestation Document". The two differ in the name of the PCRs' member.

    module_id    text, not empty                      timestamp    uint, milliseconds since 1970-01-01 UTC
    digest       "SHA384"                             pcrs | nitrotpm_pcrs   1 to 32 of index 0-31 → 48 bytes
    certificate  1 to 1024 bytes, DER                 cabundle     1 to 8 certificates, the root first
    public_key   absent, null or 1 to 1024 bytes      user_data, nonce       absent, null or at most 512 (enclaves)
                                                                             or 1024 (NitroTPM) bytes
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any, Final

from verifier import cbor, cose
from verifier.cose import Sign1
from verifier.errors import MalformedEvidence

MAX_DOCUMENT_BYTES: Final = 65_536
"""More than ten times the largest genuine one."""
PCR_BYTES: Final = 48
_PCR_INDEXES: Final = range(32)
_CERTIFICATE_BYTES: Final = range(1, 1025)
_BUNDLE_LENGTHS: Final = range(1, 9)
_PUBLIC_KEY_BYTES: Final = range(1, 1025)
_DIGEST: Final = "SHA384"
_LAST_TIMESTAMP: Final = 253_402_300_799_999
"""The last millisecond of the year 9999, in milliseconds since 1970."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_STARTS: Final = (b"\x84", b"\xd2\x84")
"""An array of four, with or without the tag of a COSE_Sign1."""


class DocumentKind(Enum):
    """Who is attested; the value is the member that holds the PCRs."""

    ENCLAVE = "pcrs"
    NITROTPM = "nitrotpm_pcrs"

    @property
    def label(self) -> str:
        """As results call it."""
        return "Nitro enclave" if self is DocumentKind.ENCLAVE else "NitroTPM"

    @property
    def data_bytes(self) -> range:
        """Lengths that user_data and nonce may have."""
        return range(513) if self is DocumentKind.ENCLAVE else range(1025)


@dataclass(frozen=True, slots=True)
class NitroDocument:
    """One document. message: as it is signed. pcrs: index → 48 bytes. chain: the leaf first, the root last, DER."""

    message: Sign1
    kind: DocumentKind
    module_id: str
    timestamp: datetime
    pcrs: Mapping[int, bytes]
    chain: tuple[bytes, ...]
    public_key: bytes | None
    user_data: bytes | None
    nonce: bytes | None

    @property
    def booted(self) -> bytes:
        """The PCR of what was booted: of an enclave its image (0), with NitroTPM the boot loader (4); empty without."""
        return self.pcrs.get(0 if self.kind is DocumentKind.ENCLAVE else 4, b"")

    @property
    def instance_id(self) -> str:
        """The EC2 instance: an enclave's module_id is `<instance>-enc<enclave>`."""
        return self.module_id.partition("-enc")[0]

    def annotations(self) -> dict[str, str | int]:
        """Field → value, bytes in hex, for results and receipts."""
        data = {"public_key": self.public_key, "user_data": self.user_data, "nonce": self.nonce}
        return {
            "kind": self.kind.label,
            "module_id": self.module_id,
            "timestamp": self.timestamp.isoformat(),
            **{f"pcr{index}": value.hex() for index, value in self.pcrs.items()},
            **{name: value.hex() for name, value in data.items() if value is not None},
        }


def is_document(evidence: bytes) -> bool:
    """Whether bytes start like a COSE_Sign1, which no other kind of evidence does."""
    return evidence.startswith(_STARTS)


def parse(data: bytes) -> NitroDocument:
    """Read a document; MalformedEvidence says what is wrong, the offset being in the payload for its members."""
    if len(data) > MAX_DOCUMENT_BYTES:
        raise MalformedEvidence(MAX_DOCUMENT_BYTES, f"Nitro document: {len(data)} bytes, at most {MAX_DOCUMENT_BYTES}")
    message = cose.parse_sign1(data)
    payload = cbor.decode(message.payload)
    if not isinstance(payload, dict):
        raise _malformed("the payload is not a map")
    kinds = [kind for kind in DocumentKind if kind.value in payload]
    if len(kinds) != 1:
        raise _malformed("one of pcrs and nitrotpm_pcrs is expected")
    kind = kinds[0]
    if payload.get("digest") != _DIGEST:
        raise _malformed(f"digest is {payload.get('digest')!r:.40}, {_DIGEST} expected")
    return NitroDocument(
        message=message,
        kind=kind,
        module_id=_text(payload, "module_id"),
        timestamp=_timestamp(payload.get("timestamp")),
        pcrs=_pcrs(payload[kind.value]),
        chain=_chain(payload),
        public_key=_optional(payload, "public_key", _PUBLIC_KEY_BYTES),
        user_data=_optional(payload, "user_data", kind.data_bytes),
        nonce=_optional(payload, "nonce", kind.data_bytes),
    )


def _malformed(reason: str) -> MalformedEvidence:
    return MalformedEvidence(0, f"Nitro document: {reason}")


def _text(payload: Mapping[Any, Any], name: str) -> str:
    value = payload.get(name)
    if not isinstance(value, str) or not value:
        raise _malformed(f"{name} is not a text, or empty")
    return value


def _timestamp(value: object) -> datetime:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value <= _LAST_TIMESTAMP:
        raise _malformed("timestamp is no time in milliseconds since 1970")
    return _EPOCH + timedelta(milliseconds=value)


def _pcrs(value: object) -> dict[int, bytes]:
    if not isinstance(value, dict) or not value:
        raise _malformed("the PCRs are not a map, or empty")
    for index, register in value.items():
        if index not in _PCR_INDEXES:
            raise _malformed(f"PCR {index!r:.40}: an index from 0 to 31 is expected")
        if not isinstance(register, bytes) or len(register) != PCR_BYTES:
            raise _malformed(f"PCR {index} is not {PCR_BYTES} bytes, as SHA-384 gives")
    return dict(sorted(value.items()))


def _chain(payload: Mapping[Any, Any]) -> tuple[bytes, ...]:
    bundle = payload.get("cabundle")
    if not isinstance(bundle, list) or len(bundle) not in _BUNDLE_LENGTHS:
        raise _malformed("cabundle is not a list of 1 to 8 certificates")
    certificates = [payload.get("certificate"), *reversed(bundle)]
    for certificate in certificates:
        if not isinstance(certificate, bytes) or len(certificate) not in _CERTIFICATE_BYTES:
            raise _malformed("a certificate is not 1 to 1024 bytes")
    return tuple(certificates)


def _optional(payload: Mapping[Any, Any], name: str, lengths: range) -> bytes | None:
    value = payload.get(name)
    if value is None:
        return None
    if not isinstance(value, bytes) or len(value) not in lengths:
        raise _malformed(f"{name} is not {lengths.start} to {lengths.stop - 1} bytes")
    return value
