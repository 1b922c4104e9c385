"""Tokens of fake issuers: each check can be the only one that fails, and parsing is total."""

import json
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.verifier.tokens.fake_issuer import (
    AZURE,
    GENUINE_BUNDLE,
    GOOGLE,
    INTEL,
    NOW,
    NVIDIA,
    bundle,
    failed_check,
    good,
    jwks,
    jwt,
    key,
    verified,
    with_claims,
)
from verifier import jwk, tokens
from verifier.errors import InvalidToken, VerificationFailed

ISSUERS = [AZURE, GOOGLE, INTEL, NVIDIA]
GOOD = {AZURE: good(AZURE), NVIDIA: good(NVIDIA)}


class TestVerify:
    @pytest.mark.parametrize("name", ISSUERS)
    def test_a_genuine_token_says_whose_word_it_is(self, name):
        outcome = verified(good(name), name)
        assert "asserted by a third party" in outcome.asserted_by
        assert "US" in outcome.asserted_by
        assert outcome.annotations()["issuer"] == tokens.find(name).issuer

    def test_another_s_key(self):
        assert failed_check(replace(jwt(AZURE), signer="other").encode()) == "token.signature"

    def test_a_key_that_is_not_among_the_issuer_s(self):
        assert failed_check(good(AZURE), keys=jwks("other")) == "token.key"

    @pytest.mark.parametrize("algorithm", ["PS256", "none", "HS256", "RS384", None])
    def test_an_algorithm_that_the_issuer_does_not_use(self, algorithm):
        assert failed_check(replace(jwt(AZURE), header={"alg": algorithm}).encode()) == "token.algorithm"

    def test_a_key_that_is_for_another_algorithm(self):
        assert failed_check(good(AZURE), keys=jwks(AZURE, alg="RS384")) == "token.algorithm"
        assert verified(good(AZURE), AZURE, jwks(AZURE, alg="RS256"))

    def test_a_key_of_another_kind(self):
        assert (
            failed_check(good(AZURE), keys=jwks(NVIDIA).replace(NVIDIA.encode(), AZURE.encode())) == "token.signature"
        )

    def test_another_issuer(self):
        other = tokens.find("azure-attestation-westeurope").issuer
        assert failed_check(with_claims(jwt(AZURE), iss=other).encode()) == "token.issuer"

    def test_keys_are_never_fetched_from_where_the_token_says(self):
        theirs = replace(jwt(AZURE), header={"jku": tokens.find(AZURE).keys})
        assert verified(theirs.encode().encode(), AZURE)
        assert failed_check(replace(theirs, header={"jku": "https://evil.example/certs"}).encode()) == "token.jku"

    def test_a_key_in_the_token_is_not_looked_at(self):
        header = {"jwk": jwk.from_public_key(key("other").public_key()), "kid": "other"}
        assert failed_check(replace(jwt(AZURE), header=header, signer="other").encode()) == "token.key"

    @pytest.mark.parametrize(
        ("claims", "check"),
        [
            ({"exp": NOW}, "token.expired"),
            ({"nbf": NOW + 1}, "token.not-yet-valid"),
            ({"iat": NOW + 1}, "token.not-yet-valid"),
            ({"exp": "never"}, "token.times"),
            ({"exp": True}, "token.times"),
            ({"exp": None}, "token.times"),
            ({"iat": None, "nbf": None}, "token.not-yet-valid"),
        ],
    )
    def test_times(self, claims, check):
        assert failed_check(with_claims(jwt(AZURE), **claims).encode()) == check

    @pytest.mark.parametrize("name", ["iat", "nbf"])
    def test_one_time_says_since_when(self, name):
        assert verified(with_claims(jwt(AZURE), **{name: None}).encode().encode(), AZURE)

    def test_a_bundle_of_another_issuer(self):
        assert failed_check(bundle(), AZURE) == "token.form"

    def test_a_single_token_of_nvidia(self):
        overall = json.loads(bundle())[0][1]
        assert failed_check(overall, NVIDIA) == "token.form"

    @pytest.mark.parametrize("submods", [{}, {"GPU-0": ["DIGEST", ["SHA-256", "00" * 32]]}, None])
    def test_a_bundle_whose_parts_are_not_the_ones_it_is_about(self, submods):
        assert failed_check(bundle({"submods": submods}), NVIDIA) == "token.submods"

    def test_a_bundle_with_a_device_too_many(self):
        overall, devices = json.loads(bundle())
        content = json.dumps([overall, {**devices, "GPU-1": devices["GPU-0"]}]).encode()
        assert failed_check(content, NVIDIA) == "token.submods"

    def test_a_device_that_has_expired(self):
        assert failed_check(bundle(device={"exp": NOW - 1}), NVIDIA) == "token.expired"

    def test_nvidia_s_own_token_is_read_and_needs_nvidia_s_keys(self):
        token = tokens.parse(GENUINE_BUNDLE)
        assert list(token.parts) == ["GPU-0"]
        assert token.main.claims["submods"]["GPU-0"][1][1] == token.digests["GPU-0"]
        assert failed_check(GENUINE_BUNDLE, NVIDIA) == "token.key"


