"""Reference integrity manifests: what NVIDIA says a device with one driver or one VBIOS measures.

A RIM is a SWID tag (ISO/IEC 19770-2) in the form of TCG's RIM information model, signed as `verifier.nvidia.xml` says.
Which RIMs a device needs is derived from what it signed, not from what its host says. A RIM does not state its id or
the board that a VBIOS is for: an id finds it, product, version and measurements decide whether it fits.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from lxml import etree

from verifier.errors import VerificationFailed
from verifier.nvidia.device import DeviceChain, DeviceKind
from verifier.nvidia.opaque import OpaqueData
from verifier.nvidia.xml import SignedDocument, parse_xml, signed_document
from verifier.pki.chain import Chain, verified_chain
from verifier.pki.ecdsa import P384
from verifier.trust import TrustStore

SIGNER_ROLES: Final = ("signer", "l3", "l2", "root")

SCOPES: Final = {DeviceKind.GPU: "nvidia-gpu-rim", DeviceKind.SWITCH: "nvidia-switch-rim"}
"""Scope of the anchors that may vouch for RIMs: GPU and NVSwitch are pinned apart."""

_EDITIONS: Final = {DeviceKind.GPU: "GPU", DeviceKind.SWITCH: "SWITCH"}
_MEMORY: Final = b"nvidia.rim"
_SWID: Final = "{http://standards.iso.org/iso/19770/-2/2015/schema.xsd}"
_HASH: Final = re.compile(r"\{http://www\.w3\.org/2001/04/xmlenc#sha384\}Hash([0-9]{1,2})")
_HEX: Final = re.compile(r"(?:[0-9a-fA-F]{2})+")
_DIGITS: Final = re.compile(r"[0-9]{1,4}")
_STATES: Final = {"True": True, "False": False}
_MAX_INDEX: Final = 253
"""SPDM block indexes end at 254, and RIMs count one less."""
_HOPPER: Final = "GH100"
_BLACKWELL: Final = "GB100"
_SWITCH_BOARD: Final = "5612_0002_890"
"""Project, project SKU and chip SKU of the LS10, which its report does not state."""


class RimKind(StrEnum):
    """What a RIM is for. The value names it in checks and claims."""

    DRIVER = "driver"
    VBIOS = "vbios"


@dataclass(frozen=True, slots=True)
class Rim:
    """A verified RIM.

    product: the chip. version: of the driver or VBIOS. tag_id: NVIDIA's identifier of this document.
    golden: index from 0 → acceptable values, of active entries only. signers: whose validity the policy looks at.
    sha256: of the document.
    """

    kind: RimKind
    product: str
    version: str
    tag_id: str
    golden: Mapping[int, frozenset[bytes]]
    signers: Chain
    sha256: str


def rim_ids(device: DeviceChain, opaque: OpaqueData) -> Mapping[RimKind, str]:
    """The ids of the RIMs that a device needs; one whose version the device does not state is left out."""
    found: dict[RimKind, str] = {}
    vbios = opaque.vbios_version.replace(".", "")
    if device.kind is DeviceKind.SWITCH:
        return {RimKind.VBIOS: f"NV_SWITCH_BIOS_{_SWITCH_BOARD}_{vbios}"} if vbios else found
    if opaque.driver_version:
        prefix = "NV_GPU_DRIVER_" if device.chip == _HOPPER else "NV_GPU_CC_DRIVER_"
        found[RimKind.DRIVER] = f"{prefix}{driver_product(device, opaque)}_{opaque.driver_version}"
    if vbios and opaque.project and opaque.project_sku and opaque.chip_sku:
        board = f"{opaque.project}_{opaque.project_sku}_{opaque.chip_sku}"
        found[RimKind.VBIOS] = f"NV_GPU_VBIOS_{board}_{vbios}"
    return found


def driver_product(device: DeviceChain, opaque: OpaqueData) -> str:
    """The product of a GPU's driver RIM: Hopper's chip, or what a Blackwell calls itself (GB100 when it does not)."""
    return _HOPPER if device.chip == _HOPPER else opaque.chip or _BLACKWELL


def verify_rim(encoded: bytes, kind: RimKind, device: DeviceKind, trust: TrustStore) -> Rim:
    """Verify a RIM's signature up to the pinned root, from the store's memory if it has verified it before.

    The checks are called `rim.driver.…` and `rim.vbios.…`. When its signers are valid is left to the policy.
    """
    digest = hashlib.sha256(encoded)
    memory = _MEMORY + f".{kind}.{device}".encode() + digest.digest()
    known = trust.verified.get(memory)
    if isinstance(known, Rim):
        return known
    check = f"rim.{kind}"
    document = signed_document(encoded, check)
    signers = verified_chain(document.certificates, SIGNER_ROLES, SCOPES[device], trust, f"{check}.chain")
    if not P384.verifies_raw(signers.members[0].key, document.signed_info, document.signature):
        raise VerificationFailed(f"{check}.signature", f"{signers.members[0].certificate.common_name} did not sign it")
    fresh = _read(document, kind, device, signers, digest.hexdigest())
    trust.verified.put(memory, fresh)
    return fresh


def _read(document: SignedDocument, kind: RimKind, device: DeviceKind, signers: Chain, sha256: str) -> Rim:
    """The RIM in the bytes that were signed."""
    root = parse_xml(document.content)
    try:
        return _content(root, kind, device, signers, sha256)
    except _UnexpectedContentError as error:
        raise VerificationFailed(f"rim.{kind}.content", str(error)) from None


def _content(root: etree._Element, kind: RimKind, device: DeviceKind, signers: Chain, sha256: str) -> Rim:
    if root.tag != f"{_SWID}SoftwareIdentity":
        raise _UnexpectedContentError(f"{root.tag!s:.80} in place of a SoftwareIdentity")
    meta, payload = _only(root, "Meta"), _only(root, "Payload")
    edition = _attribute(meta, "edition")
    if edition != _EDITIONS[device]:
        raise _UnexpectedContentError(f"edition {edition}, {_EDITIONS[device]} expected")
    return Rim(
        kind=kind,
        product=_attribute(meta, "product"),
        version=_attribute(meta, "colloquialVersion").upper(),
        tag_id=_attribute(root, "tagId"),
        golden=_golden(payload),
        signers=signers,
        sha256=sha256,
    )


class _UnexpectedContentError(Exception):
    """A signed document that is not a RIM as specified; str() says in what."""


def _golden(payload: etree._Element) -> dict[int, frozenset[bytes]]:
    golden: dict[int, frozenset[bytes]] = {}
    seen: set[int] = set()
    for resource in payload:
        if resource.tag != f"{_SWID}Resource" or _attribute(resource, "type") != "Measurement":
            raise _UnexpectedContentError("the payload holds something else than measurements")
        index = _number(resource, "index", _MAX_INDEX)
        if index in seen:
            raise _UnexpectedContentError(f"measurement {index} occurs twice")
        seen.add(index)
        state = _attribute(resource, "active")
        if state not in _STATES:
            raise _UnexpectedContentError(f"measurement {index}: active is {state!r}, True or False expected")
        values = _values(resource, index)
        if _STATES[state]:
            golden[index] = values
    return golden


def _values(resource: etree._Element, index: int) -> frozenset[bytes]:
    """Hash0 to Hash(alternatives - 1), each of the stated size."""
    alternatives, size = _number(resource, "alternatives", 99), _number(resource, "size", 1024)
    found: dict[int, bytes] = {}
    for name, value in resource.attrib.items():
        match = _HASH.fullmatch(str(name))
        if match is not None:
            text = str(value)
            if not _HEX.fullmatch(text) or len(text) != 2 * size:
                raise _UnexpectedContentError(f"measurement {index}: a value is not {size} bytes in hex")
            found[int(match[1])] = bytes.fromhex(text)
    if not found or sorted(found) != list(range(alternatives)):
        raise _UnexpectedContentError(f"measurement {index}: {len(found)} values, {alternatives} stated")
    return frozenset(found.values())


def _only(parent: etree._Element, name: str) -> etree._Element:
    found = parent.findall(f"{_SWID}{name}")
    if len(found) != 1:
        raise _UnexpectedContentError(f"{len(found)} elements {name}, 1 expected")
    return found[0]


def _attribute(element: etree._Element, name: str) -> str:
    value = element.get(name)
    if not value:
        raise _UnexpectedContentError(f"{etree.QName(element).localname} has no {name}")
    return str(value)


def _number(element: etree._Element, name: str, largest: int) -> int:
    text = _attribute(element, name)
    if not _DIGITS.fullmatch(text) or int(text) > largest:
        raise _UnexpectedContentError(f"{name} is {text!r:.40}, a number up to {largest} expected")
    return int(text)
