"""Every target, any policy, any guest: what is compiled never allows what the policy denies, and allows what it allows.

Each compiled document is judged by an evaluator of its own language: Google's CEL, a Rego engine, and small evaluators
of Azure's grammar, of Fortanix DSM's sign-in and of IAM.
"""

import base64
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest
from cel_expr_python import cel  # type: ignore[import-untyped]
from hypothesis import given, settings
from hypothesis import strategies as st

from components.release import (
    Compiled,
    MinimumTcb,
    ReleasePolicy,
    ReleasePolicyError,
    SnpProduct,
    Tee,
    aws,
    azure,
    dsm,
    kbs,
)
from components.release import gcp as google
from components.release.trustee import TOKEN
from tests.components.release import key_policy, secure_key_release, security_manager
from tests.components.release.guests import CHIPS, DIGESTS, IMAGES, PARTS, SIGNERS, Guest, authority, cases, means
from tests.components.release.test_kbs import PATH, allows, trust

OWN, SECOND = authority("https://verifier.example"), authority("https://second.example")
GOOGLE = authority("https://confidentialcomputing.googleapis.com")
ACCOUNT = "workload@project.iam.gserviceaccount.com"
POLICY = ReleasePolicy(
    jurisdiction="EU",
    data_class="confidential",
    tees=(Tee.SNP, Tee.TDX),
    launch_measurements=DIGESTS[:1],
    minimum_tcb=MinimumTcb(bootloader=1, tee=0, snp=1, microcode=1),
    authorities=(OWN, SECOND),
)
DSM = dsm.Placement("model-llm", "8f2c", {"k1": "MFk="}, dsm.Quorum(("a", "b", "c"), 2))
CALLER = aws.Caller("arn:aws:iam::1:role/verifier", "vpc-1")
NOW = 1_000


@dataclass(frozen=True)
class Target:
    """One target: how a policy is compiled to it, and whether its service then lets a guest have the key."""

    compile: Callable[[ReleasePolicy], Compiled]
    releases: Callable[[dict[str, Any], Guest], bool]
    base: ReleasePolicy = POLICY


def azure_releases(document: dict[str, Any], guest: Guest) -> bool:
    snp = {f"x-ms-sevsnpvm-{part}-svn": guest.tcb[part] for part in ("bootloader", "tee", "microcode")} | {
        "x-ms-attestation-type": "sevsnpvm",
        "x-ms-sevsnpvm-snpfw-svn": guest.tcb["snp"],
        "x-ms-sevsnpvm-launchmeasurement": guest.measurement,
        "x-ms-sevsnpvm-idkeydigest": guest.id_key,
        "x-ms-sevsnpvm-vmpl": guest.vmpl,
        "x-ms-sevsnpvm-is-debuggable": guest.debug,
        "x-ms-sevsnpvm-migration-allowed": guest.migration,
    }
    tdx = {
        "x-ms-attestation-type": "tdxvm",
        "tdx_mrtd": guest.measurement,
        "attester_tcb_status": guest.tcb_status,
        "tdx_td_attributes_debug": guest.debug,
    }
    claims = {"x-ms-compliance-status": "azure-compliant-cvm", **(snp if guest.tee is Tee.SNP else tdx)}
    return secure_key_release.releases(document, issuer=guest.issuer, claims=claims)


def result_of(guest: Guest) -> dict[str, Any]:
    """An attestation result, from a verifier that has not judged debugging, migration or firmware by itself."""
    snp = {"measurement": guest.measurement, "id_key_digest": guest.id_key, "vmpl": guest.vmpl, "chip_id": guest.chip}
    tdx = {"mr_td": guest.measurement, "tcb_status": guest.tcb_status}
    cpu = {"ear.veraison.annotated-evidence": snp if guest.tee is Tee.SNP else tdx}
    status = {"on": "affirming", "off": "contraindicated", "devtools": "contraindicated"}
    gpus = {"gpu0": {"ear.status": status[guest.gpu]}} if guest.gpu in status else {}
    return {
        "iss": guest.issuer,
        "sub": "guest",
        "iat": NOW - 1,
        "exp": NOW - 1 + guest.token_seconds,
        "ear.status": "affirming",
        "tee": f"az-{guest.tee}-vtpm" if guest.paravisor else guest.tee.value,
        "submods": {"cpu": cpu, **gpus},
    }


