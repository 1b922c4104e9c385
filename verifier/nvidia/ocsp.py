"""OCSP responses (RFC 6960) as NVIDIA's responder gives them: read strictly, verified up to the certificate's issuer.

They are fetched beforehand and kept; whether the responder echoed the fetcher's nonce was for the fetcher to check.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from verifier.errors import MalformedEvidence, VerificationFailed
from verifier.pki import Certificate, der
from verifier.pki.chain import Member, require_link
from verifier.pki.ecdsa import P384

MAX_RESPONSE_BYTES: Final = 65_536

_SUCCESSFUL: Final = b"\x00"
_BASIC: Final = "1.3.6.1.5.5.7.48.1.1"
_EXTENDED_KEY_USAGE: Final = "2.5.29.37"
_OCSP_SIGNING: Final = "1.3.6.1.5.5.7.3.9"
_ENUMERATED: Final = 0x0A
_GOOD: Final = 0x80
_REVOKED: Final = der.context(1)
_CERTIFICATE_HOLD: Final = b"\x06"
_HASHES: Final = {
    "1.3.14.3.2.26": "sha1",
    "2.16.840.1.101.3.4.2.1": "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
}
"""Of CertID: they only find the certificate, the signature is what counts."""


class CertificateStatus(StrEnum):
    """What a responder says of a certificate."""

    GOOD = "good"
    HOLD = "on hold"
    REVOKED = "revoked"
    UNKNOWN = "unknown to the responder"


@dataclass(frozen=True, slots=True)
class SingleResponse:
    """The answer about one certificate (4.2.1): issuer's name and key as hashes, serial number, status, validity."""

    hash_name: str
    issuer_name_hash: bytes
    issuer_key_hash: bytes
    serial_number: int
    status: CertificateStatus
    this_update: datetime
    next_update: datetime

    def is_about(self, certificate: Certificate, issuer: Certificate) -> bool:
        """Whether this is about `certificate`, which `issuer` issued."""

        def digest(value: bytes) -> bytes:
            return hashlib.new(self.hash_name, value, usedforsecurity=False).digest()

        return (
            self.serial_number == certificate.serial_number
            and self.issuer_name_hash == digest(issuer.subject)
            and self.issuer_key_hash == digest(_key_bits(issuer))
        )


@dataclass(frozen=True, slots=True)
class OcspResponse:
    """A successful basic response; nothing in it is trusted before `signer_of`.

    encoded: all of it. signed: ResponseData in DER. responders: certificates that came with it.
    """

    encoded: bytes
    answers: tuple[SingleResponse, ...]
    signed: bytes
    algorithm: bytes
    signature: bytes
    responders: tuple[Certificate, ...]

    @classmethod
    def parse(cls, encoded: bytes) -> OcspResponse:
        """Read one DER response; MalformedEvidence for anything else, also an error of the responder."""
        if len(encoded) > MAX_RESPONSE_BYTES:
            raise MalformedEvidence(MAX_RESPONSE_BYTES, f"OCSP response: at most {MAX_RESPONSE_BYTES} bytes")
        outer = der.Reader(encoded)
        whole = outer.read(der.SEQUENCE, "OCSP response").inside()
        outer.finish("OCSP response")
        status = whole.read(_ENUMERATED, "response status")
        if status.contents != _SUCCESSFUL:
            raise MalformedEvidence(status.start, f"OCSP response: error {status.contents.hex()} of the responder")
        wrapper = whole.read(der.context(0), "response bytes").inside()
        whole.finish("OCSP response")
        typed = wrapper.read(der.SEQUENCE, "response bytes").inside()
        wrapper.finish("response bytes")
        kind = typed.read(der.OBJECT_IDENTIFIER, "response type")
        if der.object_identifier(kind, "response type") != _BASIC:
            raise MalformedEvidence(kind.start, "not a basic OCSP response")
        value = typed.read(der.OCTET_STRING, "response").contents
        typed.finish("response bytes")
        return _basic(encoded, value)


def signer_of(response: OcspResponse, issuer: Member, check: str) -> Certificate:
    """Who signed the response: `issuer`, or a responder that it appointed (4.2.2.2); VerificationFailed otherwise.

    Whether the signer is valid at the time in question is for the caller to ask.
    """
    if not P384.is_algorithm(response.algorithm):
        raise VerificationFailed(f"{check}.algorithm", f"the OCSP response is not signed with {P384.name}")
    if P384.verifies(issuer.key, response.signed, response.signature):
        return issuer.certificate
    for responder in response.responders:
        key = P384.load_key(responder.key)
        if key is None or not P384.verifies(key, response.signed, response.signature):
            continue
        require_link("responder", responder, issuer, check, frozenset({_EXTENDED_KEY_USAGE}))
        if not _may_sign_responses(responder):
            raise VerificationFailed(
                f"{check}.responder.usage", f"{responder.common_name} is not appointed to sign OCSP responses"
            )
        return responder
    raise VerificationFailed(
        f"{check}.signature",
        f"the OCSP response is signed neither by {issuer.certificate.common_name} nor by a responder that came with it",
    )


