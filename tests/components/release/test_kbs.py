"""The compiler to Trustee's resource policy: one reviewed text, and any policy against a Rego engine."""

import base64
import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from regopy import Interpreter

from components.release import Authority, Compiled, MinimumTcb, ReleasePolicy, ReleasePolicyError, Tee
from components.release.kbs import compile_policies, encode
from components.release.trustee import TOKEN, TRUST_CONTEXT, Shape

GOLDEN = Path(__file__).parent / "golden" / "kbs.rego"
PATH = "default/model-key/llm"
OWN = Authority(uri="http://verifier.example:8443", jurisdiction="DE")
OTHER = Authority(uri="https://second.example", jurisdiction="DE")
POLICY = ReleasePolicy(
    jurisdiction="DE",
    data_class="confidential",
    tees=(Tee.SNP, Tee.TDX),
    launch_measurements=("aa" * 48, "bb" * 48),
    minimum_tcb=MinimumTcb(bootloader=4, tee=0, snp=22, microcode=213),
    authorities=(OWN,),
)
SNP: dict[str, Any] = {
    "measurement": "aa" * 48,
    "vmpl": 0,
    "policy": {"debug_allowed": False, "migrate_ma_allowed": False},
    "reported_tcb": {"bootloader": 4, "tee": 0, "snp": 22, "microcode": 213},
}
AZURE_SNP: dict[str, Any] = {
    "measurement": base64.b64encode(b"\xaa" * 48).decode(),
    "policy_debug_allowed": "false",
    "policy_migrate_ma": "false",
    **{f"reported_tcb_{part}": str(version) for part, version in SNP["reported_tcb"].items()},
}
TDX = {"quote": {"body": {"mr_td": "bb" * 48}}, "td_attributes": {"debug": False}, "tcb_status": "UpToDate"}
SVN = st.one_of(st.integers(0, 255), st.sampled_from(["0", "255", None, True, [], {}]))
FLAG = st.sampled_from([True, False, "false", None])
MEASUREMENT = st.sampled_from([digit * 96 for digit in "abcd"])


def trust(evidence: dict[str, Any], **summary: Any) -> dict[str, Any]:
    """What Trustee hands to its policy about a guest whose evidence it affirmed."""
    cpu = {"ear.status": "affirming", "ear.veraison.annotated-evidence": evidence}
    claims = {"submods": {"cpu0": cpu}}
    found = {"verification_result": True, "issuer": OWN.uri, "claims": claims, **summary}
    return {"trust_context": {"attestation_summary": found}}


def allows(compiled: Compiled, context: dict[str, Any], path: str = PATH, plugin: str = "resource") -> bool:
    """What a Rego engine answers."""
    rego = Interpreter()
    rego.add_module("policy", compiled.document["policy"])
    rego.add_data({"plugin": plugin, "resource-path": path.split("/"), "query": {}})
    rego.set_input(context)
    (answer,) = json.loads(str(rego.query("allowed := data.policy.allow")))["bindings"].values()
    assert isinstance(answer, bool)
    return answer


def means(policy: ReleasePolicy, issuer: str, evidence: dict[str, Any]) -> bool:
    """What the policy says of evidence, straight from its fields, but for what is listed as not expressible."""
    if issuer not in {authority.uri for authority in policy.authorities}:
        return False
    snp, tdx = evidence.get("snp", {}).get("evidence"), evidence.get("tdx")
    return (Tee.SNP in policy.tees and snp is not None and _means_snp(policy, snp)) or (
        Tee.TDX in policy.tees and tdx is not None and _means_tdx(policy, tdx)
    )


def _means_snp(policy: ReleasePolicy, snp: dict[str, Any]) -> bool:
    floor = policy.minimum_tcb
    assert floor is not None
    return (
        snp["measurement"] in policy.launch_measurements
        and type(snp["vmpl"]) is int
        and snp["vmpl"] in policy.vmpl
        and (policy.allow_debug or snp["policy"]["debug_allowed"] is False)
        and (policy.allow_migration or snp["policy"]["migrate_ma_allowed"] is False)
        and all(
            type(snp["reported_tcb"][part]) is int and snp["reported_tcb"][part] >= value
            for part, value in floor.model_dump().items()
        )
    )


def _means_tdx(policy: ReleasePolicy, tdx: dict[str, Any]) -> bool:
    return (
        tdx["quote"]["body"]["mr_td"] in policy.launch_measurements
        and (policy.allow_debug or tdx["td_attributes"]["debug"] is False)
        and tdx["tcb_status"] == "UpToDate"
    )


