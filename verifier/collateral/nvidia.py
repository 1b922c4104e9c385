"""NVIDIA's objects: reference integrity manifests, and what its responder says of certificates.

nvidia-rim    the signed XML as it was served
nvidia-ocsp   PEM: the chain that the certificate is part of, leaf first; then the response
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Final

from verifier.collateral import needs, pem
from verifier.collateral.needs import Need
from verifier.errors import MalformedEvidence, VerificationFailed
from verifier.nvidia.device import ROLES, DeviceKind, device_chain
from verifier.nvidia.evidence import DeviceEvidence
from verifier.nvidia.ocsp import signer_of
from verifier.nvidia.revocation import OcspResponses
from verifier.nvidia.rim import SCOPES, SIGNER_ROLES, Rim, RimKind, rim_ids, verify_rim
from verifier.pki.chain import Chain, verified_chain
from verifier.trust import TrustStore

_FAMILIES: Final = (
    (re.compile(r"NV_GPU_(CC_)?DRIVER_[A-Z0-9]+_(?P<version>[0-9.]+)"), RimKind.DRIVER, DeviceKind.GPU),
    (re.compile(r"NV_GPU_VBIOS_\w+_(?P<version>[0-9A-F]{10})"), RimKind.VBIOS, DeviceKind.GPU),
    (re.compile(r"NV_SWITCH_BIOS_\w+_(?P<version>[0-9A-F]{10})"), RimKind.VBIOS, DeviceKind.SWITCH),
)
"""Ids as `verifier.nvidia.rim.rim_ids` makes them."""

KnownRim = Callable[[str], bytes | None]


def genuine_rim(identifier: str, content: bytes, trust: TrustStore) -> Rim:
    """The verified RIM, which must be of the version that the id states."""
    for pattern, kind, device in _FAMILIES:
        match = pattern.fullmatch(identifier)
        if match is not None:
            rim = verify_rim(content, kind, device, trust)
            if match["version"].replace(".", "") != rim.version.replace(".", ""):
                raise VerificationFailed("subject", f"this RIM is for version {rim.version}")
            return rim
    raise VerificationFailed("subject", "no id of a RIM for a driver, a VBIOS or a switch's BIOS")


def inspect_rim(subject: str, content: bytes, trust: TrustStore) -> tuple[datetime, None]:
    """A RIM states no end: when its signers must have been valid is for the appraisal policy to say."""
    return genuine_rim(subject, content, trust).signers.start, None


def response(content: bytes) -> bytes:
    """The OCSP response (DER) of an object."""
    return _parts(content)[1]


def inspect_ocsp(subject: str, content: bytes, trust: TrustStore) -> tuple[datetime, datetime]:
    """Validity of a genuine response about the certificate that the subject names, whatever it says of it."""
    encoded, der = _parts(content)
    chain = _chain(encoded, trust)
    responses = OcspResponses([der])
    for member, issuer in zip(chain.members[:-1], chain.members[1:], strict=True):
        if subject == needs.ocsp(member, issuer).subject:
            found = responses.newest(member, issuer)
            if found is None:
                break
            signer_of(found[0], issuer, "ocsp")
            return found[1].this_update, found[1].next_update
    raise VerificationFailed("subject", "the response is about another certificate")


def _parts(content: bytes) -> tuple[list[bytes], bytes]:
    for length in (len(ROLES), len(SIGNER_ROLES)):
        try:
            *certificates, der = pem.only(content, *[pem.CERTIFICATE] * length, pem.OCSP_RESPONSE)
        except MalformedEvidence:
            continue
        return certificates, der
    raise MalformedEvidence(0, "the chain of a device or of a RIM's signer, and an OCSP response expected")


def _chain(encoded: list[bytes], trust: TrustStore) -> Chain:
    if len(encoded) == len(ROLES):
        return device_chain(pem.certificates(*encoded), trust).chain
    try:
        return verified_chain(encoded, SIGNER_ROLES, SCOPES[DeviceKind.SWITCH], trust, "chain")
    except VerificationFailed:
        return verified_chain(encoded, SIGNER_ROLES, SCOPES[DeviceKind.GPU], trust, "chain")


def needs_of(devices: Sequence[DeviceEvidence], trust: TrustStore, known_rim: KnownRim) -> Iterator[Need]:
    """RIMs of genuine devices, and the responder's word on their chains and on those of the RIMs at hand.

    known_rim: the content of a RIM by its id, None where it is not at hand. Whoever fetches stores each RIM before it
    asks for the next need, so that the RIM's signers are among them.
    """
    for evidence in devices:
        try:
            device = device_chain(evidence.chain, trust)
        except (MalformedEvidence, VerificationFailed):
            continue
        yield from _responses(device.chain, first=1)
        for identifier in rim_ids(device, evidence.report.opaque).values():
            yield from needs_of_rim(identifier, trust, known_rim)


def needs_of_rim(identifier: str, trust: TrustStore, known_rim: KnownRim) -> Iterator[Need]:
    """A RIM, and, where it is at hand, the responder's word on its signers."""
    yield needs.rim(identifier)
    content = known_rim(identifier)
    if content is not None:
        yield from _responses(genuine_rim(identifier, content, trust).signers, first=0)


def needs_of_chain(chain: bytes, trust: TrustStore) -> Iterator[Need]:
    """The responder's word on a device's chain (PEM, leaf first)."""
    return _responses(device_chain(chain, trust).chain, first=1)


def _responses(chain: Chain, first: int) -> Iterator[Need]:
    """For each member from number `first` on but the root; number 0 of a device is issued by the device itself."""
    encoded = pem.certificates(*(member.certificate.encoded for member in chain.members))
    for member, issuer in zip(chain.members[first:-1], chain.members[first + 1 :], strict=True):
        yield needs.ocsp(member, issuer, encoded)