def confidential_space_token(guest: Guest, **changes: Any) -> dict[str, Any]:
    """A token of Google Cloud Attestation."""
    algorithm, key_id = guest.image_signer.split(":")
    submods: dict[str, Any] = {
        "container": {
            "image_digest": guest.image,
            "image_signatures": [{"signature_algorithm": algorithm, "key_id": key_id, "signature": "…"}],
        },
        "confidential_space": {"support_attributes": ["STABLE", "USABLE"]},
        "gce": {"zone": "europe-west4-a"},
        **({"nvidia_gpu": {"cc_mode": guest.gpu.upper()}} if guest.gpu != "none" else {}),
    }
    return {
        "sub": "guest",
        "swname": "CONFIDENTIAL_SPACE",
        "hwmodel": "GCP_INTEL_TDX" if guest.tee is Tee.TDX else "GCP_AMD_SEV",
        "dbgstat": "enabled" if guest.debug else "disabled-since-boot",
        "google_service_accounts": [ACCOUNT],
        "submods": submods,
        **changes,
    }


def pool_releases(document: dict[str, Any], issuer: str, claims: dict[str, Any]) -> bool:
    """What a workload identity pool and the binding on the key let a token do, by Google's own CEL."""
    binding = document["binding"]
    found = _evaluate(document["attributeMapping"][f"attribute.{binding['attribute']}"], claims)
    condition = _evaluate(document["attributeCondition"], claims)
    return issuer == document["issuer"] and condition is True and found in binding["values"]


ENVIRONMENT = cel.NewEnv(variables={"assertion": cel.Type.DYN})


def _evaluate(expression: str, claims: dict[str, Any]) -> Any:
    """The value, as plain Python while the expression that owns it lives; None where CEL finds an error."""
    compiled = ENVIRONMENT.compile(expression)
    value = compiled.eval(data={"assertion": claims})
    return None if value.type() == cel.Type.ERROR else value.plain_value()


def kbs_releases(document: dict[str, Any], guest: Guest) -> bool:
    snp = {
        "generation": guest.product.value,
        "evidence": {
            "measurement": guest.measurement,
            "id_key_digest": guest.id_key,
            "chip_id": guest.chip,
            "vmpl": guest.vmpl,
            "policy": {"debug_allowed": guest.debug, "migrate_ma_allowed": guest.migration},
            "reported_tcb": guest.tcb,
        },
    }
    context = trust(
        _behind_paravisor(guest) or ({"snp": snp} if guest.tee is Tee.SNP else {"tdx": _td(guest)}), issuer=guest.issuer
    )
    context["trust_context"]["attestation_summary"]["claims"]["submods"] |= _gpus(guest)
    return allows(Compiled("kbs", document, ()), context)


def old_kbs_releases(document: dict[str, Any], guest: Guest) -> bool:
    """Trustee v0.21 itself refuses reports of another privilege level than 0, and states none."""
    snp = {
        "measurement": guest.measurement,
        "chip_id": guest.chip,
        "policy_debug_allowed": guest.debug,
        "policy_migrate_ma": guest.migration,
        **{f"reported_tcb_{part}": version for part, version in guest.tcb.items()},
    }
    evidence = _behind_paravisor(guest) or ({"snp": snp} if guest.tee is Tee.SNP else {"tdx": _td(guest)})
    cpu = {"ear.status": "affirming", "ear.veraison.annotated-evidence": evidence}
    return allows(Compiled("kbs", document, ()), {"iss": guest.issuer, "submods": {"cpu0": cpu, **_gpus(guest)}})


def _behind_paravisor(guest: Guest) -> dict[str, Any]:
    """What Trustee says of Azure's guests, whose reports are all of VMPL 0; nothing of others."""
    if not guest.paravisor:
        return {}
    if guest.tee is Tee.TDX:
        return {"az-tdx-vtpm": _td(guest)}
    if guest.vmpl != 0:
        return {"none": {}}
    snp = {
        "measurement": base64.b64encode(bytes.fromhex(guest.measurement)).decode(),
        "policy_debug_allowed": str(guest.debug).lower(),
        "policy_migrate_ma": str(guest.migration).lower(),
        **{f"reported_tcb_{part}": str(version) for part, version in guest.tcb.items()},
    }
    return {"az-snp-vtpm": snp}


