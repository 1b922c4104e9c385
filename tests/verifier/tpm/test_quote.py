"""Quotes of a TPM of our own: parsing is total, and each check can be the only one that fails."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.verifier.tpm.fake_tpm import ECDSA, RSASSA, SHA1, SHA256, SHA384, Tpm, ec_key, rsa_key, select, sized, u16
from verifier.errors import MalformedEvidence, VerificationFailed
from verifier.tpm import parse, parse_signature, rsassa_sha256, verify

QUOTE = Tpm().quote()
SIGNATURE = Tpm().signature()
SHA384_PCRS = {SHA384: {register: bytes([register]) * 48 for register in range(24)}}


def judged(tpm: Tpm, key=None, signature: bytes | None = None):
    return verify(
        parse(tpm.quote()), parse_signature(signature or tpm.signature()), key or tpm.key.public_key(), tpm.pcrs
    )


def failed_check(*arguments, **options) -> str:
    with pytest.raises(VerificationFailed) as failure:
        judged(*arguments, **options)
    return failure.value.check


def offset_of_error(data: bytes, read=parse) -> int:
    with pytest.raises(MalformedEvidence) as error:
        read(data)
    return error.value.offset


def test_a_quote_has_the_fields_that_were_packed():
    quote = parse(QUOTE)
    assert (quote.extra_data, quote.clock, quote.resets, quote.restarts) == (b"challenge", 5, 6, 7)
    assert (quote.safe, quote.firmware_version) == (True, 8)
    assert quote.selection == ((SHA256, tuple(range(24))),)
    assert quote.annotations()["pcr_selection"] == "sha256:" + ",".join(map(str, range(24)))


@pytest.mark.parametrize(
    "tpm",
    [
        Tpm(),
        Tpm(key=ec_key()),
        Tpm(key=ec_key(ec.SECP384R1), hash_algorithm=SHA384),
        Tpm(hash_algorithm=SHA384),
        Tpm(pcrs=SHA384_PCRS, selection=((SHA384, (0, 7)),)),
        Tpm(pcrs=Tpm().pcrs | SHA384_PCRS, selection=((SHA384, (3,)), (SHA256, (1, 2)))),
    ],
    ids=["rsa", "p256", "p384", "rsa-sha384", "sha384-bank", "two-banks"],
)
def test_a_genuine_quote_gives_the_quoted_pcrs_and_no_others(tpm):
    expected = {bank: {register: tpm.pcrs[bank][register] for register in chosen} for bank, chosen in tpm.selection}
    assert judged(tpm).pcrs == expected


@pytest.mark.parametrize(
    ("tpm", "check"),
    [
        (Tpm(selection=()), "tpm.pcr-selection"),
        (Tpm(selection=((SHA256, ()),)), "tpm.pcr-selection"),
        (Tpm(pcrs={SHA1: {0: bytes(20)}}, selection=((SHA1, (0,)),)), "tpm.pcr-bank"),
        (Tpm(key=rsa_key(1024)), "tpm.key"),
        (Tpm(key=ec_key(ec.SECP256K1)), "tpm.key"),
        (Tpm().with_parts(digest=sized(bytes(32))), "tpm.pcr-digest"),
        (Tpm().with_parts(digest=sized(b"")), "tpm.pcr-digest"),
        (Tpm(pcrs={SHA256: {0: b"short"}}, selection=((SHA256, (0,)),)), "tpm.pcr-missing"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_check_can_fail_alone(tpm, check):
    assert failed_check(tpm) == check


def test_another_key_did_not_sign_it():
    assert failed_check(Tpm(), key=rsa_key(3072).public_key()) == "tpm.signature"
    assert failed_check(Tpm(key=ec_key()), key=ec.generate_private_key(ec.SECP256R1()).public_key()) == "tpm.signature"


def test_a_signature_of_another_scheme_or_hash_is_refused():
    assert failed_check(Tpm(), signature=Tpm(key=ec_key()).signature()) == "tpm.algorithm"
    assert failed_check(Tpm(key=ec_key()), signature=SIGNATURE) == "tpm.algorithm"
    assert failed_check(Tpm(), signature=SIGNATURE[:2] + u16(SHA1) + SIGNATURE[4:]) == "tpm.algorithm"
    assert failed_check(Tpm(), signature=SIGNATURE[:2] + u16(SHA384) + SIGNATURE[4:]) == "tpm.signature"


def test_zero_and_swapped_halves_of_an_ecdsa_signature_are_refused():
    tpm = Tpm(key=ec_key())
    good = tpm.signature()
    r, s = good[6:38], good[40:72]
    for one, other in ((s, r), (bytes(32), s), (r, bytes(32)), (b"", s), (r[::-1], s[::-1])):
        wrong = u16(ECDSA) + u16(SHA256) + sized(one) + sized(other)
        assert failed_check(tpm, signature=wrong) == "tpm.signature"


def test_a_bare_rsa_signature_is_read():
    assert rsassa_sha256(SIGNATURE[6:]) == parse_signature(SIGNATURE)
    for wrong in (b"", bytes(1025)):
        with pytest.raises(MalformedEvidence):
            rsassa_sha256(wrong)


def test_every_truncation_and_anything_after_it_is_refused():
    for length in range(len(QUOTE)):
        assert offset_of_error(QUOTE[:length]) <= length
    assert offset_of_error(QUOTE + b"\0") == len(QUOTE)
    for length in range(len(SIGNATURE)):
        assert offset_of_error(SIGNATURE[:length], parse_signature) <= length
    assert offset_of_error(SIGNATURE + b"\0", parse_signature) == len(SIGNATURE)
    assert offset_of_error(bytes(1025)) == 1024


@pytest.mark.parametrize(
    ("changes", "offset"),
    [
        ({"magic": b"TCG\xff"}, 0),
        ({"type": b"\x80\x17"}, 4),
        ({"signer": sized(bytes(67))}, 6),
        ({"extra": sized(bytes(67))}, 42),
        ({"safe": b"\x02"}, 69),
        ({"select": (17).to_bytes(4, "big")}, 78),
        ({"select": b"\0\0\0\1" + select(0x0012, (0,))}, 82),
        ({"select": b"\0\0\0\2" + select(SHA256, (0,)) * 2}, 88),
        ({"select": b"\0\0\0\1" + select(SHA256, (24,), 4)}, 84),
        ({"select": b"\0\0\0\1" + select(SHA256, (0,), 5)}, 84),
        ({"digest": sized(bytes(65))}, 88),
    ],
)
def test_what_cannot_be_in_a_quote_is_refused_where_it_is(changes, offset):
    assert offset_of_error(Tpm().with_parts(**changes).quote()) == offset


def test_other_signature_schemes_are_refused():
    assert offset_of_error(u16(0x0016) + SIGNATURE[2:], parse_signature) == 0
    assert offset_of_error(u16(RSASSA) + u16(0x0012) + SIGNATURE[4:], parse_signature) == 2


def parsed_or_offset(data: bytes, read=parse):
    try:
        return read(data)
    except MalformedEvidence as error:
        return error.offset


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(QUOTE) - 1), st.integers(0, 255)), min_size=1, max_size=4))
def test_any_change_of_a_quote_parses_or_is_malformed(changes):
    changed = bytearray(QUOTE)
    for offset, value in changes:
        changed[offset] = value
    found = parsed_or_offset(bytes(changed))
    assert 0 <= found <= len(QUOTE) if isinstance(found, int) else found.signed == changed


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_a_quote_or_signature_or_malformed(data):
    for read in (parse, parse_signature):
        found = parsed_or_offset(data, read)
        assert not isinstance(found, int) or 0 <= found <= len(data)
