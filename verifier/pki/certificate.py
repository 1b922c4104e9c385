"""An X.509 v3 certificate as the verifier needs it (RFC 5280, 4.1): its parts, not an opinion about them.

Any serial number is read, also 0 and negative ones. The key stays DER: whoever needs it loads it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from verifier.errors import MalformedEvidence
from verifier.pki import der

MAX_CERTIFICATE_BYTES: Final = 16_384
"""More than ten times the largest certificate that AMD issues."""

_COMMON_NAME: Final = "2.5.4.3"
_KEY_USAGE: Final = "2.5.29.15"
_BASIC_CONSTRAINTS: Final = "2.5.29.19"
_UNDERSTOOD: Final = frozenset({_KEY_USAGE, _BASIC_CONSTRAINTS})
_VERSION_3: Final = 2
_DIGITAL_SIGNATURE: Final = 0x80
_KEY_CERT_SIGN: Final = 0x04
_CRL_SIGN: Final = 0x02


@dataclass(frozen=True, slots=True)
class Extension:
    """One extension: whether a reader that does not know it must refuse the certificate, and its raw value."""

    critical: bool
    value: bytes


@dataclass(frozen=True, slots=True)
class Certificate:
    """The parts of a certificate.

    encoded: the whole certificate; signed: TBSCertificate; both DER.
    issuer, subject: Name in DER; compared byte by byte (RFC 5280, 7.1 allows more, AMD does not use it).
    common_name: last CN of the subject, "" without one.
    key: SubjectPublicKeyInfo in DER.
    extensions: dotted object identifier → extension.
    is_authority: BasicConstraints cA. path_length: how many CAs may follow below; None: any number.
    signs_data, signs_certificates, signs_revocations: KeyUsage bits.
    """

    encoded: bytes
    signed: bytes
    serial_number: int
    algorithm: bytes
    issuer: bytes
    subject: bytes
    common_name: str
    not_before: datetime
    not_after: datetime
    key: bytes
    extensions: Mapping[str, Extension]
    is_authority: bool
    path_length: int | None
    signs_data: bool
    signs_certificates: bool
    signs_revocations: bool
    signature: bytes

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the whole certificate, hex."""
        return hashlib.sha256(self.encoded).hexdigest()

    def unknown_critical(self) -> list[str]:
        """Critical extensions that this verifier does not understand (RFC 5280, 4.2)."""
        return [oid for oid, extension in self.extensions.items() if extension.critical and oid not in _UNDERSTOOD]

    @classmethod
    def parse(cls, encoded: bytes) -> Certificate:
        """Read one DER certificate; MalformedEvidence for anything else."""
        if len(encoded) > MAX_CERTIFICATE_BYTES:
            raise MalformedEvidence(
                MAX_CERTIFICATE_BYTES, f"certificate: {len(encoded)} bytes, at most {MAX_CERTIFICATE_BYTES}"
            )
        outer = der.Reader(encoded)
        certificate = outer.read(der.SEQUENCE, "certificate").inside()
        outer.finish("certificate")
        signed = certificate.read(der.SEQUENCE, "TBSCertificate")
        algorithm = certificate.read(der.SEQUENCE, "signatureAlgorithm").encoded
        signature = der.bit_string(certificate.read(der.BIT_STRING, "signature"), "signature")
        certificate.finish("certificate")

        body = signed.inside()
        _require_version_3(body)
        serial = der.integer(body.read(der.INTEGER, "serialNumber"), "serialNumber")
        inner_algorithm = body.read(der.SEQUENCE, "signature algorithm")
        if inner_algorithm.encoded != algorithm:
            raise MalformedEvidence(inner_algorithm.start, "the two signature algorithms differ")
        issuer = body.read(der.SEQUENCE, "issuer").encoded
        validity = body.read(der.SEQUENCE, "validity").inside()
        not_before = der.time(validity.read_any("notBefore"), "notBefore")
        not_after = der.time(validity.read_any("notAfter"), "notAfter")
        validity.finish("validity")
        subject = body.read(der.SEQUENCE, "subject")
        key = body.read(der.SEQUENCE, "subjectPublicKeyInfo").encoded
        extensions: Mapping[str, Extension] = {}
        if body.next_is(der.context(3)):
            extensions = _extensions(body.read(der.context(3), "extensions"))
        body.finish("TBSCertificate")
        is_authority, path_length = _basic_constraints(extensions)
        usage = _key_usage(extensions)
        return cls(
            encoded=encoded,
            signed=signed.encoded,
            serial_number=serial,
            algorithm=algorithm,
            issuer=issuer,
            subject=subject.encoded,
            common_name=_common_name(subject),
            not_before=not_before,
            not_after=not_after,
            key=key,
            extensions=extensions,
            is_authority=is_authority,
            path_length=path_length,
            signs_data=bool(usage & _DIGITAL_SIGNATURE),
            signs_certificates=bool(usage & _KEY_CERT_SIGN),
            signs_revocations=bool(usage & _CRL_SIGN),
            signature=signature,
        )


