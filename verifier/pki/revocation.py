"""An X.509 v2 certificate revocation list (RFC 5280, 5.1) as AMD's key distribution service publishes them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from verifier.errors import MalformedEvidence
from verifier.pki import der
from verifier.pki.certificate import read_extensions

MAX_CRL_BYTES: Final = 1_048_576
_VERSION_2: Final = 1


@dataclass(frozen=True, slots=True)
class RevocationList:
    """The parts of a CRL.

    signed: TBSCertList in DER. issuer: Name in DER. revoked: serial numbers.
    unknown_critical: critical extensions, of the list or of an entry; none of them is understood, so a list
    that has any (an indirect or a delta CRL, for example) must be refused.
    """

    signed: bytes
    algorithm: bytes
    issuer: bytes
    this_update: datetime
    next_update: datetime
    revoked: frozenset[int]
    unknown_critical: tuple[str, ...]
    signature: bytes

    @classmethod
    def parse(cls, encoded: bytes) -> RevocationList:
        """Read one DER CRL; MalformedEvidence for anything else, and for one without nextUpdate."""
        if len(encoded) > MAX_CRL_BYTES:
            raise MalformedEvidence(MAX_CRL_BYTES, f"CRL: {len(encoded)} bytes, at most {MAX_CRL_BYTES}")
        outer = der.Reader(encoded)
        crl = outer.read(der.SEQUENCE, "CRL").inside()
        outer.finish("CRL")
        signed = crl.read(der.SEQUENCE, "TBSCertList")
        algorithm = crl.read(der.SEQUENCE, "signatureAlgorithm").encoded
        signature = der.bit_string(crl.read(der.BIT_STRING, "signature"), "signature")
        crl.finish("CRL")

        body = signed.inside()
        version = body.read(der.INTEGER, "version")
        if der.integer(version, "version") != _VERSION_2:
            raise MalformedEvidence(version.start, "not an X.509 version 2 CRL")
        inner_algorithm = body.read(der.SEQUENCE, "signature algorithm")
        if inner_algorithm.encoded != algorithm:
            raise MalformedEvidence(inner_algorithm.start, "the two signature algorithms differ")
        issuer = body.read(der.SEQUENCE, "issuer").encoded
        this_update = der.time(body.read_any("thisUpdate"), "thisUpdate")
        if not (body.next_is(der.UTC_TIME) or body.next_is(der.GENERALIZED_TIME)):
            raise MalformedEvidence(body.at, "CRL without nextUpdate (RFC 5280, 5.1.2.5 demands it)")
        next_update = der.time(body.read_any("nextUpdate"), "nextUpdate")
        revoked, critical = frozenset[int](), list[str]()
        if body.next_is(der.SEQUENCE):
            revoked = _entries(body.read(der.SEQUENCE, "revokedCertificates"), critical)
        if body.next_is(der.context(0)):
            wrapper = body.read(der.context(0), "crlExtensions").inside()
            _collect_critical(wrapper.read(der.SEQUENCE, "crlExtensions"), critical)
            wrapper.finish("crlExtensions")
        body.finish("TBSCertList")
        return cls(
            signed=signed.encoded,
            algorithm=algorithm,
            issuer=issuer,
            this_update=this_update,
            next_update=next_update,
            revoked=revoked,
            unknown_critical=tuple(critical),
            signature=signature,
        )


def _entries(sequence: der.Element, critical: list[str]) -> frozenset[int]:
    """The serial numbers. Nearly all entries have the same extension, a reason, which is read once."""
    serials, read = set[int](), set[bytes]()
    reader = sequence.inside()
    while reader.more():
        entry = reader.read(der.SEQUENCE, "CRL entry").inside()
        serials.add(der.integer(entry.read(der.INTEGER, "revoked serial"), "revoked serial"))
        der.time(entry.read_any("revocationDate"), "revocationDate")
        if entry.more():
            extensions = entry.read(der.SEQUENCE, "crlEntryExtensions")
            if extensions.encoded not in read:
                read.add(extensions.encoded)
                _collect_critical(extensions, critical)
        entry.finish("CRL entry")
    return frozenset(serials)


def _collect_critical(sequence: der.Element, critical: list[str]) -> None:
    critical.extend(oid for oid, extension in read_extensions(sequence).items() if extension.critical)
