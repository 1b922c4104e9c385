"""Event logs of TPMs: any bytes parse or are malformed, and a log counts only if it replays to quoted PCRs."""

import hashlib
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.verifier.tpm.fake_tpm import SHA256, Tpm
from verifier.errors import MalformedEvidence, VerificationFailed
from verifier.tpm import event_log, layout, parse, parse_signature, verify
from verifier.tpm.event_log import EV_NO_ACTION, EV_SEPARATOR
from verifier.tpm.secure_boot import EV_EFI_VARIABLE_DRIVER_CONFIG, secure_boot

ACTION = 5
FIRMWARE = range(8)
GLOBAL = bytes.fromhex("61dfe48bca93d211aa0d00e098032b8c")


def u32(*values: int) -> bytes:
    return b"".join(value.to_bytes(4, "little") for value in values)


def digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def first(algorithms: bytes = b"\x0b\x00\x20\x00", count: int = 1, vendor: bytes = b"\0") -> bytes:
    spec = b"Spec ID Event03\0" + u32(0) + b"\0\x02\0\x02" + u32(count) + algorithms + vendor
    return u32(0, EV_NO_ACTION) + bytes(20) + u32(len(spec)) + spec


def event(register: int, kind: int = ACTION, data: bytes = b"event", value: bytes | None = None) -> bytes:
    return u32(register, kind, 1) + b"\x0b\x00" + (value or digest(data)) + u32(len(data)) + data


def separator(register: int, data: bytes = bytes(4), value: bytes | None = None) -> bytes:
    return event(register, EV_SEPARATOR, data, value)


def variable(value: bytes, name: str = "SecureBoot", guid: bytes = GLOBAL) -> bytes:
    sizes = len(name).to_bytes(8, "little") + len(value).to_bytes(8, "little")
    return guid + sizes + name.encode("utf-16-le") + value


SEPARATORS = b"".join(map(separator, FIRMWARE))
LOG = first() + event(0) + SEPARATORS + event(9, data=b"kernel") + event(4, EV_NO_ACTION)


def quoted(log: bytes, registers: tuple[int, ...] = tuple(range(24)), **changes: bytes):
    """A genuine quote of the PCRs that `log` leaves."""
    values = event_log.replay(event_log.parse(log), SHA256)
    values |= {int(name[3:]): value for name, value in changes.items()}
    tpm = Tpm(pcrs={SHA256: values}, selection=((SHA256, registers),))
    return verify(parse(tpm.quote()), parse_signature(tpm.signature()), tpm.key.public_key(), tpm.pcrs)


def failed_check(log: bytes, verified, bank: int = SHA256) -> str:
    with pytest.raises(VerificationFailed) as failure:
        event_log.verify(event_log.parse(log), verified, bank)
    return failure.value.check


def offset_of_error(data: bytes) -> int:
    with pytest.raises(MalformedEvidence) as error:
        event_log.parse(data)
    return error.value.offset


def test_a_log_that_replays_gives_the_events_that_were_extended():
    assert [found.register for found in event_log.verify(event_log.parse(LOG), quoted(LOG))] == [0, *FIRMWARE, 9]


def test_events_of_pcrs_that_are_not_quoted_do_not_count():
    attested = event_log.verify(event_log.parse(LOG), quoted(LOG, tuple(FIRMWARE)))
    assert [found.register for found in attested] == [0, *FIRMWARE]


def test_pcrs_that_the_system_extended_later_are_not_the_logs():
    event_log.verify(event_log.parse(LOG), quoted(LOG, pcr10=digest(b"IMA")))


@pytest.mark.parametrize("register", [*FIRMWARE, 9])
def test_each_pcr_of_the_log_must_match(register):
    assert failed_check(LOG, quoted(LOG, **{f"pcr{register}": digest(b"other")})) == f"event-log.pcr{register}"


def test_order_counts():
    one, other = event(8, data=b"one"), event(8, data=b"other")
    log = first() + SEPARATORS
    assert failed_check(log + other + one, quoted(log + one + other)) == "event-log.pcr8"


