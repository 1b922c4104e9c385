"""Parsing is total: any bytes give a quote or MalformedEvidence with the offset."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.verifier.tdx.fake_intel import world, world_15
from tests.verifier.tdx.genuine import CASES, TDX
from verifier.errors import MalformedEvidence
from verifier.tdx import layout, parse

QUOTE = world().quote()
QUOTE_5 = world_15().quote()
LENGTH = 632
SIGNATURE = LENGTH + 4
CERTIFICATION = SIGNATURE + 128
QE_REPORT = CERTIFICATION + 6
AUTH = QE_REPORT + 384 + 64
PCK = AUTH + 2 + 32


def patched(quote: bytes, offset: int, value: bytes) -> bytes:
    return quote[:offset] + value + quote[offset + len(value) :]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_fields_of_genuine_quotes(case):
    quote, expected = parse((TDX / case["quote"]).read_bytes()), case["fields"]
    report = quote.report
    assert quote.version == expected["quote_version"]
    assert (report.mr_service_td is not None) == (quote.version == 5)
    assert report.tee_tcb_svn.hex() == expected["tee_tcb_svn"]
    assert report.mr_seam.hex() == expected["mrseam"]
    assert report.td_attributes.to_bytes(8, "little").hex() == expected["td_attributes_le"]
    assert report.xfam.to_bytes(8, "little").hex() == expected["xfam"]
    assert report.mr_td.hex() == expected["mrtd"]
    assert [rtmr.hex() for rtmr in report.rtmrs] == expected["rtmrs"]
    assert report.report_data.hex() == expected["report_data"]
    assert len(quote.qe_auth_data) == expected["qe_auth_len"]


def test_the_service_td_of_a_genuine_quote_is_read():
    case = next(case for case in CASES if "MRSERVICETD" in case["note"])
    assert any(parse((TDX / case["quote"]).read_bytes()).report.mr_service_td)


def test_a_body_of_version_5_may_be_a_td_10_report():
    quote = world_15()
    plain = {name: value for name, value in quote.td.items() if name != "tee_tcb_svn_2"}
    report = parse(type(quote)(**{**quote.__dict__, "body_type": 2, "td": plain}).quote()).report
    assert (report.tee_tcb_svn_2, report.mr_service_td) == (None, None)


@pytest.mark.parametrize("zeros", [0, 1, 70, 4096])
def test_zeros_may_follow(zeros):
    assert parse(QUOTE + bytes(zeros)).padding == zeros


def test_every_truncation_is_malformed():
    for quote in (QUOTE, QUOTE_5):
        for size in range(len(quote)):
            with pytest.raises(MalformedEvidence):
                parse(quote[:size])


@pytest.mark.parametrize(
    ("data", "offset", "reason"),
    [
        (b"", 0, "header"),
        (patched(QUOTE, 0, b"\x03"), 0, "quote version 3"),
        (patched(QUOTE, 0, b"\x06"), 0, "quote version 6"),
        (patched(QUOTE, 2, b"\x03"), 2, "attestation key type 3"),
        (patched(QUOTE, 4, b"\x00"), 4, "SGX"),
        (patched(QUOTE_5, 48, b"\x01"), 48, "an SGX report"),
        (patched(QUOTE_5, 48, b"\x04"), 48, "body type 4"),
        (patched(QUOTE_5, 48, b"\x02"), 50, "a body of type 2 has 584 bytes, 648 stated"),
        (patched(QUOTE_5, 50, (584).to_bytes(4, "little")), 50, "a body of type 3 has 648 bytes, 584 stated"),
        (patched(QUOTE, LENGTH, b"\xff\xff\xff\xff"), len(QUOTE), "signature data"),
        (QUOTE + b"\0\0\x01", len(QUOTE) + 2, "only zeros may follow"),
        (patched(QUOTE, CERTIFICATION, b"\x05"), CERTIFICATION, "type 6"),
        (patched(QUOTE, CERTIFICATION + 2, b"\x00\x00"), CERTIFICATION + 2, "QE report certification data"),
        (patched(QUOTE, AUTH, b"\xff\xff"), len(QUOTE), "QE authentication data"),
        (patched(QUOTE, AUTH, b"\x1f\x00"), AUTH + 2 + 31 + 2, "PCK certification data"),
        (patched(QUOTE, PCK + 2, b"\x00\x00"), PCK + 2, "PCK certification data"),
        (bytes(layout.MAX_QUOTE_BYTES + 1), layout.MAX_QUOTE_BYTES, "at most"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",  # offsets move with the fake certificates' lengths
)
def test_malformed(data, offset, reason):
    with pytest.raises(MalformedEvidence) as failure:
        parse(data)
    assert failure.value.offset == offset
    assert reason in failure.value.reason


@pytest.mark.parametrize("length", [0, 63, 127, 128, 131, 134, 300, 581, 582, 583, 615, 616, 621])
def test_signature_data_cut_off_with_sizes_that_fit_is_malformed(length):
    quote = patched(QUOTE[: SIGNATURE + length], LENGTH, length.to_bytes(4, "little"))
    if length >= 134:
        quote = patched(quote, CERTIFICATION + 2, (length - 134).to_bytes(4, "little"))
    with pytest.raises(MalformedEvidence):
        parse(quote)
    with pytest.raises(MalformedEvidence):
        parse(quote + bytes(4096))


def test_a_signature_data_length_that_leaves_bytes_over_is_refused():
    stated = int.from_bytes(QUOTE[LENGTH : LENGTH + 4], "little")
    shorter = patched(QUOTE, LENGTH, (stated - 1).to_bytes(4, "little"))
    with pytest.raises(MalformedEvidence):
        parse(shorter)


def parsed(data: bytes):
    """The quote, or None; an offset outside the data fails."""
    try:
        return parse(data)
    except MalformedEvidence as error:
        if not 0 <= error.offset <= len(data):
            raise AssertionError(f"offset {error.offset} of {len(data)} bytes") from error
        return None


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=2000))
def test_any_bytes(data):
    assert parsed(data) is None or data[:2] in {b"\x04\0", b"\x05\0"}


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(QUOTE_5) - 1), st.binary(min_size=1, max_size=8))
def test_any_change(offset, value):
    data = patched(QUOTE_5, offset, value)
    quote = parsed(data)
    assert quote is None or quote.signed == data[: len(quote.signed)]
