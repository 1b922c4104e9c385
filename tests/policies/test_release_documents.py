"""Azure's release policies, read back: what the components compile, and what nobody should have written."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.release import ReleasePolicy
from components.release.azure import compile_policy, encode
from components.release.policy import Authority, MinimumTcb, Tee
from policies import pack
from policies.examples import KEY, STRICT, but, claim, release_data
from policies.release.azure import MOST_WAYS, parse
from policies.release.model import MalformedDocument
from policies.rule import Example
from policies.testing import judge

AUTHORITY = "https://shareddewc.dewc.attest.azure.net"


def policy(**changes: Any) -> ReleasePolicy:
    """A policy as a region in Germany has it, changed in some fields."""
    fields = {
        "jurisdiction": "DE",
        "data_class": "confidential",
        "tees": (Tee.SNP,),
        "launch_measurements": ("aa" * 48, "ab" * 48),
        "minimum_tcb": MinimumTcb(bootloader=4, tee=0, snp=22, microcode=213),
        "authorities": (Authority(uri=AUTHORITY, jurisdiction="DE"),),
        **changes,
    }
    return ReleasePolicy(**fields)


def rules_broken_by(data: str) -> set[str]:
    """Ids of the rules that a key with this release policy breaks."""
    example = Example("", (but(KEY, {"properties.releasePolicy.data": data}),))
    return {violation.rule for violation in judge(pack.build(), example).violations}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"vmpl": (0, 1)},
        {"allow_migration": True},
        {"allow_debug": True},
        {"authorities": tuple(Authority(uri=f"https://{n}.dewc.attest.azure.net", jurisdiction="DE") for n in "ab")},
    ],
)
def test_a_compiled_policy_is_read_back_as_what_it_was(changes: dict[str, Any]) -> None:
    written = policy(**changes)
    ways = parse(encode(compile_policy(written)))
    assert {way.authority for way in ways} == {authority.uri for authority in written.authorities}
    assert {tee for way in ways for tee in way.tees} == {tee.value for tee in written.tees}
    assert {value for way in ways for _, value in way.pins} == set(written.launch_measurements)
    assert {way.vmpl for way in ways} == set(written.vmpl)
    for way in ways:
        assert len(way.pins) == 1
        assert way.refuses_debug is not written.allow_debug
        assert way.refuses_migration is not written.allow_migration
        assert dict(way.floors) == written.minimum_tcb.model_dump()


TDX = {"tees": (Tee.TDX,), "minimum_tcb": None}


def test_a_policy_for_trust_domains_breaks_no_rule_and_pins_mrtd() -> None:
    data = encode(compile_policy(policy(**TDX)))
    assert {(way.tees, way.refuses_debug) for way in parse(data)} == {(frozenset({"tdx"}), True)}
    assert rules_broken_by(data) == set()
    assert rules_broken_by(encode(compile_policy(policy(**TDX, allow_debug=True)))) == {"REL-03"}


def test_a_compiled_policy_breaks_no_rule() -> None:
    assert rules_broken_by(encode(compile_policy(policy()))) == set()


def test_the_weakness_that_the_model_offers_trips_a_rule() -> None:
    assert rules_broken_by(encode(compile_policy(policy(allow_debug=True)))) == {"REL-03"}


def test_claims_of_a_vtpm_token_are_the_same_claims() -> None:
    nested = [{**one, "claim": f"x-ms-isolation-tee.{one['claim']}"} for one in STRICT]
    assert rules_broken_by(document([{"authority": AUTHORITY, "allOf": nested}])) == set()


def test_every_alternative_counts_however_deep() -> None:
    weak = {"anyOf": [STRICT[2], {"allOf": [claim("compliance-status", "azure-compliant-cvm")]}]}
    ways = parse(document([{"authority": AUTHORITY, "allOf": [STRICT[0], STRICT[3], {"allOf": [weak]}]}]))
    assert sorted(len(way.pins) for way in ways) == [0, 1]


@pytest.mark.parametrize(
    "condition",
    [
        {"claim": "x-ms-sevsnpvm-launchmeasurement", "notEquals": "aa" * 48},
        {"claim": "x-ms-sevsnpvm-launchmeasurement", "exists": True},
        claim("sevsnpvm-launchmeasurement", "aa" * 47),
        claim("sevsnpvm-launchmeasurement", "zz" * 48),
        claim("sevsnpvm-launchmeasurement", "00" * 48),
        claim("sevsnpvm-hostdata", "00" * 32),
        claim("sevsnpvm-launchmeasurement", 7),
        claim("policy-hash", "aa" * 32),
    ],
)
def test_what_does_not_name_one_workload_is_not_a_pin(condition: dict[str, Any]) -> None:
    assert parse(document([{"authority": AUTHORITY, "allOf": [condition]}]))[0].pins == frozenset()


def document(ways: list[Any], version: str = "1.0.0") -> str:
    """A policy document with these entries, encoded."""
    return release_data({"version": version, "anyOf": ways})


def nested(depth: int) -> dict[str, Any]:
    """A condition below `depth` levels of nesting."""
    return {"allOf": [nested(depth - 1)]} if depth else STRICT[0]


WAY = {"authority": AUTHORITY, "allOf": list(STRICT)}
MALFORMED = {
    "empty": "",
    "not base64url": "{}",
    "standard base64": base64.b64encode(b"\xff\xff\xff\xff").decode(),
    "not text": base64.urlsafe_b64encode(b"\xff\xfe\xfd").decode(),
    "not JSON": release_data("allow all"),
    "deep JSON": release_data("[" * 100_000),
    "a list": release_data([WAY]),
    "another version": document([WAY], version="2.0.0"),
    "no authority": document([]),
    "an authority without conditions": document([{"authority": AUTHORITY}]),
    "an authority with no condition": document([{"authority": AUTHORITY, "allOf": []}]),
    "both kinds of conditions": document([{**WAY, "anyOf": list(STRICT)}]),
    "an authority that is no string": document([{**WAY, "authority": [AUTHORITY]}]),
    "an entry that is no object": document(["allow"]),
    "a word that is not in the grammar": document([{**WAY, "comment": "none"}]),
    "a condition without an operator": document([{"authority": AUTHORITY, "allOf": [{"claim": "a"}]}]),
    "two operators": document([{"authority": AUTHORITY, "allOf": [{"claim": "a", "equals": 1, "less": 2}]}]),
    "a claim that is no string": document([{"authority": AUTHORITY, "allOf": [{"claim": 1, "equals": 1}]}]),
    "a key twice": release_data('{"version":"1.0.0","anyOf":[{"authority":"a","authority":"b","allOf":[]}]}'),
    "a number that JSON does not have": release_data('{"version":"1.0.0","anyOf":NaN}'),
    "too deep": document([{"authority": AUTHORITY, "allOf": [nested(40)]}]),
    "too many alternatives": document(
        [{"authority": AUTHORITY, "allOf": [{"anyOf": [STRICT[0], STRICT[1]]}] * (MOST_WAYS.bit_length() + 1)}]
    ),
}


@pytest.mark.parametrize("data", MALFORMED.values(), ids=MALFORMED.keys())
def test_a_document_that_has_no_single_meaning_is_refused(data: str) -> None:
    with pytest.raises(MalformedDocument):
        parse(data)


def test_a_malformed_document_breaks_rel_01_and_its_message_does_not_quote_it() -> None:
    data = release_data(json.dumps({"version": "1.0.0", "anyOf": [{"authority": "x", "planted-secret": []}]}))
    example = Example("", (but(KEY, {"properties.releasePolicy.data": data}),))
    violations = judge(pack.build(), example).violations
    assert {violation.rule for violation in violations} == {"REL-01"}
    assert "planted" not in violations[0].message
    assert "anyOf[0]: must be an object with exactly: authority, allOf" in violations[0].message


@pytest.mark.parametrize(
    "authority",
    [
        "http://shareddewc.dewc.attest.azure.net",
        "https://shareddewc.dewc.attest.azure.net:8443",
        "https://shareddewc.dewc.attest.azure.net/path",
        "https://shareddewc.dewc.attest.azure.net?x",
        "https://user@shareddewc.dewc.attest.azure.net",
        "https://shareddewc.dewc.attest.azure.net.",
        "https://attest.azure.net",
        "https://dewc.attest.azure.net",
        "https://a.b.dewc.attest.azure.net",
        "https://shareddewc.dewc.attest.azure.us",
        "https://[::1",
        "shareddewc.dewc.attest.azure.net",
        " https://shareddewc.dewc.attest.azure.net",
        "",
    ],
)
def test_only_a_plain_origin_of_a_known_service_is_an_authority(authority: str) -> None:
    assert rules_broken_by(document([{**WAY, "authority": authority}])) == {"REL-02"}


@pytest.mark.parametrize("authority", [AUTHORITY, AUTHORITY + "/", AUTHORITY.upper().replace("HTTPS", "https")])
def test_the_region_s_own_service_is_an_authority_however_it_is_spelled(authority: str) -> None:
    assert rules_broken_by(document([{**WAY, "authority": authority}])) == set()


WORDS = st.sampled_from(
    ["version", "anyOf", "allOf", "authority", "claim", "equals", "exists", "1.0.0", "x-ms-sevsnpvm-vmpl", AUTHORITY]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | WORDS | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=20,
)


@given(
    JSON.map(release_data) | JSON.map(lambda ways: document([{"authority": AUTHORITY, "anyOf": [ways]}])) | st.text()
)
def test_whatever_is_written_is_read_or_refused(data: str) -> None:
    try:
        ways = parse(data)
    except MalformedDocument:
        return
    assert ways