POLICIES = st.builds(
    lambda **fields: POLICY.model_copy(update=fields),
    tees=st.sampled_from([(Tee.SNP,), (Tee.TDX,), (Tee.SNP, Tee.TDX)]),
    launch_measurements=st.lists(MEASUREMENT, min_size=1, max_size=2, unique=True).map(tuple),
    minimum_tcb=st.builds(
        MinimumTcb, bootloader=st.integers(0, 5), tee=st.just(0), snp=st.integers(0, 30), microcode=st.integers(0, 255)
    ),
    authorities=st.sampled_from([(OWN,), (OTHER,), (OWN, OTHER)]),
    allow_debug=st.booleans(),
    allow_migration=st.booleans(),
)
EVIDENCE = st.one_of(
    st.fixed_dictionaries(
        {
            "measurement": MEASUREMENT,
            "vmpl": st.sampled_from([0, 1, False, "0", None]),
            "policy": st.fixed_dictionaries({"debug_allowed": FLAG, "migrate_ma_allowed": FLAG}),
            "reported_tcb": st.fixed_dictionaries({"bootloader": SVN, "tee": SVN, "snp": SVN, "microcode": SVN}),
        }
    ).map(lambda snp: {"snp": {"evidence": snp}}),
    st.fixed_dictionaries(
        {
            "quote": st.fixed_dictionaries({"body": st.fixed_dictionaries({"mr_td": MEASUREMENT})}),
            "td_attributes": st.fixed_dictionaries({"debug": FLAG}),
            "tcb_status": st.sampled_from(["UpToDate", "OutOfDate", None]),
        }
    ).map(lambda tdx: {"tdx": tdx}),
)


def test_the_text_is_the_reviewed_one() -> None:
    assert compile_policies({PATH: POLICY}).document["policy"] == GOLDEN.read_text(encoding="utf-8")


@settings(deadline=None)
@given(policy=POLICIES, issuer=st.sampled_from([OWN.uri, OTHER.uri, "https://else.example"]), evidence=EVIDENCE)
def test_a_rego_engine_allows_what_the_policy_means_and_nothing_else(
    policy: ReleasePolicy, issuer: str, evidence: dict[str, Any]
) -> None:
    compiled = compile_policies({PATH: policy})
    assert allows(compiled, trust(evidence, issuer=issuer)) == means(policy, issuer, evidence)


@settings(deadline=None)
@given(policy=POLICIES, part=st.sampled_from(sorted(SNP["reported_tcb"])), svn=SVN, debug=FLAG)
def test_whom_it_means_gets_it(policy: ReleasePolicy, part: str, svn: Any, debug: Any) -> None:
    """The test above rarely draws evidence that satisfies a policy; here all but two fields do."""
    floor = policy.minimum_tcb
    assert floor is not None
    snp = {
        "measurement": policy.launch_measurements[-1],
        "vmpl": policy.vmpl[-1],
        "policy": {"debug_allowed": debug, "migrate_ma_allowed": False},
        "reported_tcb": {**floor.model_dump(), part: svn},
    }
    evidence, issuer = {"snp": {"evidence": snp}}, policy.authorities[-1].uri
    assert allows(compile_policies({PATH: policy}), trust(evidence, issuer=issuer)) == means(policy, issuer, evidence)


def test_what_is_no_number_is_never_new_enough_however_rego_orders_it() -> None:
    compiled = compile_policies({PATH: POLICY})
    for svn in ("255", True, None, [], {}, [255]):
        snp = SNP | {"reported_tcb": {"bootloader": 4, "tee": 0, "snp": svn, "microcode": 213}}
        assert not allows(compiled, trust({"snp": {"evidence": snp}})), svn


GENUINE = {"snp": {"evidence": SNP}, "tdx": TDX, "az-snp-vtpm": AZURE_SNP, "az-tdx-vtpm": TDX}


@pytest.mark.parametrize("shape", [TRUST_CONTEXT, TOKEN], ids=["trust context", "token"])
@pytest.mark.parametrize("kind", [kind for kind in GENUINE if kind != "snp"])
def test_a_genuine_guest_gets_the_key_and_where_a_vtpm_is_demanded_only_behind_a_paravisor(
    kind: str, shape: Shape
) -> None:
    context = trust({kind: GENUINE[kind]}) | {"iss": OWN.uri}
    context |= context["trust_context"]["attestation_summary"]["claims"]
    assert allows(compile_policies({PATH: POLICY}, shape=shape), context)
    demanding = compile_policies({PATH: POLICY.model_copy(update={"vtpm": True})}, shape=shape)
    assert allows(demanding, context) is kind.startswith("az-")