def _basic(encoded: bytes, value: bytes) -> OcspResponse:
    """BasicOCSPResponse (4.2.1)."""
    outer = der.Reader(value)
    body = outer.read(der.SEQUENCE, "basic response").inside()
    outer.finish("basic response")
    signed = body.read(der.SEQUENCE, "ResponseData")
    algorithm = body.read(der.SEQUENCE, "signature algorithm").encoded
    signature = der.bit_string(body.read(der.BIT_STRING, "signature"), "signature")
    responders: list[Certificate] = []
    if body.next_is(der.context(0)):
        wrapper = body.read(der.context(0), "certificates").inside()
        certificates = wrapper.read(der.SEQUENCE, "certificates").inside()
        wrapper.finish("certificates")
        while certificates.more():
            responders.append(Certificate.parse(certificates.read(der.SEQUENCE, "certificate").encoded))
    body.finish("basic response")
    return OcspResponse(encoded, _answers(signed), signed.encoded, algorithm, signature, tuple(responders))


def _answers(signed: der.Element) -> tuple[SingleResponse, ...]:
    data = signed.inside()
    if data.next_is(der.context(0)):
        data.read(der.context(0), "version")
    data.read_any("responder id")
    der.time(data.read(der.GENERALIZED_TIME, "producedAt"), "producedAt")
    responses = data.read(der.SEQUENCE, "responses").inside()
    answers = []
    while responses.more():
        answers.append(_answer(responses.read(der.SEQUENCE, "single response").inside()))
    if data.next_is(der.context(1)):
        data.read(der.context(1), "response extensions")
    data.finish("ResponseData")
    return tuple(answers)


def _answer(reader: der.Reader) -> SingleResponse:
    entry = reader.read(der.SEQUENCE, "CertID")
    identifier = entry.inside()
    algorithm = identifier.read(der.SEQUENCE, "CertID hash").inside()
    oid = der.object_identifier(algorithm.read(der.OBJECT_IDENTIFIER, "CertID hash"), "CertID hash")
    if oid not in _HASHES:
        raise MalformedEvidence(entry.start, f"CertID: hash {oid} is not known")
    name_hash = identifier.read(der.OCTET_STRING, "issuerNameHash").contents
    key_hash = identifier.read(der.OCTET_STRING, "issuerKeyHash").contents
    serial = der.integer(identifier.read(der.INTEGER, "serialNumber"), "serialNumber")
    identifier.finish("CertID")
    status = _status(reader.read_any("certStatus"))
    this_update = der.time(reader.read(der.GENERALIZED_TIME, "thisUpdate"), "thisUpdate")
    if not reader.next_is(der.context(0)):
        raise MalformedEvidence(reader.at, "OCSP response without nextUpdate: it would never go out of date")
    wrapper = reader.read(der.context(0), "nextUpdate").inside()
    next_update = der.time(wrapper.read(der.GENERALIZED_TIME, "nextUpdate"), "nextUpdate")
    wrapper.finish("nextUpdate")
    if reader.next_is(der.context(1)):
        reader.read(der.context(1), "single extensions")
    reader.finish("single response")
    return SingleResponse(_HASHES[oid], name_hash, key_hash, serial, status, this_update, next_update)


def _status(element: der.Element) -> CertificateStatus:
    if element.tag == _GOOD:
        return CertificateStatus.GOOD
    if element.tag != _REVOKED:
        return CertificateStatus.UNKNOWN
    info = element.inside()
    der.time(info.read(der.GENERALIZED_TIME, "revocationTime"), "revocationTime")
    if not info.next_is(der.context(0)):
        return CertificateStatus.REVOKED
    reason = info.read(der.context(0), "revocationReason").inside().read(_ENUMERATED, "revocationReason")
    return CertificateStatus.HOLD if reason.contents == _CERTIFICATE_HOLD else CertificateStatus.REVOKED


def _key_bits(certificate: Certificate) -> bytes:
    """The subject's public key without algorithm, tag, length and unused bits, which CertID hashes."""
    info = der.Reader(certificate.key).read(der.SEQUENCE, "subjectPublicKeyInfo").inside()
    info.read(der.SEQUENCE, "key algorithm")
    return der.bit_string(info.read(der.BIT_STRING, "public key"), "public key")


def _may_sign_responses(responder: Certificate) -> bool:
    extension = responder.extensions.get(_EXTENDED_KEY_USAGE)
    if extension is None:
        return False
    purposes = der.Reader(extension.value).read(der.SEQUENCE, "extKeyUsage").inside()
    found = []
    while purposes.more():
        found.append(der.object_identifier(purposes.read(der.OBJECT_IDENTIFIER, "key purpose"), "key purpose"))
    return _OCSP_SIGNING in found
