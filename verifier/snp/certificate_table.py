"""The certificate table of an extended guest request: the endorsements that a host hands to its guest with a report.

`SNP_GET_EXT_REPORT` returns it, and `auxblob` of the kernel's configfs-tsm. Source: AMD 56421, "SEV-ES Guest-Hypervisor
Communication Block Standardization", SNP Extended Guest Request: entries of 24 bytes, each a GUID in the byte order of
RFC 9562, offset and length (little-endian, from the start of the table), and an entry of zeros at the end.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from verifier.errors import MalformedEvidence
from verifier.pki.files import pem_values
from verifier.snp.report import SigningKey

MAX_TABLE_BYTES: Final = 131_072
"""Many times what a VCEK and its chain need (about 5 KiB)."""

_ENTRY: Final = struct.Struct("<16sII")
_MAX_ENTRIES: Final = 16
_NAMES: Final = {
    UUID("63da758d-e664-4564-adc5-f4b93be8accd").bytes: "vcek",
    UUID("a8074bc2-a25a-483e-aae6-39c045a0b8a1").bytes: "vlek",
    UUID("4ab7b379-bbac-4fe4-a02f-05aef327c782").bytes: "intermediate",
    UUID("c0b406a4-a803-4952-9743-3fb6014cd0ae").bytes: "ark",
    UUID("92f81bc3-5811-4d3d-97ff-d19f88dc67ea").bytes: "crl",
}


@dataclass(frozen=True, slots=True)
class CertificateTable:
    """The entries that are known, DER; None where there is none. None is trusted before it is verified.

    intermediate: ASK, or ASVK beside a VLEK: both have the same GUID.
    """

    vcek: bytes | None = None
    vlek: bytes | None = None
    intermediate: bytes | None = None
    ark: bytes | None = None
    crl: bytes | None = None

    def leaf(self, kind: SigningKey) -> bytes | None:
        """The certificate of the key that signed a report."""
        return self.vcek if kind is SigningKey.VCEK else self.vlek


def parse(data: bytes) -> CertificateTable:
    """Read a table; zero bytes or unknown entries may be in it.

    Raises MalformedEvidence with the offset: no last entry, an entry outside the table or among the entries, a kind of
    certificate that occurs twice, PEM that holds none.
    """
    if len(data) > MAX_TABLE_BYTES:
        raise MalformedEvidence(MAX_TABLE_BYTES, f"certificate table: at most {MAX_TABLE_BYTES} bytes")
    entries = _entries(data)
    first = (len(entries) + 1) * _ENTRY.size
    found: dict[str, bytes] = {}
    for number, (guid, offset, length) in enumerate(entries):
        at, name = number * _ENTRY.size, _NAMES.get(guid)
        if offset < first or offset + length > len(data):
            raise MalformedEvidence(at, f"certificate table: bytes {offset} to {offset + length} are not its contents")
        if name in found:
            raise MalformedEvidence(at, f"certificate table: a second {name}")
        if name is not None:
            found[name] = der(data[offset : offset + length], offset)
    return CertificateTable(**found)


def _entries(data: bytes) -> list[tuple[bytes, int, int]]:
    found: list[tuple[bytes, int, int]] = []
    for number in range(_MAX_ENTRIES + 1):
        at = number * _ENTRY.size
        if at + _ENTRY.size > len(data):
            raise MalformedEvidence(min(at, len(data)), "certificate table: it has no last entry")
        entry = _ENTRY.unpack_from(data, at)
        if not any(entry[0]):
            return found
        found.append(entry)
    raise MalformedEvidence(_MAX_ENTRIES * _ENTRY.size, f"certificate table: more than {_MAX_ENTRIES} entries")


def der(content: bytes, offset: int = 0) -> bytes:
    """A certificate of a table, where hosts put DER, and some of them PEM. offset: where it was, for errors."""
    if not content.startswith(b"-----BEGIN "):
        return content
    values = pem_values(content)
    if not values:
        raise MalformedEvidence(offset, "certificate table: PEM without a certificate")
    return values[0]