def _td(guest: Guest) -> dict[str, Any]:
    return {
        "quote": {"body": {"mr_td": guest.measurement}},
        "td_attributes": {"debug": guest.debug},
        "tcb_status": guest.tcb_status,
    }


def _gpus(guest: Guest) -> dict[str, Any]:
    """What Trustee says of a GPU whose claims are NVIDIA's own."""
    if guest.gpu == "none":
        return {}
    debug = "enabled" if guest.gpu == "devtools" else "disabled"
    status = "contraindicated" if guest.gpu == "off" else "affirming"
    evidence = {"nvidia": {"secboot": True, "dbgstat": debug}}
    return {"gpu0": {"ear.status": status, "ear.veraison.annotated-evidence": evidence}}


def _single(policy: ReleasePolicy, **changes: Any) -> ReleasePolicy:
    return policy.model_copy(update=changes)


TARGETS = {
    "azure": Target(azure.compile_policy, azure_releases),
    "gcp, Confidential Space": Target(
        lambda policy: google.compile_policy(policy, service_accounts=(ACCOUNT,)),
        lambda document, guest: pool_releases(document, guest.issuer, confidential_space_token(guest)),
        _single(POLICY, tees=(Tee.TDX,), authorities=(GOOGLE,), image_digests=IMAGES[:1]),
    ),
    "gcp, own verifier": Target(
        google.compile_policy,
        lambda document, guest: pool_releases(document, guest.issuer, result_of(guest)),
        _single(POLICY, tees=(Tee.SNP,), authorities=(OWN,)),
    ),
    "kbs": Target(lambda policy: kbs.compile_policies({PATH: policy}), kbs_releases),
    "kbs, up to v0.21": Target(lambda policy: kbs.compile_policies({PATH: policy}, shape=TOKEN), old_kbs_releases),
    "dsm": Target(
        lambda policy: dsm.compile_policy(policy, DSM),
        lambda document, guest: security_manager.permits(
            document, "DECRYPT", key_id="k1", token=result_of(guest), now=NOW
        ),
    ),
}


@pytest.mark.parametrize("name", TARGETS)
def test_what_is_compiled_never_allows_what_the_policy_denies(name: str) -> None:
    target = TARGETS[name]

    @settings(deadline=None, max_examples=60)
    @given(case=cases(target.base))
    def judge(case: tuple[ReleasePolicy, Guest]) -> None:
        policy, guest = case
        compiled = target.compile(policy)
        lost = {one.condition for one in compiled.cannot_express}
        if target.releases(compiled.document, guest):
            assert means(policy, guest, but=lost)

    judge()


@pytest.mark.parametrize("name", TARGETS)
def test_what_is_compiled_allows_what_the_policy_allows(name: str) -> None:
    """A target that does not learn the product holds every product to the highest floor, and says so."""
    target = TARGETS[name]

    @settings(deadline=None, max_examples=60)
    @given(case=cases(target.base))
    def judge(case: tuple[ReleasePolicy, Guest]) -> None:
        policy, guest = case
        compiled = target.compile(policy)
        if "minimum_tcb_by_product" in {one.condition for one in compiled.cannot_express}:
            policy = _single(policy, minimum_tcb=policy.strictest_tcb(), minimum_tcb_by_product={})
        if means(policy, guest) and not _narrower(name, policy, guest):
            assert target.releases(compiled.document, guest)

    judge()


def _narrower(name: str, policy: ReleasePolicy, guest: Guest) -> bool:
    """Trustee's claims of Azure's SEV-SNP guests state less than others': every product is held to the highest floor,
    and a policy that does not demand a vTPM may give them nothing."""
    on_azure = name.startswith("kbs") and guest.paravisor and guest.tee is Tee.SNP
    floor = policy.strictest_tcb().model_dump()
    low = any(guest.tcb[part] < least for part, least in floor.items())
    return on_azure and (low or guest.vmpl != 0 or not policy.vtpm)


