"""The compiler to Azure's grammar: one reviewed document, and any policy against the evaluator."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.release import Authority, MinimumTcb, ReleasePolicy, ReleasePolicyError, Tee
from components.release.azure import compile_policy, encode
from tests.components.release.secure_key_release import releases

GOLDEN = Path(__file__).parent / "golden" / "azure.json"
OWN = Authority(uri="https://own.dewc.attest.azure.net", jurisdiction="DE")
SHARED = Authority(uri="https://shareddewc.dewc.attest.azure.net", jurisdiction="DE")
POLICY = ReleasePolicy(
    jurisdiction="DE",
    data_class="confidential",
    tees=(Tee.SNP,),
    launch_measurements=("aa" * 48, "bb" * 48),
    minimum_tcb=MinimumTcb(bootloader=4, tee=0, snp=22, microcode=213),
    authorities=(OWN, SHARED),
)
GENUINE: dict[str, Any] = {
    "x-ms-attestation-type": "sevsnpvm",
    "x-ms-compliance-status": "azure-compliant-cvm",
    "x-ms-sevsnpvm-launchmeasurement": "aa" * 48,
    "x-ms-sevsnpvm-vmpl": 0,
    "x-ms-sevsnpvm-is-debuggable": False,
    "x-ms-sevsnpvm-migration-allowed": False,
    "x-ms-sevsnpvm-bootloader-svn": 4,
    "x-ms-sevsnpvm-tee-svn": 0,
    "x-ms-sevsnpvm-snpfw-svn": 22,
    "x-ms-sevsnpvm-microcode-svn": 213,
}
SVN = st.integers(0, 255)
MEASUREMENTS = st.sampled_from([digit * 96 for digit in "abcdef"])


def _policy(**fields: Any) -> ReleasePolicy:
    """By field name: `st.builds` would read the model's signature, which has the aliases."""
    return POLICY.model_copy(update=fields)


POLICIES = st.builds(
    _policy,
    tees=st.sampled_from([(Tee.SNP,), (Tee.TDX,), (Tee.SNP, Tee.TDX)]),
    launch_measurements=st.lists(MEASUREMENTS, min_size=1, max_size=3, unique=True).map(tuple),
    minimum_tcb=st.builds(MinimumTcb, bootloader=SVN, tee=SVN, snp=SVN, microcode=SVN),
    authorities=st.sampled_from([(OWN,), (SHARED,), (OWN, SHARED)]),
    vmpl=st.lists(st.integers(0, 3), min_size=1, max_size=4, unique=True).map(tuple),
    allow_debug=st.booleans(),
    allow_migration=st.booleans(),
)
GENUINE_TDX: dict[str, Any] = {
    "x-ms-attestation-type": "tdxvm",
    "x-ms-compliance-status": "azure-compliant-cvm",
    "tdx_mrtd": "aa" * 48,
    "attester_tcb_status": "UpToDate",
    "tdx_td_attributes_debug": False,
}
TOKENS = st.fixed_dictionaries(
    {
        "tdx_mrtd": MEASUREMENTS,
        "attester_tcb_status": st.sampled_from(["UpToDate", "OutOfDate"]),
        "tdx_td_attributes_debug": st.booleans(),
        "x-ms-attestation-type": st.sampled_from(["sevsnpvm", "tdxvm", "sgx"]),
        "x-ms-compliance-status": st.sampled_from(["azure-compliant-cvm", "none"]),
        "x-ms-sevsnpvm-launchmeasurement": MEASUREMENTS,
        "x-ms-sevsnpvm-vmpl": st.integers(0, 3),
        "x-ms-sevsnpvm-is-debuggable": st.booleans(),
        "x-ms-sevsnpvm-migration-allowed": st.booleans(),
        "x-ms-sevsnpvm-bootloader-svn": SVN,
        "x-ms-sevsnpvm-tee-svn": SVN,
        "x-ms-sevsnpvm-snpfw-svn": SVN,
        "x-ms-sevsnpvm-microcode-svn": SVN,
    }
)


def _means(policy: ReleasePolicy, issuer: str, token: dict[str, Any]) -> bool:
    """What the policy says of a token, straight from its fields."""
    return (
        issuer in {authority.uri for authority in policy.authorities}
        and token["x-ms-compliance-status"] == "azure-compliant-cvm"
        and (
            (Tee.SNP in policy.tees and _is_snp_guest(policy, token))
            or (Tee.TDX in policy.tees and _is_trust_domain(policy, token))
        )
    )


def _is_snp_guest(policy: ReleasePolicy, token: dict[str, Any]) -> bool:
    floor = policy.minimum_tcb
    return (
        token["x-ms-attestation-type"] == "sevsnpvm"
        and token["x-ms-sevsnpvm-launchmeasurement"] in policy.launch_measurements
        and token["x-ms-sevsnpvm-vmpl"] in policy.vmpl
        and (policy.allow_debug or not token["x-ms-sevsnpvm-is-debuggable"])
        and (policy.allow_migration or not token["x-ms-sevsnpvm-migration-allowed"])
        and token["x-ms-sevsnpvm-bootloader-svn"] >= floor.bootloader
        and token["x-ms-sevsnpvm-tee-svn"] >= floor.tee
        and token["x-ms-sevsnpvm-snpfw-svn"] >= floor.snp
        and token["x-ms-sevsnpvm-microcode-svn"] >= floor.microcode
    )


