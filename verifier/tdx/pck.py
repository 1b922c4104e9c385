"""What Intel states in a PCK certificate about the platform: its identity and its TCB.

Source: Intel, "SGX PCK Certificate and Certificate Revocation List Profile", section 1.3.5 (SGX extension).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from verifier.errors import MalformedEvidence
from verifier.pki import der
from verifier.pki.certificate import Certificate

SGX_EXTENSION: Final = "1.2.840.113741.1.13.1"

_PPID: Final = SGX_EXTENSION + ".1"
_TCB: Final = SGX_EXTENSION + ".2"
_PCE_ID: Final = SGX_EXTENSION + ".3"
_FMSPC: Final = SGX_EXTENSION + ".4"
_PLATFORM_INSTANCE: Final = SGX_EXTENSION + ".6"

COMPONENTS: Final = 16
_PCESVN: Final = f"{_TCB}.{COMPONENTS + 1}"
_MAX_COMPONENT: Final = 0xFF
_MAX_PCESVN: Final = 0xFFFF


@dataclass(frozen=True, slots=True)
class Platform:
    """A platform as its PCK certificate describes it.

    components: the 16 SGX TCB component SVNs, one byte each. pcesvn: 0-65535.
    fmspc: 6 bytes; it says which TCB info applies. pce_id: 2 bytes. ppid: 16 bytes, the processors' identity.
    instance_id: 16 bytes, multi-package platforms only.
    """

    ppid: bytes
    components: bytes
    pcesvn: int
    pce_id: bytes
    fmspc: bytes
    instance_id: bytes | None


def read_platform(certificate: Certificate) -> Platform:
    """The SGX extension of a PCK certificate; MalformedEvidence when it is missing or not as specified."""
    extension = certificate.extensions.get(SGX_EXTENSION)
    if extension is None:
        raise MalformedEvidence(0, f"no SGX extension ({SGX_EXTENSION})")
    reader = der.Reader(extension.value)
    members = _members(reader.read(der.SEQUENCE, "SGX extension"))
    reader.finish("SGX extension")
    tcb = _members(_required(members, _TCB, "TCB"))
    components = [_svn(tcb, f"{_TCB}.{number}", _MAX_COMPONENT) for number in range(1, COMPONENTS + 1)]
    return Platform(
        ppid=_octets(members, _PPID, 16, "PPID"),
        components=bytes(components),
        pcesvn=_svn(tcb, _PCESVN, _MAX_PCESVN),
        pce_id=_octets(members, _PCE_ID, 2, "PCEID"),
        fmspc=_octets(members, _FMSPC, 6, "FMSPC"),
        instance_id=_octets(members, _PLATFORM_INSTANCE, 16, "instance") if _PLATFORM_INSTANCE in members else None,
    )


def _members(sequence: der.Element) -> dict[str, der.Element]:
    """SEQUENCE OF SEQUENCE { OBJECT IDENTIFIER, ANY }; a repeated identifier is refused."""
    if sequence.tag != der.SEQUENCE:
        raise MalformedEvidence(sequence.start, "SGX extension: a SEQUENCE is expected")
    found: dict[str, der.Element] = {}
    reader = sequence.inside()
    while reader.more():
        entry = reader.read(der.SEQUENCE, "SGX extension member")
        parts = entry.inside()
        oid = der.object_identifier(parts.read(der.OBJECT_IDENTIFIER, "member id"), "member id")
        if oid in found:
            raise MalformedEvidence(entry.start, f"SGX extension member {oid} occurs twice")
        found[oid] = parts.read_any(f"member {oid}")
        parts.finish(f"member {oid}")
    return found


def _required(members: dict[str, der.Element], oid: str, what: str) -> der.Element:
    if oid not in members:
        raise MalformedEvidence(0, f"SGX extension without {what} ({oid})")
    return members[oid]


def _octets(members: dict[str, der.Element], oid: str, size: int, what: str) -> bytes:
    element = _required(members, oid, what)
    if element.tag != der.OCTET_STRING or len(element.contents) != size:
        raise MalformedEvidence(element.start, f"SGX extension: {what} is not an OCTET STRING of {size} bytes")
    return element.contents


def _svn(members: dict[str, der.Element], oid: str, limit: int) -> int:
    element = _required(members, oid, "an SVN")
    if element.tag != der.INTEGER:
        raise MalformedEvidence(element.start, f"SGX extension: {oid} is not an INTEGER")
    value = der.integer(element, oid)
    if not 0 <= value <= limit:
        raise MalformedEvidence(element.start, f"SGX extension: {oid} is {value}, 0 to {limit} expected")
    return value
