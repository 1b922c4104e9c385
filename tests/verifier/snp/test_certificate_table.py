"""The certificate table of extended reports: any bytes give a table or are malformed, and what is in it endorses."""

import base64
import struct
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.verifier import fake_amd
from tests.verifier.genuine import genuine
from verifier.errors import MalformedEvidence, VerificationFailed
from verifier.snp import Endorsements, SigningKey, parse, verify
from verifier.snp.certificate_table import CertificateTable
from verifier.snp.certificate_table import parse as parse_table
from verifier.trust import TrustStore

GUIDS = {
    "vcek": "63da758d-e664-4564-adc5-f4b93be8accd",
    "vlek": "a8074bc2-a25a-483e-aae6-39c045a0b8a1",
    "intermediate": "4ab7b379-bbac-4fe4-a02f-05aef327c782",
    "ark": "c0b406a4-a803-4952-9743-3fb6014cd0ae",
    "crl": "92f81bc3-5811-4d3d-97ff-d19f88dc67ea",
    "other": "00000000-0000-4000-8000-000000000000",
}


def table(*entries: tuple[str, bytes], end: bytes = bytes(24), padding: int = 0) -> bytes:
    """A table as a host makes it: entries, the last of zeros, contents, and the rest of the page."""
    start, head, body = 24 * len(entries) + len(end), b"", b""
    for name, content in entries:
        head += UUID(GUIDS[name]).bytes + struct.pack("<II", start + len(body), len(content))
        body += content
    return head + end + body + bytes(padding)


@pytest.mark.parametrize("case", genuine(), ids=lambda case: case.id)
def test_genuine_certificates_endorse_a_report_from_a_table_too(case, tmp_path):
    kind = case.endorsements.kind
    (tmp_path / "auxblob").write_bytes(table((kind.name.lower(), case.endorsements.leaf), padding=512))
    found = Endorsements.from_directory(tmp_path, kind)
    assert found == case.endorsements
    assert verify(parse(case.report), found, TrustStore.production(), case.at)


def test_every_entry_is_found_and_unknown_ones_are_left_alone():
    entries = [(name, name.encode()) for name in GUIDS]
    assert parse_table(table(*entries)) == CertificateTable(b"vcek", b"vlek", b"intermediate", b"ark", b"crl")
    assert parse_table(bytes(4096)) == CertificateTable()


def test_a_certificate_in_pem():
    der = genuine()[0].endorsements.leaf
    pem = b"-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(der) + b"-----END CERTIFICATE-----\n"
    assert parse_table(table(("vcek", pem))).vcek == der
    with pytest.raises(MalformedEvidence, match="PEM without a certificate"):
        parse_table(table(("vcek", b"-----BEGIN NOTHING")))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "it has no last entry"),
        (table(("vcek", b"a"), end=b""), "it has no last entry"),
        (table(("vcek", b"a"), ("vcek", b"b")), "a second vcek"),
        (table(*[("other", b"a")] * 17), "more than 16 entries"),
        (table(("vcek", b"abc"))[:-1], "bytes 48 to 51 are not its contents"),
        (UUID(GUIDS["vcek"]).bytes + struct.pack("<II", 0, 24) + bytes(24), "bytes 0 to 24 are not its contents"),
        (bytes(131_073), "at most 131072 bytes"),
    ],
)
def test_what_is_no_table(data, reason):
    with pytest.raises(MalformedEvidence, match=reason):
        parse_table(data)


@given(st.binary(max_size=200))
def test_any_bytes_give_a_table_or_are_malformed(data):
    try:
        parse_table(data)
    except MalformedEvidence as error:
        found = error.offset
        assert 0 <= found <= len(data)


def test_a_table_without_the_key_that_signed():
    with pytest.raises(VerificationFailed, match="a VLEK signed the report, and the certificate table holds none"):
        Endorsements.from_table(table(("vcek", b"a")), SigningKey.VLEK)


def test_what_a_table_offers_is_not_trusted():
    """A chain of somebody's own under the right GUIDs: the root is still the pinned one."""
    world = fake_amd.milan()
    offered, trust = world.endorsements(), world.trust()
    (anchor,) = trust.anchors
    chain = (("vcek", offered.leaf), ("intermediate", offered.intermediate), ("ark", anchor.certificate.encoded))
    found = Endorsements.from_table(table(*chain), SigningKey.VCEK)
    assert verify(parse(world.report()), found, trust, world.at)
    with pytest.raises(VerificationFailed, match=r"chain\.ark"):
        verify(parse(world.report()), found, TrustStore.production(), world.at)
