"""Resource policies in Rego, read back: what the components compile, and what nobody should have written."""

import pytest

from components.release import MinimumTcb, ReleasePolicy, Tee, kbs
from policies.examples.release import COMPILED
from policies.release.kbs import analyse
from policies.release.model import Flaw, MalformedDocument
from tests.components.release.guests import authority

DIGEST = "ab" * 48
SUMMARY = "input.trust_context.attestation_summary"
EVIDENCE = f'{SUMMARY}.claims.submods.cpu0["ear.veraison.annotated-evidence"]'
HEAD = "package policy\n\nimport rego.v1\n\ndefault allow := false\n\n"
CONDITIONS = (
    'data["resource-path"] == ["default", "key", "llm"]',
    f"{SUMMARY}.verification_result == true",
    f'{SUMMARY}.issuer == "https://verifier.example"',
    f'{EVIDENCE}.snp.evidence.measurement in ["{DIGEST}"]',
    f"{EVIDENCE}.snp.evidence.policy.debug_allowed == false",
)


def flaws(text: str) -> set[Flaw]:
    """What is wrong with a module."""
    return {weakness.flaw for weakness in analyse(text).weaknesses}


def rule(*conditions: str, head: str = "allow if") -> str:
    """A module with one rule of these conditions."""
    return f"{HEAD}{head} {{\n  " + "\n  ".join(conditions) + "\n}\n"


def test_a_rule_for_one_key_and_one_image_is_right() -> None:
    reading = analyse(rule(*CONDITIONS))
    assert reading.weaknesses == ()
    (way,) = reading.ways
    assert (way.resource, way.authority, way.tees) == ("default/key/llm", "https://verifier.example", {"snp"})
    assert way.pins == {("launch measurement", DIGEST)}


@pytest.mark.parametrize(
    ("index", "expected"),
    [
        (0, set()),
        (1, {Flaw.MISSING_CLAIM}),
        (2, {Flaw.MISSING_CLAIM}),
        (3, {Flaw.NO_TEE, Flaw.NO_WORKLOAD}),
        (4, {Flaw.DEBUGGABLE}),
    ],
)
def test_each_condition_that_is_left_out_is_found(index: int, expected: set[Flaw]) -> None:
    assert flaws(rule(*CONDITIONS[:index], *CONDITIONS[index + 1 :])) == expected


def test_the_examples_policy_is_what_the_components_compile() -> None:
    policy = ReleasePolicy(
        jurisdiction="DE",
        data_class="confidential",
        tees=(Tee.SNP,),
        launch_measurements=("5c2f" * 24,),
        minimum_tcb=MinimumTcb(bootloader=4, tee=0, snp=22, microcode=213),
        authorities=(authority("https://verifier.example.internal"),),
    )
    assert kbs.compile_policies({"default/model-key/llm": policy}).document["policy"] == COMPILED


SAMPLES = {
    "allow all": ('plugin = data.plugin\n\nallow if {\n\tplugin == "resource"\n}\n', Flaw.ALLOWS_ALL),
    "allow all, without a body": ("allow := true\n", Flaw.ALLOWS_ALL),
    "allow all, in the old syntax": ("allow { true }\n", Flaw.ALLOWS_ALL),
    "whatever is affirmed": (f"allow if {SUMMARY}.verification_result == true\n", Flaw.VENDOR_DEFAULT),
    "whatever is not the sample TEE": (
        'allow if {\n\tnot input["submods"]["cpu0"]["ear.veraison.annotated-evidence"]["sample"]\n}\n',
        Flaw.ALLOWS_ALL,
    ),
    "whatever is affirmed, by a helper": (
        (
            "allow if {\n not any_bad\n count(input.submods) > 0\n}\n\nany_bad if {\n some _, submod in input.submods\n"
            ' submod["ear.status"] != "affirming"\n}\n'
        ),
        Flaw.ALLOWS_ALL,
    ),
}


@pytest.mark.parametrize("name", SAMPLES)
def test_the_vendor_s_own_samples_are_found(name: str) -> None:
    body, flaw = SAMPLES[name]
    assert flaw in flaws(HEAD + body)


def test_a_default_that_allows_makes_every_rule_idle() -> None:
    assert Flaw.ALLOWS_ALL in flaws(rule(*CONDITIONS).replace(":= false", ":= true"))


def test_nobody_is_no_way() -> None:
    assert analyse(HEAD).ways == ()
    assert analyse(f"{HEAD}allow if false\n").ways == ()


