"""Event logs: any bytes parse or are malformed, and a log counts only if it replays to the quote's RTMRs."""

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.verifier.tdx.fake_intel import td_fields, world
from tests.verifier.tdx.genuine import REPOSITORY, TDX
from verifier.errors import MalformedEvidence, VerificationFailed
from verifier.tdx import event_log, parse
from verifier.tdx.event_log import EV_NO_ACTION, EV_SEPARATOR

LOGS = TDX / "event-logs"
GENUINE = LOGS / "tdx-cos113-ccel"
SHARED = REPOSITORY.parent / "shared" / "evidence"
ACTION = 5


def u32(*values: int) -> bytes:
    return b"".join(value.to_bytes(4, "little") for value in values)


def digest(data: bytes) -> bytes:
    return hashlib.sha384(data).digest()


def first(algorithms: bytes = b"\x0c\x00\x30\x00", count: int = 1, vendor: bytes = b"\0") -> bytes:
    spec = b"Spec ID Event03\0" + u32(0) + b"\0\x02\0\x02" + u32(count) + algorithms + vendor
    return u32(1, EV_NO_ACTION) + bytes(20) + u32(len(spec)) + spec


def event(register: int, kind: int = ACTION, data: bytes = b"event", value: bytes | None = None) -> bytes:
    value = digest(data) if value is None else value
    return u32(register, kind, 1) + b"\x0c\x00" + value + u32(len(data)) + data


def separator(register: int, data: bytes = bytes(4), value: bytes | None = None) -> bytes:
    return event(register, EV_SEPARATOR, data, value)


TWO = first(b"\x0c\x00\x30\x00\x0b\x00\x20\x00", 2)
"""The beginning of a log with SHA-384 and SHA-256."""
LOG = first() + event(1) + separator(1) + event(2, data=b"kernel") + event(0, EV_NO_ACTION) + event(4)


def report(log: bytes, **changes: bytes):
    registers = event_log.replay(event_log.parse(log))
    fields = {f"rtmr{n}": value for n, value in enumerate(registers)} | changes
    return parse(world().with_td(**fields).quote()).report


def failed_check(log: bytes, quoted, **options) -> str:
    with pytest.raises(VerificationFailed) as failure:
        event_log.verify(event_log.parse(log), quoted, **options)
    return failure.value.check


def test_a_genuine_log_replays_to_the_rtmrs_of_its_quote():
    quote = parse((GENUINE / "quote.bin").read_bytes())
    log = event_log.parse((GENUINE / "ccel_data.bin").read_bytes())
    assert event_log.replay(log) == quote.report.rtmrs
    event_log.verify(log, quote.report)
    assert [len(log.of(register)) for register in range(4)] == [16, 7, 20, 0]
    assert quote.report.report_data == (GENUINE / "nonce.bin").read_bytes()
    assert quote.padding == 3065


def test_a_genuine_log_of_another_td_does_not_count():
    quote = parse((GENUINE / "quote.bin").read_bytes())
    other = (LOGS / "tdx-cos113-dupe-separator" / "ccel_data.bin").read_bytes()
    assert failed_check(other, quote.report) == "event-log.separator"
    assert failed_check(other, quote.report, separators=2) == "event-log.rtmr0"


def test_changing_any_digest_of_a_genuine_log_breaks_it():
    data = (GENUINE / "ccel_data.bin").read_bytes()
    quoted = parse((GENUINE / "quote.bin").read_bytes()).report
    for found in event_log.parse(data).extended():
        changed = bytearray(data)
        changed[found.offset + 20] ^= 1
        with pytest.raises(VerificationFailed):
            event_log.verify(event_log.parse(bytes(changed)), quoted)


def test_events_that_are_not_extended_do_not_change_a_register():
    with_one_more = LOG + event(1, EV_NO_ACTION)
    event_log.verify(event_log.parse(with_one_more), report(LOG))


@pytest.mark.parametrize("register", range(4))
def test_each_register_must_match(register):
    quoted = report(LOG, **{f"rtmr{register}": td_fields()["mr_td"]})
    assert failed_check(LOG, quoted) == f"event-log.rtmr{register}"