def test_a_bare_report_gets_the_key_unless_a_vtpm_is_demanded() -> None:
    bare = trust({"snp": {"evidence": SNP}})
    assert allows(compile_policies({PATH: POLICY}), bare)
    assert not allows(compile_policies({PATH: POLICY.model_copy(update={"vtpm": True})}), bare)


@pytest.mark.parametrize(
    ("claim", "value"),
    [
        ("measurement", "aa" * 48),
        ("policy_debug_allowed", "true"),
        ("policy_migrate_ma", False),
        ("reported_tcb_snp", "21"),
        ("reported_tcb_snp", "many"),
        ("reported_tcb_snp", 22),
        ("reported_tcb_microcode", None),
    ],
)
def test_of_azure_s_texts_each_one_counts(claim: str, value: Any) -> None:
    assert not allows(compile_policies({PATH: POLICY}), trust({"az-snp-vtpm": AZURE_SNP | {claim: value}}))


@pytest.mark.parametrize("asked", [{"launch_signers": ("dd" * 48,)}, {"hardware": ("ee" * 64,)}, {"vmpl": (1,)}])
def test_what_azure_s_texts_lack_gives_their_guests_nothing_unless_they_are_demanded(asked: dict[str, Any]) -> None:
    policy = POLICY.model_copy(update=asked)
    either, demanding = (compile_policies({PATH: policy.model_copy(update={"vtpm": vtpm})}) for vtpm in (False, True))
    assert not allows(either, trust({"az-snp-vtpm": AZURE_SNP}))
    assert "such a guest gets nothing" in {one.condition: one.reason for one in either.cannot_express}["vtpm"]
    assert next(iter(asked)) in [one.condition for one in demanding.cannot_express]


@pytest.mark.parametrize(
    "change",
    [
        {"verification_result": False},
        {"verification_result": "true"},
        {"issuer": "https://else.example"},
        {"claims": {}},
        {"claims": {"submods": {"cpu0": {"ear.status": "affirming"}}}},
        {"claims": {"submods": {"cpu0": {"ear.status": "warning", "ear.veraison.annotated-evidence": {"tdx": TDX}}}}},
        {"claims": {"submods": {"gpu0": {"ear.status": "affirming", "ear.veraison.annotated-evidence": {"tdx": TDX}}}}},
    ],
)
def test_what_trustee_did_not_affirm_gets_nothing(change: dict[str, Any]) -> None:
    assert not allows(compile_policies({PATH: POLICY}), trust({"tdx": TDX}, **change))


@pytest.mark.parametrize(
    "path",
    [
        ("measurement",),
        ("vmpl",),
        ("policy", "debug_allowed"),
        ("policy", "migrate_ma_allowed"),
        ("reported_tcb", "snp"),
    ],
)
def test_evidence_that_lacks_a_field_gets_nothing(path: tuple[str, ...]) -> None:
    snp = copy.deepcopy(SNP)
    place: Any = snp
    for step in path[:-1]:
        place = place[step]
    del place[path[-1]]
    assert not allows(compile_policies({PATH: POLICY}), trust({"snp": {"evidence": snp}}))


def test_each_key_has_its_own_policy_and_others_have_none() -> None:
    compiled = compile_policies(
        {PATH: POLICY, "default/model-key/other": POLICY.model_copy(update={"launch_measurements": ("cc" * 48,)})}
    )
    context = trust({"snp": {"evidence": SNP}})
    assert allows(compiled, context)
    for path in ("default/model-key/other", "default/model-key/absent", "default/model-key", f"{PATH}/more"):
        assert not allows(compiled, context, path)
    assert not allows(compiled, context, plugin="pkcs11")


def test_what_cannot_be_said_is_listed() -> None:
    said = [one.condition for one in compile_policies({PATH: POLICY}).cannot_express]
    assert said == ["vmpl", "allow_migration", "max_token_seconds", "data_class"]
    only_snp = compile_policies({PATH: POLICY.model_copy(update={"tees": (Tee.SNP,)})})
    assert "allow_migration" not in [one.condition for one in only_snp.cannot_express]


def test_an_authority_abroad_and_a_path_that_is_none_are_refused() -> None:
    foreign = POLICY.model_copy(update={"authorities": (Authority(uri="https://v.example", jurisdiction="US"),)})
    with pytest.raises(ReleasePolicyError, match="authority outside DE"):
        compile_policies({PATH: foreign})
    with pytest.raises(ReleasePolicyError, match="is no KBS path"):
        compile_policies({"model-key/llm": POLICY})


def test_the_body_is_what_the_broker_takes() -> None:
    compiled = compile_policies({PATH: POLICY})
    text = json.loads(encode(compiled))["policy"]
    assert "=" not in text
    assert base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode() == compiled.document["policy"]