def long(characters: int) -> bytes:
    """A token of about so many characters."""
    return b"e30." + jwk.encode(json.dumps({"a": "x" * (characters * 3 // 4)}).encode()).encode() + b".AA"


def devices(count: int, token: str = "e30.e30.AA") -> bytes:
    return json.dumps([["JWT", token], {f"GPU-{number}": token for number in range(count)}]).encode()


class TestParse:
    @pytest.mark.parametrize(
        "text",
        [
            b"",
            b"eyJ",
            b"eyJ.eyJ",
            b"e30.e30.%%",
            b"e30=.e30.e30",
            b"W10.e30.AA",
            b"e30.W10.AA",
            b"eyJhIjoxLCJhIjoxfQ.e30.AA",
            b"eyJjcml0IjpbXX0.e30.AA",
            b"\xff",
            b"[]",
            b'[["JWT", 5], {}]',
            b'[["JWT", "e30.e30.AA"], {}]',
            b'[["JWT", "e30.e30.AA"], {"GPU-0": 5}]',
            b"[" * 100,
            b"e30." + b"A" * 300_000 + b".AA",
            b"e30.e30",
            b"e30.e30.AA.AA",
            b"eyJiNjQiOmZhbHNlfQ.e30.AA",
            long(270_000),
            devices(65),
            devices(20, long(20_000).decode()),
            devices(1, "e30.e30.\u00e9A"),
        ],
    )
    def test_what_is_no_token(self, text):
        with pytest.raises(InvalidToken):
            tokens.parse(text)

    def test_what_is_as_large_as_it_may_be(self):
        assert tokens.parse(long(260_000))
        assert len(tokens.parse(devices(64)).parts) == 64

    @pytest.mark.parametrize(
        "keys",
        [
            b"",
            b"[]",
            b"{}",
            b'{"keys": [{}]}',
            b'{"keys": [{"kid": "a", "kty": "oct", "k": "AA"}]}',
            b'{"keys": [{"kid": "a", "kty": "RSA", "n": "AQ", "e": "AQAB"}]}',
            b'{"keys": [{"kid": "a", "x5c": ["AA"]}]}',
            b'{"keys": [{"kid": "a", "x5c": []}]}',
            b'{"keys": [{"kid": "a", "use": "enc"}]}',
            b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        ],
    )
    def test_what_are_no_keys(self, keys):
        with pytest.raises(InvalidToken):
            tokens.KeySet.parse(keys)

    @pytest.mark.parametrize("members", [{"use": "enc"}, {"alg": 5}, {"kid": 5}, {"n": 5}])
    def test_a_key_that_would_do_but_for_one_member(self, members):
        assert tokens.KeySet.parse(jwks(AZURE, use="sig", alg="RS256"))
        with pytest.raises(InvalidToken):
            tokens.KeySet.parse(jwks(AZURE, **members))

    def test_a_key_that_occurs_twice(self):
        with pytest.raises(InvalidToken, match="kid"):
            tokens.KeySet.parse(jwks(AZURE, AZURE))

    def test_more_keys_than_an_issuer_has(self):
        point = jwk.from_public_key(ec.generate_private_key(ec.SECP256R1()).public_key())
        entries = [point | {"kid": str(number)} for number in range(257)]
        assert len(tokens.KeySet.parse(json.dumps({"keys": entries[:256]}).encode()).by_id) == 256
        with pytest.raises(InvalidToken, match="at most 256"):
            tokens.KeySet.parse(json.dumps({"keys": entries}).encode())

    @settings(max_examples=200, deadline=None)
    @given(st.sampled_from([AZURE, NVIDIA]), st.data())
    def test_any_change_is_refused(self, name, data):
        content = GOOD[name]
        at = data.draw(st.integers(0, len(content) - 1))
        changed = content[:at] + bytes([data.draw(st.integers(32, 126))]) + content[at + 1 :]
        if changed == content:
            return
        try:
            verified(changed, name)
        except (InvalidToken, VerificationFailed):
            return
        assert json.loads(changed)[1].keys() == json.loads(content)[1].keys()

    def test_it_is_told_from_other_evidence(self):
        assert tokens.is_token(good(AZURE))
        assert tokens.is_token(b' [ ["JWT", "')
        assert not tokens.is_token(b'[{"evidence": ""}]')