def test_order_counts():
    one, other = event(1, data=b"one"), event(1, data=b"other")
    assert failed_check(first() + other + one, report(first() + one + other)) == "event-log.rtmr0"


def test_a_second_separator_needs_leave():
    log = LOG + separator(1)
    assert failed_check(log, report(log)) == "event-log.separator"
    event_log.verify(event_log.parse(log), report(log), separators=2)
    assert failed_check(log + separator(1), report(log), separators=2) == "event-log.separator"


def test_a_separator_is_what_was_measured():
    log = first() + separator(1, value=digest(b"something else"))
    assert failed_check(log, report(log)) == "event-log.separator"


@pytest.mark.parametrize("filler", [b"\xff", b"\x00"])
@pytest.mark.parametrize("size", [0, 1, 4, 11, 12, 5000])
def test_padding(filler, size):
    log = event_log.parse(LOG + filler * size)
    assert (len(log.events), log.padding) == (5, size)


@pytest.mark.parametrize(
    ("data", "offset"),
    [
        (b"", 0),
        (bytes(31), 0),
        (bytes(64), 0),
        (first()[:-1], 32),
        (first().replace(b"Event03", b"Event02"), 0),
        (u32(1, ACTION) + first()[8:], 0),
        (u32(1, EV_NO_ACTION) + bytes(20) + u32(16) + b"Spec ID Event03\0", 0),
        (first(count=0), 56),
        (first(count=2), 56),
        (first(b"\x0c\x00\x30\x00" + b"".join(bytes([it, 0, 32, 0]) for it in range(16, 24)), 9), 56),
        (first(b"\x0c\x00\x30\x00" * 2, 2), 64),
        (first(b"\x0b\x00\x20\x00"), 60),
        (first(b"\x0c\x00\x20\x00"), 60),
        (first(vendor=b"\x01"), 64),
        (LOG + event(0), len(LOG)),
        (LOG + event(5), len(LOG)),
        (LOG + event(1)[:8] + u32(2) + event(1)[12:], len(LOG) + 8),
        (LOG + event(1)[:12] + b"\x0b\x00" + event(1)[14:], len(LOG) + 12),
        (LOG + event(1)[:12], len(LOG) + 12),
        (LOG + event(1)[:61], len(LOG) + 14),
        (LOG + event(1)[:65], len(LOG) + 62),
        (LOG + event(1)[:-1], len(LOG) + 66),
        (TWO + u32(1, ACTION, 2) + event(1)[12:62] * 2 + u32(0), len(TWO) + 62),
        (LOG + b"\x01" * 40, len(LOG)),
        (LOG + b"\xff" * 20 + b"\x00", len(LOG)),
        (LOG + b"\x00" * 20 + b"\x01", len(LOG)),
        (bytes(event_log.MAX_LOG_BYTES + 1), event_log.MAX_LOG_BYTES),
    ],
)
def test_malformed(data, offset):
    with pytest.raises(MalformedEvidence) as failure:
        event_log.parse(data)
    assert failure.value.offset == offset


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(LOG) - 1), st.binary(min_size=1, max_size=8))
def test_any_change(offset, value):
    data = LOG[:offset] + value + LOG[offset + len(value) :]
    try:
        log = event_log.parse(data)
    except MalformedEvidence as error:
        found = error.offset
    else:
        found = sum(1 for _ in log.extended())
    assert 0 <= found <= len(data)


@pytest.mark.skipif(not SHARED.is_dir(), reason="shared evidence is not beside the repository (../shared/evidence)")
def test_shared_logs_parse():
    names = ("gcp/tdx-gke-ccel/ccel_data.bin", *(f"tpm/ccel-extra/ccel_{it}.bin" for it in ("alibaba_aael", "ovmf")))
    assert [len(event_log.parse((SHARED / name).read_bytes()).events) for name in names] == [35, 87, 20]
    dstack = event_log.parse((SHARED / "tpm" / "ccel-extra" / "ccel_dstack.bin").read_bytes())
    assert event_log.replay(dstack)[0].hex().startswith("274c2344116db7c6")