FULL: dict[str, Any] = {
    "launch_measurements": DIGESTS[:1],
    "launch_signers": DIGESTS[:1],
    "image_digests": IMAGES[:1],
    "image_signers": SIGNERS[:1],
    "minimum_tcb": MinimumTcb(bootloader=3, tee=3, snp=3, microcode=3),
    "minimum_tcb_by_product": {SnpProduct.GENOA: MinimumTcb(bootloader=9, tee=9, snp=9, microcode=9)},
    "confidential_gpu": True,
    "hardware": CHIPS[:1],
}
"""Every field is stated, and a guest as `Guest` makes it satisfies it on SEV-SNP."""
WRONG: dict[str, tuple[str, Any]] = {
    "issuer": ("authorities", "https://elsewhere.example"),
    "measurement": ("launch_measurements", DIGESTS[1]),
    "id_key": ("launch_signers", DIGESTS[1]),
    "image": ("image_digests", IMAGES[1]),
    "image_signer": ("image_signers", SIGNERS[1]),
    "product": ("minimum_tcb_by_product", SnpProduct.GENOA),
    "tcb_status": ("minimum_tcb", "OutOfDate"),
    "vmpl": ("vmpl", 1),
    "debug": ("allow_debug", True),
    "migration": ("allow_migration", True),
    "gpu": ("confidential_gpu", "devtools"),
    "paravisor": ("vtpm", True),
    "chip": ("hardware", CHIPS[1]),
    "token_seconds": ("max_token_seconds", 4000),
}
SINGLE = [(name, tee) for name, target in TARGETS.items() for tee in target.base.tees]


@pytest.mark.parametrize(("name", "tee"), SINGLE)
def test_each_thing_that_is_wrong_alone_is_refused_or_listed(name: str, tee: Tee) -> None:
    target = TARGETS[name]
    of_tee: dict[str, Any] = {} if tee is Tee.SNP else {"launch_signers": (), "hardware": (), "minimum_tcb": None}
    policy = _single(target.base, tees=(tee,), **{**FULL, "minimum_tcb_by_product": {}, **of_tee})
    genuine = Guest(target.base.authorities[0].uri, tee=tee)
    compiled = target.compile(policy)
    lost = {one.condition for one in compiled.cannot_express}
    assert target.releases(compiled.document, genuine)
    tcb = [("minimum_tcb", {"tcb": {**genuine.tcb, part: 2}}) for part in genuine.tcb]
    for field, change in [*tcb, *((field, {place: value}) for place, (field, value) in WRONG.items())]:
        guest = replace(genuine, **change)
        if not means(policy, guest):
            assert target.releases(compiled.document, guest) is (field in lost), change


def test_floors_of_products_are_held_or_the_highest_is() -> None:
    policy = _single(POLICY, tees=(Tee.SNP,), **FULL)
    for name, milan in (("kbs", True), ("kbs, up to v0.21", False), ("azure", False)):
        document = TARGETS[name].compile(policy).document
        assert TARGETS[name].releases(document, Guest(OWN.uri)) is milan
        assert not TARGETS[name].releases(document, Guest(OWN.uri, product=SnpProduct.GENOA))
        assert TARGETS[name].releases(document, Guest(OWN.uri, product=SnpProduct.GENOA, tcb=dict.fromkeys(PARTS, 9)))


CHANGED: dict[str, Any] = {
    "jurisdiction": "DE",
    "data_class": "secret",
    "tees": (Tee.TDX,),
    "launch_measurements": DIGESTS[1:2],
    "launch_signers": DIGESTS[1:2],
    "image_digests": IMAGES[1:2],
    "image_signers": SIGNERS[1:2],
    "minimum_tcb": MinimumTcb(bootloader=9, tee=9, snp=9, microcode=9),
    "minimum_tcb_by_product": {SnpProduct.TURIN: MinimumTcb(bootloader=1, tee=0, snp=1, microcode=1)},
    "authorities": (authority("https://third.example"),),
    "vmpl": (2,),
    "allow_debug": True,
    "allow_migration": True,
    "confidential_gpu": True,
    "vtpm": True,
    "hardware": CHIPS[1:2],
    "max_token_seconds": 60,
}
COMPILED_BY: dict[str, Target] = {
    **TARGETS,
    "aws": Target(lambda policy: aws.compile_policy(policy, CALLER), lambda _, __: False),
}