def read_extensions(sequence: der.Element) -> dict[str, Extension]:
    """Extensions ::= SEQUENCE OF Extension (RFC 5280, 4.1); a repeated one is refused (4.2)."""
    found: dict[str, Extension] = {}
    reader = sequence.inside()
    while reader.more():
        entry = reader.read(der.SEQUENCE, "extension")
        parts = entry.inside()
        oid = der.object_identifier(parts.read(der.OBJECT_IDENTIFIER, "extension id"), "extension id")
        critical = False
        if parts.next_is(der.BOOLEAN):
            critical = der.boolean(parts.read(der.BOOLEAN, "critical"), "critical")
        value = parts.read(der.OCTET_STRING, f"extension {oid}").contents
        parts.finish(f"extension {oid}")
        if oid in found:
            raise MalformedEvidence(entry.start, f"extension {oid} occurs twice")
        found[oid] = Extension(critical, value)
    return found


def _require_version_3(body: der.Reader) -> None:
    wrapper = body.read(der.context(0), "version").inside()
    version = wrapper.read(der.INTEGER, "version")
    wrapper.finish("version")
    if der.integer(version, "version") != _VERSION_3:
        raise MalformedEvidence(version.start, "not an X.509 version 3 certificate")


def _extensions(wrapper: der.Element) -> dict[str, Extension]:
    reader = wrapper.inside()
    sequence = reader.read(der.SEQUENCE, "extensions")
    reader.finish("extensions")
    return read_extensions(sequence)


def _common_name(subject: der.Element) -> str:
    found = ""
    names = subject.inside()
    while names.more():
        attributes = names.read(der.SET, "relative distinguished name").inside()
        while attributes.more():
            attribute = attributes.read(der.SEQUENCE, "name attribute").inside()
            oid = der.object_identifier(attribute.read(der.OBJECT_IDENTIFIER, "name type"), "name type")
            value = attribute.read_any("name value")
            attribute.finish("name attribute")
            if oid == _COMMON_NAME:
                found = value.contents.decode("utf-8", "replace")
    return found


def _basic_constraints(extensions: Mapping[str, Extension]) -> tuple[bool, int | None]:
    """BasicConstraints (RFC 5280, 4.2.1.9): cA, which defaults to FALSE, and pathLenConstraint."""
    extension = extensions.get(_BASIC_CONSTRAINTS)
    if extension is None:
        return False, None
    constraints = der.Reader(extension.value).read(der.SEQUENCE, "basicConstraints").inside()
    is_authority = constraints.next_is(der.BOOLEAN) and der.boolean(constraints.read(der.BOOLEAN, "cA"), "cA")
    if not constraints.next_is(der.INTEGER):
        return is_authority, None
    return is_authority, der.integer(constraints.read(der.INTEGER, "pathLenConstraint"), "pathLenConstraint")


def _key_usage(extensions: Mapping[str, Extension]) -> int:
    """First octet of KeyUsage (RFC 5280, 4.2.1.3); 0 without the extension."""
    extension = extensions.get(_KEY_USAGE)
    if extension is None:
        return 0
    bits = der.Reader(extension.value).read(der.BIT_STRING, "keyUsage").contents
    return bits[1] if len(bits) > 1 else 0