def _is_trust_domain(policy: ReleasePolicy, token: dict[str, Any]) -> bool:
    return (
        token["x-ms-attestation-type"] == "tdxvm"
        and token["tdx_mrtd"] in policy.launch_measurements
        and token["attester_tcb_status"] == "UpToDate"
        and (policy.allow_debug or not token["tdx_td_attributes_debug"])
    )


def test_the_document_is_the_reviewed_one() -> None:
    assert compile_policy(POLICY).document == json.loads(GOLDEN.read_text(encoding="utf-8"))


@given(policy=POLICIES, issuer=st.sampled_from([OWN.uri, SHARED.uri, "https://elsewhere.example"]), token=TOKENS)
def test_any_policy_releases_to_whom_it_says(policy: ReleasePolicy, issuer: str, token: dict[str, Any]) -> None:
    document = compile_policy(policy).document
    assert releases(document, issuer=issuer, claims=token) == _means(policy, issuer, token)


@given(policy=POLICIES, issuer=st.sampled_from([OWN.uri, SHARED.uri]), token=TOKENS)
def test_whom_it_says_gets_it(policy: ReleasePolicy, issuer: str, token: dict[str, Any]) -> None:
    """The test above rarely draws a token that satisfies a policy; this one makes each satisfy all but the issuer."""
    floor = policy.minimum_tcb
    policy = policy.model_copy(update={"tees": (Tee.SNP, *policy.tees)})
    token |= {
        "x-ms-attestation-type": "sevsnpvm",
        "x-ms-compliance-status": "azure-compliant-cvm",
        "x-ms-sevsnpvm-launchmeasurement": policy.launch_measurements[-1],
        "x-ms-sevsnpvm-vmpl": policy.vmpl[-1],
        "x-ms-sevsnpvm-is-debuggable": token["x-ms-sevsnpvm-is-debuggable"] and policy.allow_debug,
        "x-ms-sevsnpvm-migration-allowed": token["x-ms-sevsnpvm-migration-allowed"] and policy.allow_migration,
        "x-ms-sevsnpvm-bootloader-svn": floor.bootloader,
        "x-ms-sevsnpvm-tee-svn": floor.tee,
        "x-ms-sevsnpvm-snpfw-svn": floor.snp,
        "x-ms-sevsnpvm-microcode-svn": floor.microcode,
    }
    named = issuer in {authority.uri for authority in policy.authorities}
    assert releases(compile_policy(policy).document, issuer=issuer, claims=token) == named


def test_a_genuine_guest_gets_the_key() -> None:
    assert releases(compile_policy(POLICY).document, issuer=OWN.uri, claims=GENUINE)


@pytest.mark.parametrize("claim", sorted(GENUINE))
def test_a_token_that_lacks_a_claim_gets_nothing(claim: str) -> None:
    token = {key: value for key, value in GENUINE.items() if key != claim}
    assert not releases(compile_policy(POLICY).document, issuer=OWN.uri, claims=token)


TDX_POLICY = POLICY.model_copy(update={"tees": (Tee.TDX,), "minimum_tcb": None})


def test_a_genuine_trust_domain_gets_the_key_of_a_policy_that_names_tdx() -> None:
    assert releases(compile_policy(TDX_POLICY).document, issuer=OWN.uri, claims=GENUINE_TDX)
    assert not releases(compile_policy(TDX_POLICY).document, issuer=OWN.uri, claims=GENUINE)
    assert not releases(compile_policy(POLICY).document, issuer=OWN.uri, claims=GENUINE_TDX)


@pytest.mark.parametrize("claim", sorted(GENUINE_TDX))
def test_a_trust_domain_whose_token_lacks_a_claim_gets_nothing(claim: str) -> None:
    token = {key: value for key, value in GENUINE_TDX.items() if key != claim}
    assert not releases(compile_policy(TDX_POLICY).document, issuer=OWN.uri, claims=token)


def test_what_cannot_be_said_is_listed() -> None:
    assert [one.condition for one in compile_policy(POLICY).cannot_express] == ["max_token_seconds", "data_class"]
    assert [one.condition for one in compile_policy(TDX_POLICY).cannot_express] == [
        "vmpl",
        "allow_migration",
        "max_token_seconds",
        "data_class",
    ]


@pytest.mark.parametrize(
    ("authority", "problem"),
    [
        (Authority(uri="https://sharedweu.weu.attest.azure.net", jurisdiction="NL"), "authority outside DE"),
        (Authority(uri="http://verifier.example", jurisdiction="DE"), "Azure believes https authorities only"),
    ],
)
def test_an_authority_that_weakens_it_is_refused(authority: Authority, problem: str) -> None:
    with pytest.raises(ReleasePolicyError, match=problem):
        compile_policy(POLICY.model_copy(update={"authorities": (authority,)}))


def test_the_encoding_is_canonical_base64url() -> None:
    data = encode(compile_policy(POLICY))
    assert set(data) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
    text = base64.urlsafe_b64decode(data + "=" * (-len(data) % 4)).decode()
    assert json.loads(text) == compile_policy(POLICY).document
    assert text == json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"))