@pytest.mark.parametrize(
    "log",
    [
        first() + b"".join(map(separator, range(7))),
        first() + SEPARATORS + separator(7),
        first() + SEPARATORS.replace(separator(3), separator(3, b"\0\0\0\1")),
        first() + SEPARATORS.replace(separator(3), separator(3, b"\xff" * 4, digest(bytes(4)))),
    ],
    ids=["missing", "twice", "error", "not-what-was-measured"],
)
def test_firmware_closes_each_of_its_pcrs_once(log):
    assert failed_check(log, quoted(log)) == "event-log.separator"


def test_a_bank_must_be_in_the_log_and_in_the_quote():
    assert failed_check(LOG, quoted(LOG), layout.SHA384) == "event-log.bank"
    two = first(b"\x0b\x00\x20\x00\x0c\x00\x30\x00", 2)
    assert failed_check(two, quoted(LOG), layout.SHA384) == "event-log.bank"


@pytest.mark.parametrize("locality", [0, 3, 4])
def test_pcr_0_starts_with_the_locality_of_the_startup(locality):
    log = first() + event(0, EV_NO_ACTION, b"StartupLocality\0" + bytes([locality]))
    assert event_log.replay(event_log.parse(log), SHA256)[0] == bytes(31) + bytes([locality])


def test_an_event_that_is_extended_says_nothing_about_the_locality():
    log = event_log.parse(first() + event(0, ACTION, b"StartupLocality\0\3"))
    assert log.locality == 0


def test_a_log_has_at_most_eight_algorithms():
    many = [number.to_bytes(2, "little") + b"\x20\x00" for number in range(0x20, 0x29)]
    assert event_log.parse(first(b"".join(many[:8]), 8))
    with pytest.raises(MalformedEvidence, match="9 algorithms do not fit"):
        event_log.parse(first(b"".join(many), 9))


@pytest.mark.parametrize("data", [b"", b"\x01", b"\x03\x03"])
def test_a_locality_that_cannot_be_is_malformed(data):
    assert offset_of_error(first() + event(0, EV_NO_ACTION, b"StartupLocality\0" + data)) == len(first())
    assert offset_of_error(first() + event(1, EV_NO_ACTION, b"StartupLocality\0\3")) == len(first())


def test_pcrs_of_a_dynamic_launch_start_as_ones():
    values = event_log.replay(event_log.parse(first()), SHA256)
    assert [register for register, value in values.items() if value == b"\xff" * 32] == list(range(17, 23))
    assert values[16] == values[23] == bytes(32)


@pytest.mark.parametrize(
    ("data", "offset"),
    [
        (b"", 0),
        (first()[:40], 32),
        (first(count=0), 56),
        (first(count=9), 56),
        (first(count=2), 56),
        (first(b"\x0b\x00\x21\x00"), 60),
        (first(b"\x0b\x00\x20\x00" * 2, 2), 64),
        (first(vendor=b"\1"), 64),
        (u32(0, ACTION) + first()[8:], 0),
        (first() + event(24), len(first())),
        (first() + u32(0, ACTION, 2), len(first()) + 8),
        (first() + u32(0, ACTION, 1) + b"\x0c\x00", len(first()) + 12),
        (first() + event(0)[:20], len(first()) + 14),
        (first() + event(0)[:-1], len(first()) + 50),
        (bytes(1_048_577), 1_048_576),
    ],
)
def test_what_cannot_be_in_a_log_is_refused_where_it_is(data, offset):
    assert offset_of_error(data) == offset


SHA1_EVENT = u32(1, ACTION) + hashlib.sha1(b"data").digest() + u32(4) + b"data"


@pytest.mark.parametrize(
    ("events", "head"),
    [((event(1), event(2), event(3, data=b"other")), first()), ((SHA1_EVENT, SHA1_EVENT), b"")],
    ids=["crypto-agile", "SHA-1"],
)
def test_a_log_ends_after_an_event_or_is_malformed(events, head):
    whole = [head + b"".join(events[:count]) for count in range(len(events) + 1)]
    lengths = [length for length in range(len(whole[-1]) + 1) if ends(whole[-1][:length])]
    assert lengths == [len(log) for log in whole if log]


