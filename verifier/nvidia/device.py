"""The certificate chain of a device: which device it is, and which firmware its key belongs to.

leaf (GSP or FSP FMC) ← BROM ← Provisioner ICA ← Identity ← NVIDIA Device Identity CA. The BROM's certificate is the
device's own; its key is fused, and signs a leaf for the firmware that the device started.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from verifier.errors import MalformedEvidence, VerificationFailed
from verifier.nvidia import layout
from verifier.nvidia.fwid import FirmwareIdentity, read_firmware_identity
from verifier.pki import Certificate
from verifier.pki.chain import Chain, Member, verified_chain
from verifier.pki.files import pem_values
from verifier.trust import TrustStore

SCOPE: Final = "nvidia-device"
"""Scope of the anchors that may vouch for devices."""

ROLES: Final = ("leaf", "brom", "provisioner", "identity", "root")

_CHECK: Final = "chain"
_MEMORY: Final = b"nvidia.chain"
_CHIP: Final = re.compile(r"(?P<gpu>G[A-Z][0-9]{3})|LS_(?P<switch>[0-9]{2})")
"""First word of the leaf's and the BROM's common names."""


class DeviceKind(StrEnum):
    """What a device is. The value names it in results."""

    GPU = "gpu"
    SWITCH = "switch"


@dataclass(frozen=True, slots=True)
class DeviceChain:
    """A verified device chain with what it says.

    kind: from the model. chip: as RIMs call it, `GH100`, `GB100`, `LS10`.
    pdi: per-device identifier, 8 bytes: the last ones of the BROM certificate's serial number.
    firmware: identity of the firmware that holds the leaf's key.
    """

    chain: Chain
    kind: DeviceKind
    chip: str
    pdi: bytes
    firmware: FirmwareIdentity

    @property
    def leaf(self) -> Member:
        """The certificate whose key signs reports."""
        return self.chain.members[0]


def device_chain(pem: bytes, trust: TrustStore) -> DeviceChain:
    """Verify a chain in PEM, leaf first, from the store's memory if it has verified it before.

    VerificationFailed names the link that does not hold; validity and revocation are looked at on every use.
    """
    memory = _MEMORY + hashlib.sha256(pem).digest()
    known = trust.verified.get(memory)
    if isinstance(known, DeviceChain):
        return known
    chain = verified_chain(pem_values(pem), ROLES, SCOPE, trust, _CHECK)
    leaf, brom = chain.members[0].certificate, chain.members[1].certificate
    kind, chip = _model(leaf, brom)
    fresh = DeviceChain(chain, kind, chip, _pdi(brom), _firmware(leaf, brom))
    trust.verified.put(memory, fresh)
    return fresh


def _model(leaf: Certificate, brom: Certificate) -> tuple[DeviceKind, str]:
    """Kind and chip, which leaf and BROM must agree on."""
    words = leaf.common_name.split(" ")[0], brom.common_name.split(" ")[0]
    match = _CHIP.fullmatch(words[0])
    if match is None or words[0] != words[1]:
        raise VerificationFailed(
            "chain.model", f"{leaf.common_name!r} under {brom.common_name!r} is no GPU or NVSwitch that is known"
        )
    if match["switch"]:
        return DeviceKind.SWITCH, f"LS{match['switch']}"
    return DeviceKind.GPU, match["gpu"]


def _pdi(brom: Certificate) -> bytes:
    return (brom.serial_number & (1 << 8 * layout.PDI_BYTES) - 1).to_bytes(layout.PDI_BYTES, "big")


def _firmware(leaf: Certificate, brom: Certificate) -> FirmwareIdentity:
    try:
        firmware = read_firmware_identity(leaf)
    except MalformedEvidence as error:
        raise VerificationFailed("chain.leaf.fwid", error.reason) from None
    if not firmware.fwids:
        raise VerificationFailed("chain.leaf.fwid", "the leaf certificate states no firmware identifier")
    if firmware.device_key not in {None, brom.key}:
        raise VerificationFailed(
            "chain.leaf.device-key", "the leaf's firmware identifier is about another device's key"
        )
    return firmware
