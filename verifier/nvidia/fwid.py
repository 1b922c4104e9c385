"""The firmware identifier in a device's leaf certificate: SHA-384 of the firmware that holds the leaf's key.

Hopper GPUs and LS10 switches write a CompositeDeviceID, Blackwell GPUs a DiceTcbInfo (TCG, DICE Attestation
Architecture, 6.1.1), each under an identifier of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from verifier.errors import MalformedEvidence
from verifier.nvidia import layout
from verifier.pki import Certificate, der

_COMPOSITE_DEVICE_ID: Final = "2.23.133.5.4.1"
_TCB_INFO: Final = "2.23.133.5.4.1.1"
_SHA384: Final = "2.16.840.1.101.3.4.2.2"
_FWIDS: Final = der.context(6)
_NONE: Final = bytes(layout.FWID_BYTES)


@dataclass(frozen=True, slots=True)
class FirmwareIdentity:
    """What the leaf says of its firmware.

    fwids: SHA-384 digests; an entry of zeros is left out. device_key: SubjectPublicKeyInfo of the device's key, the
    one that signs the leaf; only a CompositeDeviceID states it.
    """

    fwids: frozenset[bytes]
    device_key: bytes | None


def read_firmware_identity(leaf: Certificate) -> FirmwareIdentity:
    """Read the extension; MalformedEvidence when there is none or it is not of its form."""
    composite, tcb_info = leaf.extensions.get(_COMPOSITE_DEVICE_ID), leaf.extensions.get(_TCB_INFO)
    if composite is not None:
        return _composite(composite.value)
    if tcb_info is not None:
        return _dice(tcb_info.value)
    raise MalformedEvidence(0, f"neither {_COMPOSITE_DEVICE_ID} nor {_TCB_INFO} is in the leaf certificate")


def _composite(value: bytes) -> FirmwareIdentity:
    """SEQUENCE { version, deviceID SubjectPublicKeyInfo, fwid FWID }."""
    outer = der.Reader(value)
    body = outer.read(der.SEQUENCE, "CompositeDeviceID").inside()
    outer.finish("CompositeDeviceID")
    body.read(der.INTEGER, "version of the CompositeDeviceID")
    device_key = body.read(der.SEQUENCE, "deviceID").encoded
    fwid = _fwid(body)
    body.finish("CompositeDeviceID")
    return FirmwareIdentity(frozenset({fwid} - {_NONE}), device_key)


def _dice(value: bytes) -> FirmwareIdentity:
    """SEQUENCE of tagged members, of which [6] holds the FWIDs."""
    outer = der.Reader(value)
    body = outer.read(der.SEQUENCE, "DiceTcbInfo").inside()
    outer.finish("DiceTcbInfo")
    found: set[bytes] = set()
    while body.more():
        member = body.read_any("member of DiceTcbInfo")
        if member.tag == _FWIDS:
            fwids = member.inside()
            while fwids.more():
                found.add(_fwid(fwids))
    return FirmwareIdentity(frozenset(found - {_NONE}), None)


def _fwid(reader: der.Reader) -> bytes:
    """SEQUENCE { hashAlg, digest }."""
    entry = reader.read(der.SEQUENCE, "FWID")
    parts = entry.inside()
    algorithm = der.object_identifier(parts.read(der.OBJECT_IDENTIFIER, "FWID algorithm"), "FWID algorithm")
    digest = parts.read(der.OCTET_STRING, "FWID digest").contents
    parts.finish("FWID")
    if algorithm != _SHA384 or len(digest) != layout.FWID_BYTES:
        raise MalformedEvidence(entry.start, "FWID: a SHA-384 digest expected")
    return digest
