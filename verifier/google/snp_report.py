"""An SNP report in fields of a protobuf message, put together again to the 1184 bytes that the processor signed.

Source: google/go-sev-guest, proto/sevsnp.proto (numbers of the fields) and abi (how they map to AMD's structure);
google/gce-tcb-verifier, sev (GUID of the launch endorsement).

    Attestation        1 report, 2 certificate_chain, 3 product
    CertificateChain   1 VCEK, 2 ASK or ASVK, 3 ARK, 6 VLEK, 7 map of GUID to anything else that the host's table has

Whether the bytes are the right ones the processor's signature says. The product (3) and a firmware certificate (4 of
the chain, which nothing writes any more) are the sender's word, and not used.
"""

from __future__ import annotations

from typing import Final

from verifier import snp
from verifier.errors import MalformedEvidence
from verifier.google.protobuf import Message
from verifier.snp import Endorsements, SigningKey, layout
from verifier.snp.certificate_table import der
from verifier.tpm import CarriedReport

LAUNCH_ENDORSEMENT: Final = b"9f4116cd-c503-4f5a-8f6f-fb68882f4ce2"
"""GUID under which Google's hosts put the launch endorsement of their firmware into the certificate table."""

_FIRST: Final = (
    "version",
    "guest_svn",
    "policy",
    "family_id",
    "image_id",
    "vmpl",
    "signature_algo",
    "current_tcb",
    "platform_info",
    "key_info",
    "report_data",
    "measurement",
    "host_data",
    "id_key_digest",
    "author_key_digest",
    "report_id",
    "report_id_ma",
    "reported_tcb",
    "chip_id",
    "committed_tcb",
    "current_build",
    "current_minor",
    "current_major",
    "committed_build",
    "committed_minor",
    "committed_major",
    "launch_tcb",
)
_NUMBERS: Final = dict(zip(_FIRST, range(1, 28), strict=True)) | {"launch_mitigations": 30, "current_mitigations": 31}
"""Field of the report, as `layout.FIELDS` calls it → its number in the message."""

_SIGNATURE: Final = 28
_CPUID: Final = 29
_CPUID_BITS: Final = 0x0FFF_0FFF
_EXTENDED_FAMILY_FROM: Final = 0xF
_PLACES: Final = {field.name: field for field in layout.FIELDS}


def read(message: Message) -> CarriedReport:
    """The report of an Attestation message, with what endorses it; MalformedEvidence for anything but a whole one."""
    message.require_only(1, 2, 3)
    message.octets(3)
    report = snp.parse(signed_bytes(message.required_message(1, "SNP report")))
    chain = message.message(2, "certificate chain")
    if chain is None:
        return CarriedReport(report)
    chain.require_only(1, 2, 3, 4, 6, 7)
    return CarriedReport(report, _endorsements(chain, report.signing_key), _launch_endorsement(chain))


def signed_bytes(message: Message) -> bytes:
    """The 1184 bytes of a Report message: each field in its place, zeros between them."""
    message.require_only(*_NUMBERS.values(), _SIGNATURE, _CPUID)
    data = bytearray(layout.REPORT_BYTES)
    for name, number in _NUMBERS.items():
        place = _PLACES[name]
        is_number = not place.code.endswith("s") or name.endswith("_tcb")
        value = message.little_endian(number, place.size) if is_number else message.sized(number, place.size)
        data[place.offset : place.offset + place.size] = value
    start = layout.OFFSETS["cpuid_family"]
    cpuid = _cpuid(message.uint(_CPUID))
    data[start : start + len(cpuid)] = cpuid
    data[layout.SIGNED_BYTES :] = message.sized(_SIGNATURE, layout.REPORT_BYTES - layout.SIGNED_BYTES)
    return bytes(data)


def _cpuid(eax: int) -> bytes:
    """Family, model and stepping, which the message packs as CPUID Fn0000_0001 has them in EAX (AMD 24594, E.3.2)."""
    family, extended = eax >> 8 & 0xF, eax >> 20 & 0xFF
    whole = family + extended
    if eax & ~_CPUID_BITS or whole > 0xFF or (extended and family < _EXTENDED_FAMILY_FROM):
        raise MalformedEvidence(0, f"SNP report: field {_CPUID} is {eax:#x}, which is no processor's CPUID")
    return bytes([whole, eax >> 12 & 0xF0 | eax >> 4 & 0xF, eax & 0xF])


def _endorsements(chain: Message, kind: SigningKey | None) -> Endorsements | None:
    leaves = {SigningKey.VCEK: chain.octets(1), SigningKey.VLEK: chain.octets(6)}
    intermediate, ark, _firmware_certificate = (chain.octets(number) for number in (2, 3, 4))
    if kind is None or not leaves[kind]:
        return None
    return Endorsements(der(leaves[kind]), kind, der(intermediate) or None, der(ark) or None)


def _launch_endorsement(chain: Message) -> bytes | None:
    """What the host's table has under Google's GUID; what else is in it is nothing that is read here."""
    found = [entry.octets(2) for entry in chain.messages(7, "extra") if entry.octets(1) == LAUNCH_ENDORSEMENT]
    if len(found) > 1:
        raise MalformedEvidence(0, f"certificate chain: {len(found)} launch endorsements")
    return found[0] if found else None
