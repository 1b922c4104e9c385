"""What the components compile is read back as what it was, in every language; and nothing makes a reader stumble."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import catalog
from components.release import Compiled, MinimumTcb, ReleasePolicy, Tee, aws, azure, dsm, gcp, kbs
from components.release.azure import encode
from components.release.trustee import TOKEN
from policies import pack
from policies.examples import KEY, but, release_data
from policies.release.languages import READERS, analyse
from policies.release.model import Flaw, MalformedDocument, Reading
from policies.rule import Example
from policies.testing import judge
from tests.components.release.guests import CHIPS, DIGESTS, IMAGES, SIGNERS, authority

OWN = authority("https://own.dewc.attest.azure.net")
GOOGLE = authority("https://confidentialcomputing.googleapis.com")
POLICY = ReleasePolicy(
    jurisdiction="EU",
    data_class="confidential",
    tees=(Tee.SNP, Tee.TDX),
    launch_measurements=DIGESTS[:2],
    minimum_tcb=MinimumTcb(bootloader=4, tee=0, snp=22, microcode=213),
    authorities=(OWN,),
)
BEHIND_A_PARAVISOR = POLICY.model_copy(update={"vtpm": True})
SNP = POLICY.model_copy(update={"tees": (Tee.SNP,)})
CONTAINERS = POLICY.model_copy(
    update={"tees": (Tee.TDX,), "authorities": (GOOGLE,), "launch_measurements": (), "image_digests": IMAGES[:2]}
)
SIGNED = CONTAINERS.model_copy(update={"image_digests": (), "image_signers": SIGNERS[:2]})
ACCOUNTS = ("a@b.iam.gserviceaccount.com",)
DSM = dsm.Placement("llm", "g", {"k": "MFk="}, dsm.Quorum(("a", "b", "c"), 2))
MEASURED = aws.Caller("arn:aws:iam::123456789012:role/v", "vpc-1", aws.NitroMeasurements(image_sha384=DIGESTS[0]))


def text(compiled: Compiled) -> str:
    """The document as its service takes it."""
    if compiled.target == "azure":
        return encode(compiled)
    return str(compiled.document["policy"]) if compiled.target == "kbs" else json.dumps(compiled.document)


def pins(reading: Reading) -> set[str]:
    """Every value that ties a way to a workload."""
    return {value for way in reading.ways for _, value in way.pins}


GOOD = {
    "azure": (azure.compile_policy(POLICY), DIGESTS[:2]),
    "azure, by signer": (
        azure.compile_policy(SNP.model_copy(update={"launch_signers": DIGESTS[2:3], "launch_measurements": ()})),
        DIGESTS[2:3],
    ),
    "gcp, containers": (gcp.compile_policy(CONTAINERS, service_accounts=ACCOUNTS), IMAGES[:2]),
    "gcp, signers": (gcp.compile_policy(SIGNED, service_accounts=ACCOUNTS), tuple(map(str.lower, SIGNERS[:2]))),
    "gcp, results": (gcp.compile_policy(SNP), DIGESTS[:2]),
    "aws": (aws.compile_policy(POLICY, MEASURED), DIGESTS[:1]),
    "kbs": (
        kbs.compile_policies({"default/key/llm": POLICY.model_copy(update={"confidential_gpu": True})}),
        DIGESTS[:2],
    ),
    "kbs, hardware": (
        kbs.compile_policies({"default/key/llm": SNP.model_copy(update={"hardware": CHIPS, "vmpl": (0, 1)})}),
        DIGESTS[:2],
    ),
    "kbs, up to v0.21": (kbs.compile_policies({"default/key/llm": POLICY}, shape=TOKEN), DIGESTS[:2]),
    "dsm": (dsm.compile_policy(POLICY, DSM), DIGESTS[:2]),
    "kbs, behind a paravisor": (kbs.compile_policies({"a/b/c": BEHIND_A_PARAVISOR}), DIGESTS[:2]),
    "gcp, results behind a paravisor": (
        gcp.compile_policy(BEHIND_A_PARAVISOR.model_copy(update={"tees": (Tee.SNP,)})),
        DIGESTS[:2],
    ),
    "dsm, behind a paravisor": (dsm.compile_policy(BEHIND_A_PARAVISOR, DSM), DIGESTS[:2]),
}


@pytest.mark.parametrize("name", GOOD)
def test_nothing_is_found_against_a_compiled_policy_and_its_pins_are_read_back(name: str) -> None:
    compiled, expected = GOOD[name]
    reading = analyse(compiled.target, text(compiled))
    assert reading.weaknesses == ()
    assert pins(reading) == set(expected)
    assert all(way.tees for way in reading.ways)


def test_the_floors_levels_keys_and_authorities_are_read_back_where_the_language_has_them() -> None:
    for name in ("azure", "kbs", "kbs, behind a paravisor"):
        compiled, _ = GOOD[name]
        found = analyse(compiled.target, text(compiled)).ways
        assert POLICY.minimum_tcb is not None
        assert {tuple(way.floors.items()) for way in found if "snp" in way.tees} == {
            tuple(POLICY.minimum_tcb.model_dump().items())
        }
        assert {way.authority for way in found} == {OWN.uri}
        assert {way.vmpl for way in found if "snp" in way.tees} == {0}
    compiled, _ = GOOD["kbs, hardware"]
    assert {(way.resource, way.vmpl) for way in analyse("kbs", text(compiled)).ways} == {
        ("default/key/llm", 0),
        ("default/key/llm", 1),
    }


@pytest.mark.parametrize(
    "name", [name for name in GOOD if name != "aws" and "dsm" not in name and "results" not in name]
)
def test_the_weakness_that_the_model_offers_is_found(name: str) -> None:
    compiled, _ = GOOD[name]
    weak = {
        "azure": lambda: azure.compile_policy(POLICY.model_copy(update={"allow_debug": True})),
        "kbs": lambda: kbs.compile_policies({"a/b/c": POLICY.model_copy(update={"allow_debug": True})}),
        "gcp": lambda: gcp.compile_policy(
            CONTAINERS.model_copy(update={"allow_debug": True}), service_accounts=ACCOUNTS
        ),
    }[compiled.target]()
    assert {weakness.flaw for weakness in analyse(weak.target, text(weak)).weaknesses} == {Flaw.DEBUGGABLE}


def shared_authorities() -> list[str]:
    """The attestation service that each region of the cloud shares, as a public sample lists them."""
    hosts = [region.attestation_host for region in catalog.load().regions(cloud="azure")]
    return [f"https://{host}" for host in hosts if host]


def test_a_sample_that_trusts_every_region_and_any_compliant_machine_is_found() -> None:
    conditions = [
        {"claim": "x-ms-attestation-type", "equals": "sevsnpvm"},
        {"claim": "x-ms-compliance-status", "equals": "azure-compliant-cvm"},
    ]
    named = shared_authorities()
    ways = [{"authority": uri, "allOf": conditions} for uri in named]
    sample = release_data({"version": "1.0.0", "anyOf": ways})
    reading = analyse("azure", sample)
    assert len(named) > 20
    assert len(reading.of(Flaw.NO_WORKLOAD)) == len(reading.of(Flaw.DEBUGGABLE)) == len(named)
    (rule,) = pack.select(["REL-02"])
    key = but(KEY, {"properties.releasePolicy.data": sample})
    refused = {
        one.message.partition("].authority")[0] for one in judge(list(rule.policies()), Example("", (key,))).violations
    }
    facts = catalog.load()
    inside = {
        region.attestation_host for region in facts.regions(cloud="azure") if facts.within(region.jurisdiction, "DE")
    }
    here = [uri for uri in named if uri.removeprefix("https://") in inside]
    assert len(refused) == len(named) - len(here)
    assert 0 < len(here) < 5


def test_every_target_has_a_reader() -> None:
    assert set(READERS) == {compiled.target for compiled, _ in GOOD.values()}


VOCABULARY = """Statement Effect Allow Action kms:* Principal AWS * Condition StringEquals Bool NotAction
issuer attributeCondition attributeMapping members binding attribute values assertion.a=='b'
app group key credential signedjwt valid_issuers signing_keys kind add_groups approval_policy quorum n
protect_permissions key_ops group_id version anyOf 1.0.0 private_claims_policy definition value"""
WORDS = st.sampled_from(VOCABULARY.split())
DOCUMENT = st.recursive(
    st.none() | st.booleans() | st.integers() | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=6),
    max_leaves=30,
)
SHAPES: dict[str, st.SearchStrategy[Any]] = {
    "aws": st.fixed_dictionaries(
        {"Statement": st.fixed_dictionaries({"Effect": st.just("Allow"), "Action": st.just("kms:*")}, optional={
            "Principal": DOCUMENT, "Condition": DOCUMENT, "NotAction": DOCUMENT})}
    ),
    "dsm": st.fixed_dictionaries({
        "app": st.fixed_dictionaries({"credential": DOCUMENT, "add_groups": st.just({"g": ["DECRYPT"]}) | DOCUMENT}),
        "group": st.fixed_dictionaries({"approval_policy": DOCUMENT}),
        "key": st.fixed_dictionaries({"group_id": st.just("g") | DOCUMENT, "key_ops": DOCUMENT}),
    }),
    "gcp": st.fixed_dictionaries(
        {"issuer": WORDS, "attributeCondition": WORDS, "attributeMapping": DOCUMENT, "binding": DOCUMENT}
    ),
}  # fmt: skip
REGO = 'allow if { } ( ) [ ] := == in . input data x "y" 1 else not some with ; , contains default true'
SOURCE = st.lists(st.sampled_from(["\n", *REGO.split()]), max_size=25).map(
    lambda words: "package policy\n" + " ".join(words)
)


@settings(deadline=None, max_examples=200)
@given(data=st.data(), language=st.sampled_from(sorted(READERS)))
def test_whatever_is_written_is_read_or_refused(data: st.DataObject, language: str) -> None:
    document = DOCUMENT | SHAPES[language] if language in SHAPES else DOCUMENT
    source = data.draw(SOURCE if language == "kbs" else st.text(max_size=20) | document.map(json.dumps))
    try:
        reading = analyse(language, source)
    except MalformedDocument:
        return
    assert all(way.path for way in reading.ways)
