"""Genuine quotes of Google's and other TPMs: each gives the verdict that the index states, and no byte can change."""

import json

import pytest

from tests.verifier.tpm.genuine import CAPTURED, GENUINE, LOGS, TPM, log_of
from verifier.errors import MalformedEvidence, VerificationFailed
from verifier.tpm import digest_of, event_log, layout, parse, parse_signature, verify
from verifier.tpm.secure_boot import secure_boot

each = pytest.mark.parametrize("case", CAPTURED.values(), ids=lambda case: case.entry["id"])
each_genuine = pytest.mark.parametrize("case", GENUINE, ids=lambda case: case.entry["id"])
each_log = pytest.mark.parametrize("entry", LOGS, ids=lambda entry: entry["id"])
WITH_LOG = [case for case in GENUINE if case.entry["event_log"]]


def judged(case, quote=None, signature=None, pcrs=None):
    quote = parse(quote or case.quote)
    return verify(quote, parse_signature(signature or case.signature), case.key, pcrs or case.pcrs)


def failed_check(*arguments, **options) -> str:
    with pytest.raises(VerificationFailed) as failure:
        judged(*arguments, **options)
    return failure.value.check


@each
def test_each_verdict_is_the_expected_one_for_the_expected_reason(case):
    expected = case.entry["expect"]["failed_check"]
    assert parse(case.quote).extra_data.hex() == case.entry["nonce"]
    if expected is not None:
        assert failed_check(case) == expected
        return
    verified = judged(case)
    bank = layout.SHA256 if case.entry["quote"] == "sha256" else layout.SHA384
    assert verified.pcrs == {bank: case.pcrs[bank]}


@each_genuine
def test_changing_any_byte_of_the_quote_breaks_it(case):
    for offset in range(len(case.quote)):
        changed = bytearray(case.quote)
        changed[offset] ^= 0x01
        with pytest.raises((VerificationFailed, MalformedEvidence)):
            judged(case, quote=bytes(changed))


@each_genuine
def test_changing_any_byte_of_the_signature_breaks_it(case):
    for offset in range(0, len(case.signature), 4):
        changed = bytearray(case.signature)
        changed[offset] ^= 0x80
        with pytest.raises((VerificationFailed, MalformedEvidence)):
            judged(case, signature=bytes(changed))


@each_genuine
def test_changing_any_pcr_breaks_it(case):
    ((bank, values),) = judged(case).pcrs.items()
    for register, value in values.items():
        changed = {bank: values | {register: value[:-1] + bytes([value[-1] ^ 1])}}
        assert failed_check(case, pcrs=changed) == "tpm.pcr-digest"
        assert failed_check(case, pcrs={bank: {k: v for k, v in values.items() if k != register}}) == "tpm.pcr-missing"


def test_the_signature_of_another_quote_by_the_same_key_is_refused():
    one, other = CAPTURED["gce-cos-85-nonce-sha256"], CAPTURED["gce-cos-85-no-nonce-sha256"]
    assert failed_check(one, signature=other.signature) == "tpm.signature"


@pytest.mark.parametrize("case", WITH_LOG, ids=lambda case: case.entry["id"])
def test_a_genuine_log_replays_to_the_pcrs_of_its_quote(case):
    verified, log = judged(case), event_log.parse(case.event_log)
    (bank,) = verified.pcrs
    attested = event_log.verify(log, verified, bank)
    assert attested == tuple(log.extended())
    assert {event.register for event in attested} >= set(range(8))
    assert secure_boot(attested, bank) is True


def test_changing_any_digest_of_a_genuine_log_breaks_it():
    case = CAPTURED["gce-cos-85-nonce-sha256"]
    verified, data = judged(case), case.event_log
    for event in event_log.parse(data).extended():
        changed = bytearray(data)
        changed[data.index(event.digests[layout.SHA256], event.offset)] ^= 1
        with pytest.raises(VerificationFailed) as failure:
            event_log.verify(event_log.parse(bytes(changed)), verified)
        assert failure.value.check in {f"event-log.pcr{event.register}", "event-log.separator"}


@each_log
def test_each_log_parses_to_what_the_index_states(entry):
    log = event_log.parse(log_of(entry))
    assert len(log.events) == entry["events"]
    assert sorted(layout.HASH_NAMES[bank] for bank in log.banks) == entry["banks"]
    bank = layout.SHA256 if layout.SHA256 in log.banks else layout.SHA1
    assert secure_boot(log.extended(), bank) is entry["secure_boot"]


@each_log
def test_the_log_of_another_machine_does_not_count(entry):
    verified = judged(CAPTURED["gce-cos-85-nonce-sha256"])
    with pytest.raises(VerificationFailed) as failure:
        event_log.verify(event_log.parse(log_of(entry)), verified)
    if entry["banks"] == ["sha1"]:
        assert failure.value.check == "event-log.bank"


@each_log
def test_truncating_a_log_is_malformed_or_shortens_it(entry):
    data = log_of(entry)
    whole = event_log.parse(data)
    ends = {event.offset for event in whole.events} | {len(data)}
    for length in range(0, min(len(data), 4000), 7):
        found = events_or_offset(data[:length])
        complete = whole.events[: sum(end <= length for end in ends) - 1]
        assert found <= length if isinstance(found, int) else found == complete


def events_or_offset(data: bytes):
    try:
        return event_log.parse(data).events
    except MalformedEvidence as error:
        return error.offset


def test_a_quote_without_a_signature_parses():
    quote = parse((TPM / "dstack-gcp.msg").read_bytes())
    assert quote.selection == ((layout.SHA256, (0, 1, 2)),)
    assert quote.extra_data.hex() == "12345678"


def test_the_digest_is_in_the_order_of_the_selection():
    case = CAPTURED["gce-cos-85-nonce-sha256"]
    quote = parse(case.quote)
    assert digest_of(quote.selection, case.pcrs, layout.SHA256) == quote.pcr_digest


def test_every_file_of_the_index_is_used():
    folders = {case.entry["folder"] for case in CAPTURED.values()}
    assert folders | {"event-logs"} == {path.name for path in TPM.iterdir() if path.is_dir()}
    assert {f"{entry['id']}.bin" for entry in LOGS} == {path.name for path in (TPM / "event-logs").iterdir()}
    assert json.loads((TPM / "index.json").read_text(encoding="utf-8"))["note"]
