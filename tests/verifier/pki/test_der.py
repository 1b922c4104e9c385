"""The DER reader refuses every other way to write a value, and says where."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.verifier.fake_x509 import integer, oid, tlv
from verifier.errors import MalformedEvidence
from verifier.pki import der


def read(data: bytes) -> der.Element:
    return der.Reader(data).read_any("value")


@pytest.mark.parametrize(
    ("data", "offset"),
    [
        (b"", 0),
        (b"\x02", 0),
        (b"\x02\x02\x01", 0),
        (b"\x30\x80\x00\x00", 1),
        (b"\x02\x81\x01\x00", 1),
        (b"\x04\x82\x00\x80" + bytes(128), 1),
        (b"\x04\x85\x00\x00\x00\x00\x01\x00", 1),
        (b"\x04\x84\xff\xff\xff\xff", 0),
        (b"\x04\x82\x01", 1),
        (b"\x1f\x81\x00\x00", 0),
    ],
)
def test_lengths_and_tags_have_one_form(data, offset):
    with pytest.raises(MalformedEvidence) as error:
        read(data)
    assert error.value.offset == offset


@pytest.mark.parametrize("value", [0, 1, 127, 128, 0xDB, 255, 256, -1, -128, -129, 2**160])
def test_integers_are_numbers_not_last_octets(value):
    assert der.integer(read(integer(value)), "value") == value


@pytest.mark.parametrize("contents", [b"", b"\x00\x01", b"\xff\x80"])
def test_integers_have_one_form(contents):
    with pytest.raises(MalformedEvidence, match="INTEGER"):
        der.integer(read(tlv(0x02, contents)), "value")


@pytest.mark.parametrize(
    "dotted", ["1.3.6.1.4.1.3704.1.3.8", "2.5.29.15", "0.9.2342", "2.999.1", "1.2.840.113549.1.1.10", "1.2.16384"]
)
def test_object_identifiers(dotted):
    assert der.object_identifier(read(oid(dotted)), "value") == dotted


@pytest.mark.parametrize(("tag", "number"), [(0x02, der.integer), (0x06, der.object_identifier)])
def test_numbers_of_kilobytes_are_refused(tag, number):
    assert number(read(tlv(tag, b"\x2a" * 128)), "value")
    with pytest.raises(MalformedEvidence, match="129 octets, at most 128"):
        number(read(tlv(tag, b"\x2a" * 129)), "value")


@pytest.mark.parametrize("contents", [b"", b"\x2b\x86", b"\x2b\x80\x01"])
def test_object_identifiers_have_one_form(contents):
    with pytest.raises(MalformedEvidence, match="OBJECT IDENTIFIER"):
        der.object_identifier(read(tlv(0x06, contents)), "value")


@pytest.mark.parametrize(
    ("tag", "text", "expected"),
    [
        (0x17, b"260205010433Z", datetime(2026, 2, 5, 1, 4, 33, tzinfo=UTC)),
        (0x17, b"490101000000Z", datetime(2049, 1, 1, tzinfo=UTC)),
        (0x17, b"500101000000Z", datetime(1950, 1, 1, tzinfo=UTC)),
        (0x18, b"20500101000000Z", datetime(2050, 1, 1, tzinfo=UTC)),
    ],
)
def test_times(tag, text, expected):
    assert der.time(read(tlv(tag, text)), "value") == expected


@pytest.mark.parametrize(
    ("tag", "text"),
    [
        (0x17, b"2602050104Z"),
        (0x17, b"260205010433+0000"),
        (0x17, b"261305010433Z"),
        (0x17, b"260205010460Z"),
        (0x17, b"26020501043\xb2Z"),
        (0x18, b"20260205010433.5Z"),
        (0x18, b"20260205010433+"),
        (0x02, b"260205010433Z"),
        (0x17, b"20260205010433Z"),
        (0x18, b"2602050104330"),
    ],
)
def test_other_times_are_refused(tag, text):
    with pytest.raises(MalformedEvidence):
        der.time(read(tlv(tag, text)), "value")


def test_booleans_and_bit_strings_have_one_form():
    with pytest.raises(MalformedEvidence, match="BOOLEAN"):
        der.boolean(read(tlv(0x01, b"\x01")), "value")
    for contents in (b"", b"\x01\x80"):
        with pytest.raises(MalformedEvidence, match="BIT STRING"):
            der.bit_string(read(tlv(0x03, contents)), "value")


def test_the_expected_tag_is_demanded():
    with pytest.raises(MalformedEvidence, match="DER tag 0x02 found, 0x30 expected"):
        der.Reader(integer(1)).read(der.SEQUENCE, "value")


def test_a_length_is_definite_and_whole():
    for data in (b"\x30\x80\0\0", b"\x04\x82\x01", b"\x04\x85\0\0\0\0\x01\0"):
        with pytest.raises(MalformedEvidence, match="indefinite, oversized or cut-off"):
            read(data)


def test_nothing_may_be_left_over():
    reader = der.Reader(integer(1) + b"\0")
    reader.read(der.INTEGER, "value")
    with pytest.raises(MalformedEvidence, match="1 bytes too many"):
        reader.finish("value")


@given(st.binary(max_size=200))
def test_any_bytes_give_a_value_inside_them_or_malformed_evidence(data):
    try:
        element = read(data)
    except MalformedEvidence:
        return
    assert 0 <= element.start < element.body <= element.end <= len(data)
