"""EARs as CWTs: the numbers of the profile, the same claims as in JSON, and every way not to be believed."""

from datetime import timedelta

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.verifier.test_ear import AT, KEY, LIFETIME, VERIFIER, result
from verifier import cose, ear, ear_cwt
from verifier.errors import InvalidToken
from verifier.signer import ES256, ES384, SoftwareSigner

NONCE = bytes(range(32))
OTHER = SoftwareSigner.generate(ES256)
P384 = SoftwareSigner.generate(ES384)


def token(key=KEY, **options) -> bytes:
    arguments = {"verifier_id": VERIFIER, "nonce": NONCE, "lifetime": LIFETIME, "at": AT, **options}
    return ear_cwt.issue(result(), key=key, **arguments)


def signed(claims: object, key=KEY, headers=None, tag: int | None = 18) -> bytes:
    protected = cbor2.dumps({1: -7} if headers is None else headers)
    payload = cbor2.dumps(claims)
    message = [protected, {}, payload, key.sign(cose.to_be_signed(protected, payload))]
    return cbor2.dumps(message if tag is None else cbor2.CBORTag(tag, message))


def claims() -> dict:
    return cbor2.loads(cbor2.loads(token()).value[2])


def refusal(data: bytes, at=AT, **options) -> str:
    with pytest.raises(InvalidToken) as error:
        ear_cwt.read(data, [KEY.public_key], at, **options)
    return str(error.value)


def test_the_keys_are_the_profile_s():
    found = claims()
    assert found[265] == "tag:github.com,2023:veraison/ear"
    assert (found[5], found[6], found[4]) == (AT.timestamp(), AT.timestamp(), (AT + LIFETIME).timestamp())
    assert found[10] == NONCE
    assert found[1004] == {0: "bailiwick", 1: "0.1.0"}
    submodule = found[266]["cpu"]
    assert submodule[1000] in {2, 32, 96}
    assert set(submodule[1001]) <= set(range(8))
    assert "chain" in submodule[-70001]
    assert submodule[1003].startswith("bailiwick-strict@sha256:")


def test_it_says_what_the_jwt_says():
    same = result()
    options = {"verifier_id": VERIFIER, "lifetime": LIFETIME, "at": AT, "extra": {"jurisdiction": {"id": "DE"}}}
    as_jwt = ear.read(ear.issue(same, key=KEY, nonce=None, **options), [KEY.public_key], AT)
    as_cwt = ear_cwt.read(ear_cwt.issue(same, key=KEY, nonce=None, **options), [KEY.public_key], AT)
    assert as_cwt == as_jwt


def test_the_header_says_what_it_is():
    protected = cbor2.loads(cbor2.loads(token()).value[0])
    assert protected[1] == -7
    assert protected[3] == "application/eat+cwt"


@pytest.mark.parametrize("tag", [None, 18, 61])
def test_tags_are_optional(tag):
    assert ear_cwt.read(signed(claims(), tag=tag), [OTHER.public_key, KEY.public_key], AT)["submods"]


@pytest.mark.parametrize("nonce", [bytes(7), bytes(65)])
def test_a_nonce_has_8_to_64_bytes(nonce):
    with pytest.raises(ValueError, match="8 to 64"):
        token(nonce=nonce)


@pytest.mark.parametrize("headers", [{1: -35}, {1: -47}, {}])
def test_another_key_or_algorithm(headers):
    assert "trusted key" in refusal(token(key=OTHER))
    assert "trusted key" in refusal(signed(claims(), headers=headers))


def test_a_key_on_p384_signs_with_es384_only():
    keys = [KEY.public_key, P384.public_key]
    assert ear_cwt.read(token(key=P384), keys, AT)["submods"]
    assert ear_cwt.read(signed(claims(), P384, {1: -35}), keys, AT)["submods"]
    with pytest.raises(InvalidToken, match="trusted key"):
        ear_cwt.read(signed(claims(), P384, {1: -7}), keys, AT)


def test_a_key_on_another_curve_signs_nothing():
    other = ec.generate_private_key(ec.SECP521R1()).public_key()
    with pytest.raises(InvalidToken, match="trusted key"):
        ear_cwt.read(token(), [other], AT)


def test_times():
    assert "not valid yet" in refusal(token(), AT - timedelta(seconds=1))
    assert "expired" in refusal(token(), AT + LIFETIME)


def test_a_result_without_an_end_counts_as_long_as_its_reader_says():
    endless = signed({key: value for key, value in claims().items() if key not in {4, 5}})
    assert "exp is missing" in refusal(endless)
    assert ear_cwt.read(endless, [KEY.public_key], AT, lifetime=timedelta(hours=1))
    assert "expired" in refusal(endless, AT + timedelta(hours=1), lifetime=timedelta(hours=1))
    assert "not valid yet" in refusal(endless, AT - timedelta(seconds=1), lifetime=timedelta(hours=1))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({265: "another"}, "eat_profile"),
        ({266: {}}, "submods"),
        ({266: []}, "submods is not a map"),
        ({266: {"cpu": []}}, "submods is not a map"),
        ({266: {"cpu": {1000: 3}}}, "does not know"),
        ({266: {"cpu": {1000: False}}}, "does not know"),
        ({266: {"cpu": {1000: []}}}, "does not know"),
        ({266: {"cpu": {1001: {8: 2}}}}, "does not know"),
        ({266: {"cpu": {1001: 2}}}, "not a map"),
        ({1004: {2: "x"}}, "does not know"),
        ({"ear.status": "affirming"}, "not under its number"),
        ({"jti": "an identifier"}, "not under its number"),
        ({6: "now"}, "iat"),
    ],
)
def test_claims_that_are_not_the_profile_s(change, reason):
    assert reason in refusal(signed(claims() | change))


def test_a_token_has_a_greatest_length():
    assert "longer than" in refusal(signed(claims() | {"filler": "x" * ear.MAX_TOKEN_BYTES}))


def test_what_is_unknown_is_left_out():
    assert (
        ear_cwt.read(signed(claims() | {99999: "x"}), [KEY.public_key], AT).keys()
        == ear_cwt.read(token(), [KEY.public_key], AT).keys()
    )


@pytest.mark.parametrize(
    "data",
    [b"", b"\x80", cbor2.dumps([b"", {}, b"", bytes(96)]), signed([1]), bytes(300_000)],
    ids=["empty", "list", "unsigned", "signed list", "huge"],
)
def test_what_is_no_cwt(data):
    assert "token" in refusal(data)


GOOD = token()


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_any_change_is_refused(data):
    changed = bytearray(GOOD)
    changed[data.draw(st.integers(0, len(GOOD) - 1))] = data.draw(st.integers(0, 255))
    if bytes(changed) != GOOD:
        refusal(bytes(changed))
