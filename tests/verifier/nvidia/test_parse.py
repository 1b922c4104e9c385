"""Parsing is total: any bytes give a report or MalformedEvidence with the offset."""

import base64
import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.verifier.nvidia.fake_nvidia import FWID, blackwell, hopper, switch
from tests.verifier.nvidia.genuine import CASES, GPU
from verifier.errors import MalformedEvidence
from verifier.nvidia import layout, parse, parse_evidence_list
from verifier.nvidia.evidence import MAX_EVIDENCE_BYTES

REPORT = hopper().report()
RESPONSE = 37
RECORD = RESPONSE + 8
BLOCK = 55
RECORD_END = RECORD + 64 * BLOCK
OPAQUE_LENGTH = RECORD_END + 32
OPAQUE = OPAQUE_LENGTH + 2


def patched(data: bytes, offset: int, value: bytes) -> bytes:
    return data[:offset] + value + data[offset + len(value) :]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_fields_of_genuine_reports(case):
    report, expected = parse((GPU / "devices" / case["id"] / "report.bin").read_bytes()), case["fields"]
    assert report.nonce.hex() == case["nonce"]
    assert (report.opaque.driver_version or None) == expected["driver"]
    assert report.opaque.vbios_version == expected["vbios_version"]
    assert report.opaque.project == expected["project"]
    assert report.opaque.project_sku == expected["project_sku"]
    assert report.opaque.chip_sku == expected["chip_sku"]
    assert (report.opaque.fwid or b"").hex() == expected["opaque_fwid"]
    assert (len(report.measurements), report.padding) == (expected["blocks"], expected["padding"])
    assert set(report.measurements) == set(range(1, expected["blocks"] + 1))


def test_what_a_device_states():
    opaque = parse(blackwell().report()).opaque
    assert (opaque.chip, opaque.vbios_version, opaque.feature, opaque.protected_pcie) == (
        "GB100",
        "97.00.88.00.0F",
        0,
        None,
    )
    pdi, gpu = b"switch 1", b"a GPU's 1"[:8]
    opaque = parse(switch(pdi, (gpu,)).report()).opaque
    assert (opaque.pdis, opaque.gpu_pdis[0], len(opaque.gpu_pdis)) == ((pdi,), gpu, 8)
    assert parse(hopper().report()).opaque.nvdec0_disabled is True
    assert parse(hopper().with_opaque({11: b"\xaa"}).report()).opaque.nvdec0_disabled is False


def test_opaque_fields_that_are_not_known_are_skipped():
    assert parse(hopper().with_opaque({999: b"anything", 4096: b""}).report()).opaque == parse(REPORT).opaque


@pytest.mark.parametrize("zeros", [0, 1, 70, 4096])
def test_zeros_may_follow(zeros):
    assert parse(REPORT + bytes(zeros)).padding == zeros


def test_every_truncation_is_malformed():
    for report in (REPORT, switch().report()):
        for size in range(len(report)):
            with pytest.raises(MalformedEvidence) as failure:
                parse(report[:size])
            assert failure.value.offset <= size


@pytest.mark.parametrize(
    ("data", "offset", "reason"),
    [
        (b"", 0, "request: 37 bytes expected, 0 left"),
        (patched(REPORT, 0, b"\x12"), 0, "SPDM version of the request"),
        (patched(REPORT, 1, b"\xe1"), 1, "code of the request"),
        (patched(REPORT, 2, b"\x00"), 2, "signature requested"),
        (patched(REPORT, 3, b"\x01"), 3, "all measurements"),
        (patched(REPORT, RESPONSE, b"\x10"), RESPONSE, "SPDM version of the response"),
        (patched(REPORT, RESPONSE + 1, b"\x7f"), RESPONSE + 1, "code of the response"),
        (patched(REPORT, RESPONSE + 3, b"\x01"), RESPONSE + 3, "slot of the response"),
        (patched(REPORT, 36, b"\x01"), RESPONSE + 3, "slot of the response"),
        (patched(REPORT, RESPONSE + 4, b"\x3f"), RECORD_END - BLOCK, "55 bytes follow the 63 measurements"),
        (patched(REPORT, RESPONSE + 4, b"\x41"), RECORD_END, "the block is cut off"),
        (patched(REPORT, RESPONSE + 7, b"\xff"), len(REPORT), "measurement record"),
        (patched(REPORT, RECORD, b"\x00"), RECORD, "zero or occurs twice"),
        (patched(REPORT, RECORD, b"\x02"), RECORD + BLOCK, "zero or occurs twice"),
        (patched(REPORT, RECORD + 1, b"\x02"), RECORD + 1, "specification 0x02"),
        (patched(REPORT, RECORD + 2, b"\x34"), RECORD + 2, "sizes 52 and 48 do not fit"),
        (patched(REPORT, RECORD + 2, b"\x35\x0e\x01\x32\x0e"), RECORD + 2, "do not fit"),
        (patched(REPORT, OPAQUE_LENGTH, b"\xff\xff"), len(REPORT), "opaque data and signature"),
        (patched(REPORT, OPAQUE + 2, b"\xff\x7f"), OPAQUE, "opaque field 6: 32767 bytes stated"),
        (REPORT + b"\0\0\x01", len(REPORT) + 2, "only zeros may follow"),
        (bytes(layout.MAX_REPORT_BYTES + 1), layout.MAX_REPORT_BYTES, "at most"),
    ],
)
def test_malformed(data, offset, reason):
    with pytest.raises(MalformedEvidence) as failure:
        parse(data)
    assert failure.value.offset == offset
    assert reason in failure.value.reason


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({3: b"580/../95"}, "letters, digits"),
        ({17: b"../../root"}, "letters, digits"),
        ({15: b"8" * 33}, "up to 32"),
        ({35: b"GB 100"}, "letters, digits"),
        ({6: b"96.10.55 00.01"}, "letters, digits"),
        ({20: FWID[:-1]}, "48 bytes expected"),
        ({11: b"\x55\x55"}, "1 bytes expected"),
        ({11: b"\x56"}, "0x56, 0x55 or 0xaa expected"),
        ({21: b"\x00"}, "0x00, 0x55 or 0xaa expected"),
        ({22: bytes(9)}, "identifiers of 8 bytes"),
        ({26: bytes(127)}, "identifiers of 8 bytes"),
    ],
)
def test_malformed_opaque_fields(fields, reason):
    with pytest.raises(MalformedEvidence, match=reason):
        parse(hopper().with_opaque(fields).report())


