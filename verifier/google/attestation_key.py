"""The certificate of a Google vTPM's attestation key: which machine, in which project, holds the key.

Google's authority gives it to Confidential VMs. It binds a quote to an instance; it does not bind the vTPM to the
processor's report. Extension 1.3.6.1.4.1.11129.2.1.21 (google/go-tpm-tools, proto and server/instance_info.go):

    SEQUENCE { zone UTF8String, projectNumber INTEGER, projectId UTF8String, instanceId INTEGER,
               instanceName UTF8String, securityProperties [0] SEQUENCE { securityVersion [0] INTEGER,
               isProduction [1] BOOLEAN, … } OPTIONAL }
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec, rsa

from verifier.errors import MalformedEvidence, VerificationFailed
from verifier.pki import Certificate, der
from verifier.pki.rsa import is_signed_by, load_key
from verifier.tpm import AttestationKey
from verifier.trust import TrustAnchor, TrustStore

SCOPE: Final = "google-ak"
"""Scope of the anchors that may vouch for attestation keys of Google's vTPMs."""

_INSTANCE: Final = "1.3.6.1.4.1.11129.2.1.21"
_SUBJECT_ALTERNATIVE_NAME: Final = "2.5.29.17"
"""Critical where a certificate's subject is empty (RFC 5280, 4.2.1.6), as the older authority's are: it names the make
of the vTPM. Which machine has it, the instance says."""


@dataclass(frozen=True, slots=True)
class Instance:
    """The machine that a certificate names."""

    zone: str
    project_number: int
    project_id: str
    instance_id: int
    instance_name: str
    is_production: bool


@dataclass(frozen=True, slots=True)
class VerifiedAttestationKey:
    """A genuine attestation key: `tpm.verify` takes `key`. anchor: the root that vouches for it."""

    key: AttestationKey
    instance: Instance
    anchor: TrustAnchor


def verify_attestation_key(leaf: bytes, trust: TrustStore, at: datetime) -> VerifiedAttestationKey:
    """Check a certificate (DER) up to a pinned root at the time `at`; VerificationFailed names what does not hold.

    The intermediate is the store's: one of Google's, which are pinned beside the roots. MalformedEvidence when the
    certificate or its extension does not parse.
    """
    certificate = Certificate.parse(leaf)
    if certificate.is_authority or not certificate.signs_data:
        raise VerificationFailed("ak.leaf.usage", "the certificate is not one of a key that signs data")
    intermediate, anchor = _path(certificate, trust)
    for role, member in (("leaf", certificate), ("intermediate", intermediate), ("root", anchor.certificate)):
        unknown = [oid for oid in member.unknown_critical() if oid != _SUBJECT_ALTERNATIVE_NAME]
        if unknown:
            raise VerificationFailed(f"ak.{role}.extensions", f"the unknown critical extension {unknown[0]}")
        if not member.not_before <= at <= member.not_after:
            raise VerificationFailed(
                f"ak.{role}.validity", f"valid from {member.not_before:%Y-%m-%d} to {member.not_after:%Y-%m-%d}"
            )
    return VerifiedAttestationKey(_key(certificate), _instance(certificate), anchor)


def _path(certificate: Certificate, trust: TrustStore) -> tuple[Certificate, TrustAnchor]:
    for intermediate in trust.intermediates:
        if not is_signed_by(certificate, intermediate):
            continue
        for anchor in trust.anchors:
            if SCOPE in anchor.scope and is_signed_by(intermediate, anchor.certificate):
                return intermediate, anchor
    raise VerificationFailed("ak.chain", "no pinned root of Google's vouches for this attestation key")


def _key(certificate: Certificate) -> AttestationKey:
    key = load_key(certificate)
    if not isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        raise VerificationFailed("ak.key", "the attestation key is neither RSA nor ECDSA")
    return key


def _instance(certificate: Certificate) -> Instance:
    extension = certificate.extensions.get(_INSTANCE)
    if extension is None:
        raise VerificationFailed("ak.instance", "the certificate does not say which instance the key belongs to")
    outer = der.Reader(extension.value)
    fields = outer.read(der.SEQUENCE, "instance").inside()
    outer.finish("instance")
    zone = _text(fields, "zone")
    project_number = der.integer(fields.read(der.INTEGER, "projectNumber"), "projectNumber")
    project_id = _text(fields, "projectId")
    instance_id = der.integer(fields.read(der.INTEGER, "instanceId"), "instanceId")
    return Instance(zone, project_number, project_id, instance_id, _text(fields, "instanceName"), _production(fields))


def _production(fields: der.Reader) -> bool:
    """isProduction of securityProperties, of which later members are not looked at; False when it does not say."""
    if not fields.next_is(der.context(0)):
        return False
    properties = fields.read(der.context(0), "securityProperties").inside()
    members = properties.read(der.SEQUENCE, "securityProperties").inside()
    if members.next_is(der.context(0)):
        members.read(der.context(0), "securityVersion")
    if not members.next_is(der.context(1)):
        return False
    wrapper = members.read(der.context(1), "isProduction").inside()
    return der.boolean(wrapper.read(der.BOOLEAN, "isProduction"), "isProduction")


def _text(fields: der.Reader, what: str) -> str:
    element = fields.read(der.UTF8_STRING, what)
    try:
        return element.contents.decode("utf-8")
    except UnicodeDecodeError:
        raise MalformedEvidence(element.start, f"{what}: text that is not UTF-8") from None