def ends(log: bytes) -> bool:
    try:
        event_log.parse(log)
    except MalformedEvidence:
        return False
    return True


def test_only_what_is_extended_needs_a_pcr():
    assert ends(first() + event(0xFFFFFFFF, EV_NO_ACTION))
    assert ends(u32(0xFFFFFFFF, EV_NO_ACTION) + bytes(20) + u32(1) + b"x")
    assert offset_of_error(u32(24, ACTION) + bytes(20) + u32(1) + b"x") == 0


def test_separators_after_the_firmwares_pcrs_are_events_like_others():
    log = first() + SEPARATORS + separator(9) + separator(9)
    assert len(event_log.verify(event_log.parse(log), quoted(log))) == 10


def test_a_bank_that_only_the_quote_has():
    log = event_log.parse(LOG)
    verified = replace(quoted(LOG), pcrs={layout.SHA384: dict.fromkeys(range(24), bytes(48))})
    with pytest.raises(VerificationFailed, match="the log has no sha384 bank"):
        event_log.verify(log, verified, layout.SHA384)


def test_one_event_has_a_digest_for_each_bank_once():
    two = first(b"\x0b\x00\x20\x00\x0c\x00\x30\x00", 2)
    same = u32(1, ACTION, 2) + 2 * (b"\x0b\x00" + digest(b"x")) + u32(0)
    assert offset_of_error(two + same) == len(two) + 12 + 34


def test_a_short_first_event_is_no_spec_id_event():
    short = u32(0, EV_NO_ACTION) + bytes(20) + u32(20) + b"Spec ID Event03\0" + bytes(4)
    assert offset_of_error(short) == 0


@pytest.mark.parametrize("filler", [b"\0", b"\xff"])
def test_the_rest_of_the_area_may_be_filled(filler):
    assert event_log.parse(LOG + filler * 500) == event_log.parse(LOG)
    with pytest.raises(MalformedEvidence):
        event_log.parse(LOG + filler * 500 + b"\1")


def test_a_log_of_empty_events_is_read_in_one_pass():
    log = event_log.parse(bytes(1_048_544) + u32(0, ACTION) + bytes(24))
    assert len(log.events) == 32_768


class TestSecureBoot:
    """What PCR 7 says about it, believed only where the digest is the data's."""

    @staticmethod
    def state(*events: bytes):
        return secure_boot(event_log.parse(first() + b"".join(events)).extended())

    @staticmethod
    def measured(data: bytes, register: int = 7, value: bytes | None = None) -> bytes:
        return event(register, EV_EFI_VARIABLE_DRIVER_CONFIG, data, value)

    @pytest.mark.parametrize(("value", "expected"), [(b"\1", True), (b"\0", False), (b"", False), (b"\1\1", False)])
    def test_on_is_one_byte_of_one(self, value, expected):
        assert self.state(self.measured(variable(value))) is expected

    def test_other_variables_registers_and_events_do_not_say(self):
        others = (
            self.measured(variable(b"\1", "PK")),
            self.measured(variable(b"\1", "KEKDefault")),
            self.measured(variable(b"\1", guid=bytes(16))),
            self.measured(variable(b"\1"), register=5),
            event(7, ACTION, variable(b"\1")),
            self.measured(b"short"),
        )
        assert self.state(*others) is None

    def test_data_that_was_not_measured_is_refused(self):
        with pytest.raises(VerificationFailed, match=r"event-log\.secure-boot: the variable at byte 65"):
            self.state(self.measured(variable(b"\1"), value=digest(variable(b"\0"))))

    def test_two_different_values_are_refused(self):
        with pytest.raises(VerificationFailed, match="measured twice"):
            self.state(self.measured(variable(b"\0")), self.measured(variable(b"\1")))


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(LOG) - 1), st.integers(0, 255)), min_size=1, max_size=4))
def test_any_change_of_a_log_parses_or_is_malformed(changes):
    changed = bytearray(LOG)
    for offset, value in changes:
        changed[offset] = value
    try:
        found = event_log.parse(bytes(changed)).events[-1].offset
    except MalformedEvidence as error:
        found = error.offset
    assert 0 <= found <= len(LOG)