@pytest.mark.parametrize("left", [1, 2, 3])
def test_an_opaque_field_whose_head_is_cut_off_is_malformed(left):
    size = int.from_bytes(REPORT[OPAQUE_LENGTH:OPAQUE], "little") + left
    longer = patched(REPORT, OPAQUE_LENGTH, size.to_bytes(2, "little"))
    at = OPAQUE + size - left
    with pytest.raises(MalformedEvidence, match="type and size are cut off") as error:
        parse(longer[:at] + bytes(left) + longer[at:])
    assert error.value.offset == at


def test_an_opaque_field_that_occurs_twice_is_malformed():
    fields = b"".join(int.to_bytes(it, 2, "little") for it in (14, 1))
    world = replace(hopper(), opaque={4000: fields})
    doubled = world.report().replace(int.to_bytes(4000, 2, "little") + b"\x04\0" + fields, 2 * (b"\x0e\0\0\0"))
    with pytest.raises(MalformedEvidence, match="opaque field 14 occurs twice"):
        parse(doubled)


def parsed(data: bytes):
    """The report, or None; an offset outside the data fails."""
    try:
        return parse(data)
    except MalformedEvidence as error:
        if not 0 <= error.offset <= len(data):
            raise AssertionError(f"offset {error.offset} of {len(data)} bytes") from error
        return None


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=600), st.sampled_from([b"", b"\x11\xe0\x01\xff", REPORT[:RECORD]]))
def test_any_bytes(data, start):
    assert parsed(data) is None or data.startswith(b"\x11\xe0")
    parsed(start + data)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, len(REPORT) - 1), st.binary(min_size=1, max_size=8))
def test_any_change(offset, value):
    found = parsed(patched(REPORT, offset, value))
    assert found is None or len(found.signed) + len(found.signature) + found.padding == len(
        patched(REPORT, offset, value)
    )


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"[", "not JSON"),
        (b"[\xff]", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[]", "a list of 1 to 64 objects"),
        (json.dumps([{}] * 65).encode(), "a list of 1 to 64 objects"),
        (b'{"evidence": ""}', "a list of 1 to 64 objects"),
        (b"[1]", "device 0: an object"),
        (b'[{"evidence": 1, "certificate": ""}]', "device 0: evidence is not base64"),
        (b'[{"evidence": "EeA=", "certificate": "?"}]', "device 0: certificate is not base64"),
        (b'[{"evidence": "EeA=", "certificate": ""}]', "device 0: request: 37 bytes expected"),
        (json.dumps([{"evidence": "AAAA" * 6000, "certificate": ""}]).encode(), "evidence of 18000 bytes"),
    ],
)
def test_malformed_lists(data, reason):
    with pytest.raises(MalformedEvidence, match=reason):
        parse_evidence_list(data)


def test_a_list_that_is_too_long_is_not_read():
    with pytest.raises(MalformedEvidence, match=f"at most {MAX_EVIDENCE_BYTES} bytes"):
        parse_evidence_list(b" " * (MAX_EVIDENCE_BYTES + 1))


def test_a_report_in_a_list_may_be_as_long_as_any():
    padded = REPORT.ljust(layout.MAX_REPORT_BYTES, b"\0")
    entry = {"evidence": base64.b64encode(padded).decode(), "certificate": ""}
    (device,) = parse_evidence_list(json.dumps([entry]).encode())
    assert device.report.padding == layout.MAX_REPORT_BYTES - len(REPORT)
