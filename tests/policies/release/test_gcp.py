"""Google's conditions and bindings, read back: what the components compile, and what nobody should have written."""

import json
from typing import Any

import pytest

from policies.release.gcp import analyse, analyse_members, analyse_provider
from policies.release.model import Flaw, MalformedDocument

GOOGLE = "https://confidentialcomputing.googleapis.com"
DIGEST = "sha256:" + "12" * 32
POOL = "principalSet://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p"
CONDITIONS = (
    'assertion.swname == "CONFIDENTIAL_SPACE"',
    'assertion.hwmodel in ["GCP_INTEL_TDX", "INTEL_TDX"]',
    '"STABLE" in assertion.submods.confidential_space.support_attributes',
    'assertion.submods.gce.zone.startsWith("europe-west3-")',
    '"a@b.iam.gserviceaccount.com" in assertion.google_service_accounts',
    "assertion.dbgstat == 'disabled-since-boot'",
)
MAPPING = {
    "google.subject": "assertion.sub",
    "attribute.image_digest": "assertion.submods.container.image_digest",
    "attribute.name": "assertion.submods.container.image_reference",
    "attribute.fixed": "'sha256:12'",
}
MEMBER = f"{POOL}/attribute.image_digest/{DIGEST}"


def flaws(*conditions: str, member: str = MEMBER, issuer: str = GOOGLE) -> set[Flaw]:
    """What is wrong with a provider of these conditions, all of which must hold, and a binding on one member."""
    reading = analyse_provider(issuer, " && ".join(conditions), MAPPING, members=[member])
    return {weakness.flaw for weakness in reading.weaknesses}


def test_a_whole_condition_and_an_attribute_scoped_binding_are_right() -> None:
    assert flaws(*CONDITIONS) == set()


@pytest.mark.parametrize(
    ("index", "flaw"),
    [
        (0, Flaw.MISSING_CLAIM),
        (1, Flaw.NO_TEE),
        (2, Flaw.MISSING_CLAIM),
        (3, Flaw.MISSING_CLAIM),
        (4, Flaw.MISSING_CLAIM),
        (5, Flaw.DEBUGGABLE),
    ],
)
def test_each_claim_that_is_left_out_is_found(index: int, flaw: Flaw) -> None:
    assert flaws(*CONDITIONS[:index], *CONDITIONS[index + 1 :]) == {flaw}


@pytest.mark.parametrize(
    ("index", "instead"),
    [
        (0, 'assertion.swname != "GCE"'),
        (0, 'assertion.swname == "CONFIDENTIAL_SPACE" || assertion.swname == "GCE"'),
        (0, 'assertion["swname"] in ["CONFIDENTIAL_SPACE", "GCE"]'),
        (1, 'assertion.hwmodel in ["GCP_INTEL_TDX", "GCP_SHIELDED_VM"]'),
        (1, "assertion.hwmodel == assertion.hwmodel"),
        (1, '!(assertion.hwmodel == "GCP_INTEL_TDX")'),
        (2, '"LATEST" in assertion.submods.confidential_space.support_attributes'),
        (2, '["STABLE", "EXPERIMENTAL"].exists(a, a in assertion.submods.confidential_space.support_attributes)'),
        (3, 'assertion.submods.gce.zone.endsWith("-a")'),
        (4, "size(assertion.google_service_accounts) > 0"),
        (5, 'assertion.dbgstat == "disabled-since-boot" ? true : true'),
        (5, 'has(assertion.dbgstat) || assertion.dbgstat == "disabled-since-boot"'),
        (5, 'assertion.submods.dbgstat == "disabled-since-boot"'),
    ],
)
def test_what_only_looks_like_the_claim_asks_nothing(index: int, instead: str) -> None:
    conditions = list(CONDITIONS)
    conditions[index] = f"({instead})"
    assert flaws(*conditions)


@pytest.mark.parametrize(
    "spelling", ['assertion["dbgstat"] == "disabled-since-boot"', '"disabled-since-boot" == assertion.dbgstat']
)
def test_other_spellings_are_the_same_condition(spelling: str) -> None:
    assert flaws(*CONDITIONS[:5], spelling) == set()
    assert flaws(f"({' && '.join(CONDITIONS)}) || ({' && '.join(CONDITIONS)})") == set()


def test_an_alternative_that_asks_for_less_counts() -> None:
    weaker = f"({' && '.join(CONDITIONS)}) || (assertion.swname == 'CONFIDENTIAL_SPACE')"
    assert Flaw.DEBUGGABLE in flaws(weaker)


