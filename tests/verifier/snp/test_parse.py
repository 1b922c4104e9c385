"""Parsing is total: any bytes give a report or MalformedEvidence with the offset of what is wrong."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.verifier.fake_amd import milan, turin
from tests.verifier.genuine import CASES, report_of
from verifier.errors import MalformedEvidence
from verifier.snp import SigningKey, SnpReport, layout, parse

REPORT = milan().report()
RESERVED_V3 = [0x4C, 0x4F, 0x18B, 0x19F, 0x1EB, 0x1EF, 0x1F8, 0x207, 0x208, 0x29F, 0x330, 0x49F]


def offset_of_error(data: bytes) -> int:
    with pytest.raises(MalformedEvidence) as error:
        parse(data)
    return error.value.offset


def parsed_or_offset(data: bytes) -> SnpReport | int:
    try:
        return parse(data)
    except MalformedEvidence as error:
        return error.offset


def patched(data: bytes, offset: int, *values: int) -> bytes:
    return data[:offset] + bytes(values) + data[offset + len(values) :]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_genuine_reports_have_the_fields_that_their_index_states(case):
    report = parse(report_of(case))
    for name, expected in case["fields"].items():
        value = getattr(report, name)
        assert (value.hex() if isinstance(value, bytes) else value) == expected, name
    assert report.signing_key is SigningKey[case["signing_key"]]


def test_every_length_but_1184_is_refused_at_its_end():
    for length in range(1184):
        assert offset_of_error(REPORT[:length]) == length
    assert offset_of_error(REPORT + b"\0") == 1184
    assert offset_of_error(REPORT * 2) == 1184


@pytest.mark.parametrize("version", [0, 1, 4, 6, 0x05000000])
def test_unknown_versions_are_refused(version):
    assert offset_of_error(milan().with_fields(version=version).report()) == 0


@pytest.mark.parametrize("offset", RESERVED_V3)
def test_reserved_bytes_of_version_3_must_be_zero(offset):
    assert offset_of_error(patched(REPORT, offset, 1)) == offset


@pytest.mark.parametrize("offset", [0x188, 0x189, 0x18A])
def test_version_2_has_no_cpuid(offset):
    report = patched(milan().with_fields(version=2, cpuid=bytes(3)).report(), offset, 1)
    assert offset_of_error(report) == offset


def test_version_5_has_mitigation_vectors_where_version_3_has_zeros():
    world = turin().with_fields(launch_mitigations=0x3F, current_mitigations=0x7F)
    report = parse(world.report())
    assert (report.launch_mitigations, report.current_mitigations) == (0x3F, 0x7F)
    assert offset_of_error(patched(world.report(), 0x208, 1)) == 0x208


def test_policy_bit_17_must_be_one():
    assert offset_of_error(milan().with_fields(policy=0x1001F).report()) == 0x08


def test_a_report_that_the_host_asked_for_says_so_in_place_of_a_vmpl():
    assert parse(milan().with_fields(vmpl=0xFFFFFFFF).report()).vmpl == 0xFFFFFFFF


@pytest.mark.parametrize("vmpl", [4, 255, 0xFFFFFFFE])
def test_a_vmpl_that_does_not_exist_is_refused(vmpl):
    assert offset_of_error(milan().with_fields(vmpl=vmpl).report()) == 0x30


def test_reserved_key_bits_are_refused():
    assert offset_of_error(milan().with_fields(key_info=1 << 5).report()) == 0x48


@pytest.mark.parametrize("start", [0x2A0, 0x2E8], ids=["R", "S"])
def test_r_and_s_have_48_bytes(start):
    assert offset_of_error(patched(REPORT, start + 48, 1)) == start + 48
    assert offset_of_error(patched(REPORT, start + 71, 1)) == start + 48


def test_firmware_versions_and_abi_are_in_reading_order():
    report = parse(
        milan().with_fields(current_firmware=bytes([24, 55, 1]), committed_firmware=bytes([3, 2, 1])).report()
    )
    assert report.current_firmware == (1, 55, 24)
    assert report.committed_firmware == (1, 2, 3)
    assert parse(milan().with_fields(policy=0x20137).report()).abi == (1, 0x37)


@pytest.mark.parametrize(
    ("key_info", "expected"),
    [(0, SigningKey.VCEK), (1, SigningKey.VCEK), (4, SigningKey.VLEK), (2, None), (8, None), (28, None)],
)
def test_key_info_says_which_key_signed(key_info, expected):
    assert parse(milan().with_fields(key_info=key_info).report()).signing_key is expected


def test_the_layout_table_covers_the_report_without_overlap():
    taken = [0] * layout.REPORT_BYTES
    for field in layout.FIELDS:
        for position in range(field.offset, field.offset + field.size):
            taken[position] += 1
    for start, end in layout.RESERVED[5]:
        for position in range(start, end):
            taken[position] += 1
    assert set(taken) == {1}


def test_a_report_cannot_be_changed():
    with pytest.raises(AttributeError):
        parse(REPORT).vmpl = 1


@given(st.binary(max_size=2400))
def test_any_bytes_give_a_report_or_malformed_evidence(data):
    outcome = parsed_or_offset(data)
    assert not isinstance(outcome, int) or 0 <= outcome <= len(data)


@settings(max_examples=300)
@given(st.lists(st.tuples(st.integers(0, 1183), st.integers(0, 255)), min_size=1, max_size=8))
def test_changed_reports_are_read_back_or_refused_in_range(changes):
    data = bytearray(REPORT)
    for offset, value in changes:
        data[offset] = value
    outcome = parsed_or_offset(bytes(data))
    if isinstance(outcome, int):
        assert 0 <= outcome < len(data)
    else:
        assert outcome.raw == data
