"""Results of Veraison's libraries for Go and for Rust, read by ours; the vocabulary that all must share."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from verifier import ear, ear_cwt, jwk
from verifier.appraisal.vector import Component, Tier, tier_of
from verifier.errors import InvalidToken

EVIDENCE = Path(__file__).parents[1] / "evidence" / "ear"
TOKEN = (EVIDENCE / "veraison-go.jwt").read_text().strip()
KEY = jwk.to_public_key(json.loads((EVIDENCE / "veraison-go.jwk.json").read_text()))
ISSUED = datetime.fromtimestamp(json.loads(jwk.decode(TOKEN.split(".")[1]))["iat"], UTC)


def test_a_result_of_veraison_s_library_is_read():
    claims = ear.read(TOKEN, [KEY], ISSUED + timedelta(minutes=1), lifetime=timedelta(minutes=5))
    assert claims["submods"]["test"]["ear.status"] == "affirming"
    assert claims["submods"]["test"]["ear.trustworthiness-vector"]["hardware"] == 2
    assert claims["ear.verifier-id"] == {"build": "rrtrap-v1.0.0", "developer": "Acme Inc."}


def test_it_states_no_end_so_its_reader_must():
    with pytest.raises(InvalidToken, match="exp"):
        ear.read(TOKEN, [KEY], ISSUED)
    with pytest.raises(InvalidToken, match="expired"):
        ear.read(TOKEN, [KEY], ISSUED + timedelta(minutes=5), lifetime=timedelta(minutes=5))


def test_the_components_of_its_vector_are_ours():
    claims = ear.read(TOKEN, [KEY], ISSUED, lifetime=timedelta(minutes=5))
    theirs = claims["submods"]["test"]["ear.trustworthiness-vector"].keys()
    assert {str(component) for component in Component} <= theirs
    assert theirs == ear_cwt._VECTOR.keys()


@pytest.mark.parametrize(
    ("values", "tier"),
    [
        ((-1, 0, 1), Tier.NONE),
        ((-2, -32, 2, 3, 31), Tier.AFFIRMING),
        ((-33, -96, 32, 33, 95), Tier.WARNING),
        ((-97, -128, 96, 97, 99, 127), Tier.CONTRAINDICATED),
    ],
)
def test_the_tiers_of_ar4si(values, tier):
    assert {tier_of(value) for value in values} == {tier}


@pytest.mark.parametrize("algorithm", ["es256", "es384"])
def test_a_cwt_of_veraison_s_library_is_read(algorithm):
    token = (EVIDENCE / f"veraison-rust-{algorithm}.cwt").read_bytes()
    key = jwk.to_public_key(json.loads((EVIDENCE / f"veraison-rust-{algorithm}.jwk.json").read_text()))
    at = datetime(2026, 11, 23, 8, tzinfo=UTC)
    claims = ear_cwt.read(token, [key], at, lifetime=timedelta(days=1))
    assert claims["ear.verifier-id"] == {"developer": "Veraison", "build": "rust-ear 0.4.0"}
    assert claims["eat_nonce"] == bytes(range(32))
    submodule = claims["submods"]["test"]
    assert submodule["ear.status"] == "affirming"
    assert submodule["ear.trustworthiness-vector"].keys() == ear_cwt._VECTOR.keys()
    assert submodule["ear.trustworthiness-vector"]["executables"] == 3
    assert submodule["ear.veraison.annotated-evidence"] == {"vmpl": 0}
    with pytest.raises(InvalidToken, match="exp"):
        ear_cwt.read(token, [key], at)
    with pytest.raises(InvalidToken, match="trusted key"):
        ear_cwt.read(token[:-1] + bytes([token[-1] ^ 1]), [key], at, lifetime=timedelta(days=1))