@pytest.mark.parametrize(
    "pin",
    [
        f'{EVIDENCE}.snp.evidence.measurement != "{DIGEST}"',
        f'not {EVIDENCE}.snp.evidence.measurement == "{DIGEST}"',
        f'{EVIDENCE}.snp.evidence.measurement in ["{DIGEST}", "{"00" * 48}"]',
        f'startswith({EVIDENCE}.snp.evidence.measurement, "ab")',
        f'{EVIDENCE}.snp.evidence.measurement == "{DIGEST}" with input as {{}}',
        f'{EVIDENCE}.snp.evidence.measurement == "{DIGEST}"\n  with input as {{}}',
        f'some evidence in [1]; evidence.measurement == "{DIGEST}"',
        f'measured := "{DIGEST}"; measured == "{DIGEST}"',
        f'x := {EVIDENCE}.other; x.measurement == "{DIGEST}"',
        f"{EVIDENCE}.snp.evidence.measurement in data.allowed",
        f'{EVIDENCE}.snp.evidence.measurement == "{DIGEST[:-1]}"',
        f'every one in [] {{ {EVIDENCE}.snp.evidence.measurement == "{DIGEST}" }}',
    ],
)
def test_what_only_looks_like_a_pin_is_none(pin: str) -> None:
    assert Flaw.NO_WORKLOAD in flaws(rule(*CONDITIONS[:3], pin, CONDITIONS[4]))


@pytest.mark.parametrize(
    "text",
    [
        rule(*CONDITIONS, head="allow = true if"),
        rule(*CONDITIONS, head="allow := true if"),
        rule("; ".join(CONDITIONS)),
        rule("ours", *CONDITIONS[:3]) + "\nours if {\n " + "\n ".join(CONDITIONS[3:]) + "\n}\n",
        rule("evidence := summary.claims.submods.cpu0[\"ear.veraison.annotated-evidence\"]", *CONDITIONS[:3],
             "measured(evidence.snp.evidence)")
        + f"\nsummary := {SUMMARY}\n\nmeasured(found) if {{\n found.measurement in digests\n"
        " found.policy.debug_allowed == false\n}\n"
        + f'\ndigests := ["{DIGEST}"]\n',
        rule(*CONDITIONS).replace("trust_context.attestation_summary.claims.submods", "submods"),
        rule(*CONDITIONS) + "\n# allow if true\n",
    ],
)  # fmt: skip
def test_other_ways_to_say_the_same_are_understood(text: str) -> None:
    assert flaws(text) == set()
    assert {way.pins for way in analyse(text).ways} == {frozenset({("launch measurement", DIGEST)})}


@pytest.mark.parametrize(
    "more",
    [
        "else := true\n",
        "else := true if {\n  true\n}\n",
        "\nallow if true\n",
        "\nallow := input.anything\n",
        "\nallow if input.anything\n",
        f"\nallow if {{\n  helper\n}}\n\nhelper if {CONDITIONS[1]}\nhelper if true\n",
    ],
)
def test_the_weakest_alternative_counts(more: str) -> None:
    assert Flaw.ALLOWS_ALL in flaws(rule(*CONDITIONS) + more)


def test_claims_of_releases_before_the_trust_context_are_read() -> None:
    evidence = 'input.submods.cpu0["ear.veraison.annotated-evidence"]'
    text = rule(
        'input.submods.cpu0["ear.status"] == "affirming"',
        'input.iss == "https://verifier.example"',
        f'{evidence}.snp.measurement == "{DIGEST}"',
        f"{evidence}.snp.policy_debug_allowed == false",
        f"{evidence}.snp.reported_tcb_snp >= 22",
    )
    (way,) = analyse(text).ways
    assert flaws(text) == set()
    assert dict(way.floors) == {"snp": 22}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "package other\ndefault allow := false\n",
        "package policy\n",
        f"{HEAD}allow if {{ true\n",
        f"{HEAD}allow if {{ (true }} )\n",
        f"{HEAD}allow if € == 1\n",
        f"{HEAD}{{ true }}\n",
        f"{HEAD}allow if again\n\nagain if allow\n",
        f"{HEAD}allow if f(1, 2)\n\nf(x) if x == 1\n",
        "package policy\n" + "#" * 100_001,
    ],
)
def test_what_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(MalformedDocument):
        analyse(text)
