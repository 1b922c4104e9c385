"""Certificates and CRLs are read strictly, and their signature algorithm is read, not assumed."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.verifier.fake_amd import AT, YEAR, milan
from tests.verifier.fake_x509 import FakeExtension, integer, oid, pss, tlv
from tests.verifier.nested_der import nested
from verifier.errors import MalformedEvidence
from verifier.pki import Certificate, RevocationList
from verifier.pki.certificate import MAX_CERTIFICATE_BYTES
from verifier.pki.revocation import MAX_CRL_BYTES
from verifier.pki.signature import is_pss_sha384

LEAF = milan().leaf
ENCODED = LEAF.encode()
SHA256 = "2.16.840.1.101.3.4.2.1"
SHA384 = "2.16.840.1.101.3.4.2.2"


@pytest.mark.parametrize("serial", [0, 1, -5, 2**200])
def test_any_serial_number_is_read(serial):
    assert Certificate.parse(replace(LEAF, serial_number=serial).encode()).serial_number == serial


def test_the_parts_are_what_was_written():
    certificate = Certificate.parse(ENCODED)
    assert certificate.common_name == "SEV-VCEK"
    assert (certificate.not_before, certificate.not_after) == (AT - YEAR, AT + 6 * YEAR)
    assert not certificate.is_authority
    assert certificate.encoded == ENCODED
    authority = Certificate.parse(milan().ark.encode())
    assert authority.is_authority
    assert authority.signs_certificates
    assert authority.signs_revocations
    assert authority.issuer == authority.subject


def test_anything_after_or_missing_from_a_certificate_is_refused():
    with pytest.raises(MalformedEvidence):
        Certificate.parse(ENCODED + b"\0")
    for length in range(0, len(ENCODED), 7):
        with pytest.raises(MalformedEvidence):
            Certificate.parse(ENCODED[:length])


def test_an_extension_may_occur_only_once():
    twice = replace(LEAF, extensions=(*LEAF.extensions, LEAF.extensions[0]))
    with pytest.raises(MalformedEvidence, match="occurs twice"):
        Certificate.parse(twice.encode())


def test_both_signature_algorithms_must_be_the_same():
    other = LEAF.encode().replace(pss(), pss(salt=32), 1)
    with pytest.raises(MalformedEvidence, match="algorithms differ"):
        Certificate.parse(other)
    with pytest.raises(MalformedEvidence, match="algorithms differ"):
        RevocationList.parse(milan().crl().encode().replace(pss(), pss(salt=32), 1))


@pytest.mark.parametrize("version", [0, 1, 3])
def test_only_version_3_is_read(version):
    with pytest.raises(MalformedEvidence, match="version 3"):
        Certificate.parse(replace(LEAF, version=version).encode())


def test_a_list_of_another_version_or_of_huge_size_is_refused():
    with pytest.raises(MalformedEvidence, match="version 2 CRL"):
        RevocationList.parse(replace(milan().crl(), version=0).encode())
    with pytest.raises(MalformedEvidence) as error:
        RevocationList.parse(bytes(MAX_CRL_BYTES + 1))
    assert error.value.offset == MAX_CRL_BYTES


def test_huge_certificates_are_refused_unread():
    with pytest.raises(MalformedEvidence) as error:
        Certificate.parse(bytes(MAX_CERTIFICATE_BYTES + 1))
    assert error.value.offset == MAX_CERTIFICATE_BYTES


def test_critical_extensions_that_nobody_understands_are_reported():
    certificate = Certificate.parse(LEAF.with_extension("2.5.29.30", b"\x30\0", critical=True).encode())
    assert certificate.unknown_critical() == ["2.5.29.30"]
    assert Certificate.parse(milan().ark.encode()).unknown_critical() == []


@settings(max_examples=300)
@given(st.lists(st.tuples(st.integers(0, len(ENCODED) - 1), st.integers(0, 255)), min_size=1, max_size=4))
def test_changed_certificates_are_read_or_malformed(changes):
    data = bytearray(ENCODED)
    for offset, value in changes:
        data[offset] = value
    try:
        Certificate.parse(bytes(data))
    except MalformedEvidence as error:
        assert error.reason  # noqa: PT017 - any other exception fails the test


def _pss_parameters(*parts: bytes) -> bytes:
    return tlv(0x30, oid("1.2.840.113549.1.1.10"), tlv(0x30, *parts))


DIGEST = tlv(0x30, oid(SHA384), tlv(0x05))
BARE_DIGEST = tlv(0x30, oid(SHA384))
HASH, MASK = tlv(0xA0, DIGEST), tlv(0xA1, tlv(0x30, oid("1.2.840.113549.1.1.8"), DIGEST))
SALT, TRAILER = tlv(0xA2, integer(48)), tlv(0xA3, integer(1))


@pytest.mark.parametrize(
    "algorithm",
    [pss(), _pss_parameters(HASH, MASK, SALT, TRAILER), _pss_parameters(tlv(0xA0, BARE_DIGEST), MASK, SALT)],
)
def test_pss_with_sha384_is_recognised(algorithm):
    assert is_pss_sha384(algorithm)


@pytest.mark.parametrize(
    "algorithm",
    [
        pss(hash_oid=SHA256),
        pss(salt=32),
        _pss_parameters(MASK, SALT),
        _pss_parameters(HASH, SALT),
        _pss_parameters(HASH, MASK),
        _pss_parameters(HASH, MASK, SALT, tlv(0xA3, integer(2))),
        _pss_parameters(HASH, tlv(0xA1, tlv(0x30, oid("1.2.840.113549.1.1.8"), tlv(0x30, oid(SHA256)))), SALT),
        _pss_parameters(),
        tlv(0x30, oid("1.2.840.113549.1.1.10")),
        tlv(0x30, oid("1.2.840.113549.1.1.12"), tlv(0x05)),
    ],
)
def test_other_algorithms_are_not_taken_for_it(algorithm):
    assert not is_pss_sha384(algorithm)


def test_a_list_names_what_it_revokes_and_which_extensions_it_needs_understood():
    crl = milan().crl(revoked=(5, 0x10001), extensions=(FakeExtension("2.5.29.27", integer(1), critical=True),))
    parsed = RevocationList.parse(crl.encode())
    assert parsed.revoked == {5, 0x10001}
    assert parsed.unknown_critical == ("2.5.29.27",)
    with pytest.raises(MalformedEvidence):
        RevocationList.parse(crl.encode()[:-1])


@pytest.mark.parametrize(
    ("path", "what"),
    [
        ((), "certificate: 2 bytes too many"),
        ((0,), "TBSCertificate: 2 bytes too many"),
        ((0, 0), "version: 2 bytes too many"),
        ((0, 4), "validity: 2 bytes too many"),
        ((0, 5, 0, 0), "name attribute: 2 bytes too many"),
        ((0, 7), "extensions: 2 bytes too many"),
        ((0, 7, 0, 0), r"extension 1\.3\.6\.1\.4\.1\.3704\.1\.1: 2 bytes too many"),
    ],
)
def test_no_part_holds_more_than_is_specified(path, what):
    with pytest.raises(MalformedEvidence, match=what):
        Certificate.parse(nested(ENCODED, *path))


CRL = milan().crl(revoked=(5,), extensions=(FakeExtension("2.5.29.20", integer(1)),)).encode()
"""revokedCertificates is at (0, 5), crlExtensions at (0, 6)."""


@pytest.mark.parametrize(
    ("path", "what"), [((), "CRL"), ((0,), "TBSCertList"), ((0, 5, 0), "CRL entry"), ((0, 6), "crlExtensions")]
)
def test_no_part_of_a_list_holds_more_than_is_specified(path, what):
    listed = nested(CRL, 0, 5, 0, added=tlv(0x30))
    assert RevocationList.parse(listed).revoked == {5}
    with pytest.raises(MalformedEvidence, match=f"{what}: 2 bytes too many"):
        RevocationList.parse(nested(listed, *path))
    with pytest.raises(MalformedEvidence, match="CRL: 2 bytes too many"):
        RevocationList.parse(CRL + b"\x05\0")


@pytest.mark.parametrize("critical", [True, False])
def test_critical_extensions_of_an_entry_are_reported(critical):
    extensions = tlv(0x30, FakeExtension("2.5.29.29", b"\x30\0", critical=critical).encode())
    listed = RevocationList.parse(nested(CRL, 0, 5, 0, added=extensions))
    assert listed.unknown_critical == (("2.5.29.29",) if critical else ())


def test_the_next_list_may_come_after_2049():
    assert RevocationList.parse(replace(milan().crl(), next_update=AT + 30 * YEAR).encode()).next_update.year > 2049
    with pytest.raises(MalformedEvidence, match="without nextUpdate"):
        RevocationList.parse(replace(milan().crl(), next_update=None).encode())


@pytest.mark.parametrize("path", [(), (1,), (1, 0), (1, 0, 0), (1, 1), (1, 2)])
def test_no_part_of_an_algorithm_holds_more_than_is_specified(path):
    with pytest.raises(MalformedEvidence, match="2 bytes too many"):
        is_pss_sha384(nested(pss(), *path))


@pytest.mark.parametrize(
    ("constraints", "is_authority"),
    [(tlv(0x30), False), (tlv(0x30, b"\1\1\0"), False), (tlv(0x30, b"\1\1\xff"), True), (tlv(0x30, integer(0)), False)],
)
def test_basic_constraints_say_whether_it_is_an_authority(constraints, is_authority):
    extension = FakeExtension("2.5.29.19", constraints, critical=True)
    found = Certificate.parse(replace(LEAF, extensions=(*LEAF.extensions, extension)).encode())
    assert found.is_authority is is_authority
