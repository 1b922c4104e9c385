"""Is a report genuine: did a device that NVIDIA made, running the firmware that its certificate names, sign it?

Whether a genuine report is acceptable (nonce, mode, measurements, versions) is another question, and
`verifier.appraisal` answers it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from verifier.errors import MalformedEvidence, VerificationFailed
from verifier.nvidia.collateral import Collateral
from verifier.nvidia.device import DeviceChain, DeviceKind, device_chain
from verifier.nvidia.evidence import DeviceEvidence
from verifier.nvidia.report import DeviceReport
from verifier.nvidia.revocation import Revocation, revocation
from verifier.nvidia.rim import Rim, RimKind, rim_ids, verify_rim
from verifier.pki.ecdsa import P384
from verifier.trust import TrustStore

_FIRST_LISTED: Final = 1
"""The leaf is issued by the device itself, and NVIDIA's responder does not know it."""


@dataclass(frozen=True, slots=True)
class VerifiedDevice:
    """A genuine report with what verification established about it.

    device: chain, model, identifier. revocation: role → state, for the members that a responder can know.
    rim_ids: the RIMs that the device needs; rims: those of them that were at hand, verified.
    rim_revocation: state of the certificates that signed each of them.
    at: the time for which all this holds.
    """

    report: DeviceReport
    device: DeviceChain
    revocation: Mapping[str, Revocation]
    rim_ids: Mapping[RimKind, str]
    rims: Mapping[RimKind, Rim]
    rim_revocation: Mapping[RimKind, Mapping[str, Revocation]]
    at: datetime

    def annotations(self) -> dict[str, str | int]:
        """The report's fields and what verification established, for results and receipts."""
        device = self.device
        return (
            self.report.annotations()
            | {f"rim_{kind}_sha256": rim.sha256 for kind, rim in self.rims.items()}
            | {f"rim_{kind}_id": name for kind, name in self.rim_ids.items()}
            | {
                "kind": device.kind.value,
                "model": device.chip,
                "pdi": device.pdi.hex(),
                "leaf_sha256": device.leaf.certificate.fingerprint,
                "trust_anchor": device.chain.anchor.name,
                "trust_anchor_sha256": device.chain.root.fingerprint,
            }
        )


def verify(
    report: DeviceReport, chain: bytes, collateral: Collateral, trust: TrustStore, at: datetime
) -> VerifiedDevice:
    """Check a report at the time `at`; VerificationFailed names the first check that does not hold.

    chain: the device's certificates in PEM, leaf first, as they come with the report. collateral: from the
    verifier's own store; a RIM in it that the device needs must be genuine, one that is missing is left out.
    at: aware; there is no default. MalformedEvidence when a certificate or a RIM does not parse.
    """
    if at.tzinfo is None:
        raise ValueError("the time of verification must have a time zone")
    device = device_chain(chain, trust)
    device.chain.require_valid(at)
    states = revocation(device.chain, collateral.ocsp, trust, at, _FIRST_LISTED)
    if not P384.verifies_raw(device.leaf.key, report.signed, report.signature):
        raise VerificationFailed("report.signature", f"{device.leaf.certificate.common_name} did not sign the report")
    _require_same_device(report, device)
    ids = rim_ids(device, report.opaque)
    rims = {
        kind: _rim(collateral.rims[name], name, kind, device.kind, trust)
        for kind, name in ids.items()
        if name in collateral.rims
    }
    signers = {kind: revocation(rim.signers, collateral.ocsp, trust, at) for kind, rim in rims.items()}
    return VerifiedDevice(report, device, states, ids, rims, signers, at)


def verify_each(
    devices: Iterable[DeviceEvidence], collateral: Collateral, trust: TrustStore, at: datetime
) -> tuple[VerifiedDevice, ...]:
    """Check the reports of all devices of one guest; VerificationFailed says which one is at fault."""
    verified = []
    for number, device in enumerate(devices):
        try:
            verified.append(verify(device.report, device.chain, collateral, trust, at))
        except VerificationFailed as failure:
            raise VerificationFailed(failure.check, f"device {number}: {failure.reason}") from None
    return tuple(verified)


def _require_same_device(report: DeviceReport, device: DeviceChain) -> None:
    """What the report says of its device is what the chain says."""
    fwid, pdis = report.opaque.fwid, report.opaque.pdis
    if fwid is not None and fwid not in device.firmware.fwids:
        raise VerificationFailed("report.fwid", f"firmware {fwid.hex()} is not the one of the leaf certificate")
    if device.kind is DeviceKind.SWITCH and pdis and pdis != (device.pdi,):
        stated = ", ".join(pdi.hex() for pdi in pdis)
        raise VerificationFailed("report.pdi", f"the switch calls itself {stated}, its certificate {device.pdi.hex()}")


def _rim(encoded: bytes, name: str, kind: RimKind, device: DeviceKind, trust: TrustStore) -> Rim:
    try:
        return verify_rim(encoded, kind, device, trust)
    except MalformedEvidence as error:
        raise MalformedEvidence(error.offset, f"RIM {name}: {error.reason}") from None