@pytest.mark.parametrize(
    ("member", "expected"),
    [
        (f"{POOL}/*", {Flaw.BROAD_PRINCIPAL, Flaw.NO_WORKLOAD}),
        (f"{POOL}/group/workloads", {Flaw.BROAD_PRINCIPAL, Flaw.NO_WORKLOAD}),
        ("allUsers", {Flaw.BROAD_PRINCIPAL, Flaw.NO_WORKLOAD}),
        ("domain:example.org", {Flaw.BROAD_PRINCIPAL, Flaw.NO_WORKLOAD}),
        ("user:a@example.org", {Flaw.PERSON, Flaw.NO_WORKLOAD}),
        ("serviceAccount:a@b.iam.gserviceaccount.com", {Flaw.UNATTESTED, Flaw.NO_WORKLOAD}),
        (f"{POOL}/attribute.image_digest/*", {Flaw.BROAD_PRINCIPAL, Flaw.NO_WORKLOAD}),
        (f"{POOL}/attribute.image_digest/sha256:{'00' * 32}", {Flaw.NO_WORKLOAD}),
        (f"{POOL}/attribute.name/registry.example.org/image:latest", {Flaw.NO_WORKLOAD}),
        (f"{POOL}/attribute.fixed/{DIGEST}", {Flaw.NO_WORKLOAD}),
        (f"{POOL}/attribute.unmapped/{DIGEST}", {Flaw.NO_WORKLOAD}),
    ],
)
def test_a_binding_names_one_attested_attribute(member: str, expected: set[Flaw]) -> None:
    assert flaws(*CONDITIONS, member=member) == expected


def test_the_image_can_be_pinned_by_the_condition() -> None:
    pinned = f'assertion.submods.container.image_digest == "{DIGEST}"'
    assert flaws(*CONDITIONS, pinned, member=f"{POOL}/attribute.name/x") == set()
    reading = analyse_provider(GOOGLE, " && ".join([*CONDITIONS, pinned]), MAPPING)
    assert [way.pins for way in reading.ways] == [{("image digest", DIGEST)}]
    assert reading.ways[0].places == {"europe-west3-"}


def test_the_word_of_another_verifier_is_an_attestation_result() -> None:
    evidence = 'assertion.submods.cpu["ear.veraison.annotated-evidence"]'
    good = (
        'assertion["ear.status"] == "affirming"',
        'assertion.tee == "snp"',
        f'{evidence}.measurement == "{"ab" * 48}"',
    )
    own = "https://verifier.example.org"
    member = f"{POOL}/attribute.name/x"
    assert flaws(*good, issuer=own, member=member) == set()
    assert flaws(*good[1:], issuer=own, member=member) == {Flaw.MISSING_CLAIM, Flaw.DEBUGGABLE}
    assert flaws(*good[:2], issuer=own, member=member) == {Flaw.NO_WORKLOAD}


def test_members_are_judged_alone_where_the_pool_is_another_resource() -> None:
    assert analyse_members([MEMBER]) == ()
    assert [weakness.path for weakness in analyse_members([MEMBER, "allAuthenticatedUsers"])] == ["members[1]"]


WHOLE: dict[str, Any] = {"issuer": GOOGLE, "attributeCondition": CONDITIONS[0], "attributeMapping": MAPPING}


@pytest.mark.parametrize(
    "change",
    [
        {"attributeCondition": ""},
        {"attributeCondition": "assertion.a =="},
        {"attributeCondition": "assertion.a == 'b' extra"},
        {"attributeCondition": 'assertion.a == "\\x41"'},
        {"attributeCondition": "(" * 60 + "true" + ")" * 60},
        {"attributeCondition": " && ".join(["(assertion.a == 1 || assertion.b == 1)"] * 12)},
        {"attributeCondition": "assertion.a == €"},
        {"attributeCondition": 1},
        {"issuer": None},
        {"attributeMapping": []},
        {"members": 1},
        {"binding": {"values": []}},
    ],
)
def test_what_has_no_single_meaning_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(MalformedDocument):
        analyse(json.dumps({**WHOLE, **change}))


@pytest.mark.parametrize(
    ("mapping", "expected"),
    [
        (MAPPING, set()),
        ({"google.subject": "assertion.sub"}, {Flaw.NO_WORKLOAD}),
        ({"attribute.fixed": f"'{DIGEST}'"}, {Flaw.NO_WORKLOAD}),
        ({"google.subject": "assertion.submods.container.image_digest"}, {Flaw.NO_WORKLOAD}),
    ],
    ids=["mapped", "unmapped", "a constant", "the subject"],
)
def test_the_workload_may_be_left_to_a_binding_only_where_an_attribute_tells_it(
    mapping: dict[str, str], expected: set[Flaw]
) -> None:
    reading = analyse_provider(GOOGLE, " && ".join(CONDITIONS), mapping)
    assert {weakness.flaw for weakness in reading.weaknesses} == expected
