"""Every target, any policy, any guest: what is compiled never allows what the policy denies, and allows what it allows.

`targets` has the services that judge a compiled document; IAM's is `key_policy`.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.release import Compiled, MinimumTcb, ReleasePolicy, ReleasePolicyError, SnpProduct, Tee, aws
from tests.components.release import key_policy
from tests.components.release.guests import CHIPS, DIGESTS, IMAGES, PARTS, SIGNERS, Guest, authority, cases, means
from tests.components.release.targets import (
    GOOGLE,
    OWN,
    POLICY,
    TARGETS,
    Target,
    confidential_space_token,
    pool_releases,
    single,
)

CALLER = aws.Caller("arn:aws:iam::1:role/verifier", "vpc-1")


def try_cases(target: Target, holds: Callable[[ReleasePolicy, Guest, Compiled], bool]) -> None:
    """Assert that something holds of any policy as `target` compiles it, and of any guest."""

    @settings(deadline=None, max_examples=60)
    @given(case=cases(target.base))
    def judge(case: tuple[ReleasePolicy, Guest]) -> None:
        policy, guest = case
        assert holds(policy, guest, target.compile(policy))

    judge()


@pytest.mark.parametrize("name", TARGETS)
def test_what_is_compiled_never_allows_what_the_policy_denies(name: str) -> None:
    target = TARGETS[name]

    def holds(policy: ReleasePolicy, guest: Guest, compiled: Compiled) -> bool:
        lost = {one.condition for one in compiled.cannot_express}
        return not target.releases(compiled.document, guest) or means(policy, guest, but=lost)

    try_cases(target, holds)


@pytest.mark.parametrize("name", TARGETS)
def test_what_is_compiled_allows_what_the_policy_allows(name: str) -> None:
    """A target that does not learn the product holds every product to the highest floor, and says so."""
    target = TARGETS[name]

    def holds(policy: ReleasePolicy, guest: Guest, compiled: Compiled) -> bool:
        if "minimum_tcb_by_product" in {one.condition for one in compiled.cannot_express}:
            policy = single(policy, minimum_tcb=policy.strictest_tcb(), minimum_tcb_by_product={})
        allowed = means(policy, guest) and not _narrower(name, policy, guest)
        return not allowed or target.releases(compiled.document, guest)

    try_cases(target, holds)


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
    policy = single(target.base, tees=(tee,), **{**FULL, "minimum_tcb_by_product": {}, **of_tee})
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
    policy = single(POLICY, tees=(Tee.SNP,), **FULL)
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
    before, policy = target.compile(target.base), single(target.base, **{field: changed})
    if field == "jurisdiction":
        abroad = single(target.base, jurisdiction="US")
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