def test_every_field_of_the_model_is_tried() -> None:
    assert set(CHANGED) == set(ReleasePolicy.model_fields)


@pytest.mark.parametrize("name", COMPILED_BY)
@pytest.mark.parametrize("field", CHANGED)
def test_every_field_changes_the_document_or_is_listed(name: str, field: str) -> None:
    """A field that can be changed with no effect on document or list would be dropped silently."""
    target = COMPILED_BY[name]
    changed = (Tee.SNP,) if field == "tees" and target.base.tees == (Tee.TDX,) else CHANGED[field]
    before, policy = target.compile(target.base), _single(target.base, **{field: changed})
    if field == "jurisdiction":
        abroad = _single(target.base, jurisdiction="US")
        with pytest.raises(ReleasePolicyError, match="authority outside US"):
            target.compile(abroad)
        return
    try:
        after = target.compile(policy)
    except ReleasePolicyError:
        return
    listed = {one.condition for one in (*before.cannot_express, *after.cannot_express)}
    assert after.document != before.document or field in listed


@pytest.mark.parametrize(
    "changes",
    [
        {"swname": "GCE"},
        {"google_service_accounts": ["somebody@else.example"]},
        {"hwmodel": "GCP_SHIELDED_VM"},
        {"submods": {"container": {"image_digest": IMAGES[0]}}},
    ],
)
def test_confidential_space_is_held_to_what_its_token_says_besides(changes: dict[str, Any]) -> None:
    target = TARGETS["gcp, Confidential Space"]
    guest = Guest(GOOGLE.uri, tee=Tee.TDX)
    document = target.compile(target.base).document
    assert pool_releases(document, GOOGLE.uri, confidential_space_token(guest))
    assert not pool_releases(document, GOOGLE.uri, confidential_space_token(guest, **changes))


@pytest.mark.parametrize("zone", ["us-central1-a", "europe-west2-a", "europe-west40-a", ""])
def test_a_zone_outside_the_jurisdiction_gets_nothing(zone: str) -> None:
    target = TARGETS["gcp, Confidential Space"]
    token = confidential_space_token(Guest(GOOGLE.uri, tee=Tee.TDX))
    token["submods"]["gce"]["zone"] = zone
    assert not pool_releases(target.compile(target.base).document, GOOGLE.uri, token)


PCRS = st.sampled_from(["ab" * 48, "AB" * 48, "cd" * 48])
MEASURED = st.one_of(
    st.none(),
    st.builds(
        aws.NitroMeasurements,
        image_sha384=st.none() | PCRS,
        pcrs=st.dictionaries(st.sampled_from([0, 8]), PCRS, min_size=1, max_size=2),
        nitro_tpm_pcrs=st.dictionaries(st.sampled_from([4, 7, 12]), PCRS, max_size=2),
    ),
)
KEYS = ("ImageSha384", "PCR0", "PCR8", "NitroTPMPCR4", "NitroTPMPCR7", "NitroTPMPCR12")


@given(
    measured=MEASURED,
    principal=st.sampled_from([CALLER.role_arn, "arn:aws:iam::1:role/other", "arn:aws:iam::1:role/VERIFIER"]),
    vpc=st.sampled_from(["vpc-1", "vpc-2", None]),
    document=st.dictionaries(st.sampled_from(KEYS), PCRS) | st.just(dict.fromkeys(KEYS, "ab" * 48)),
    action=st.sampled_from(["kms:Decrypt", "kms:CreateGrant", "kms:ReEncryptFrom", "kms:GenerateDataKey"]),
)
def test_kms_decrypts_for_the_measured_caller_only(
    measured: aws.NitroMeasurements | None, principal: str, vpc: str | None, document: dict[str, str], action: str
) -> None:
    compiled = aws.compile_policy(POLICY, aws.Caller(CALLER.role_arn, "vpc-1", measured))
    context = {f"kms:RecipientAttestation:{name}": value for name, value in document.items()}
    context |= {"aws:SourceVpc": vpc} if vpc else {}
    wanted = measured.conditions() if measured else {}
    assert key_policy.allows(compiled.document, action, principal, context) == (
        (action, principal, vpc) == ("kms:Decrypt", CALLER.role_arn, "vpc-1")
        and all(context.get(key, "").lower() == value.lower() for key, value in wanted.items())
    )
