"""The page of checks, claims and policy keys is what the code has."""

import importlib.util
import json
import re
from pathlib import Path

import jsonschema
import pytest
import yaml
from pydantic import ValidationError

from tests.verifier.fake_amd import milan
from tests.verifier.nitro.fake_nitro import NONCE, World
from tests.verifier.tokens.fake_issuer import AZURE, POLICY, good, verified
from verifier import appraisal, snp
from verifier.appraisal import AppraisalPolicy, nitro
from verifier.appraisal import tokens as token_appraisal
from verifier.appraisal.policy import DEFAULT_POLICY

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "verifier" / "checks.md").read_text(encoding="utf-8")
SCHEMA = (ROOT / "docs" / "verifier" / "appraisal-policy.schema.json").read_text(encoding="utf-8")


def generator():
    spec = importlib.util.spec_from_file_location("docs_checks", ROOT / "docs" / "checks.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_and_the_schema_are_what_the_code_has():
    assert generator().page() == PAGE, "run python docs/checks.py"
    assert generator().schema() == SCHEMA, "run python docs/checks.py"


@pytest.mark.parametrize(
    "text",
    [
        DEFAULT_POLICY.read_text(encoding="utf-8"),
        "minimum_tcb: {milan: {snp: 24}}\nplatform_required: [alias-check-complete]\nvmpl: [0, 1]\n",
        "tdx: {xfam: 0xE7, minimum_tcb_date: '2026-01-15', statuses: [UpToDate]}\nazure: {pcrs: {'4': []}}\n",
        "tokens: {issuers: [nvidia-nras]}\ncollateral: {maximum_age_days: {amd-crl: 14}}\n",
        "allow_debugging: true",
        "minimum_tcb: newest",
        "minimum_tcb: {rome: {}}",
        "platform_required: [turbo]",
        "vmpl: [4]",
        "host_data: [AB]",
        "tdx: {statuses: [Revoked]}",
        "collateral: {maximum_age_days: {amd-crl: -1}}",
    ],
)
def test_the_schema_says_what_the_verifier_says(text):
    content = yaml.safe_load(text)
    try:
        AppraisalPolicy.model_validate(content)
        good = True
    except ValidationError:
        good = False
    assert jsonschema.Draft202012Validator(json.loads(SCHEMA)).is_valid(content) is good


def test_every_page_of_the_verifier_is_in_its_list():
    pages = ROOT / "docs" / "verifier"
    linked = set(re.findall(r"\]\(([^)#]+)\)", (pages / "README.md").read_text(encoding="utf-8")))
    assert linked == {path.name for path in pages.iterdir()} - {"README.md"}


def listed(name: str) -> bool:
    return any(
        re.fullmatch(re.escape(found).replace(r"\*", ".+"), name)
        for found in re.findall(r"^\| `([^`]+)`", PAGE, re.MULTILINE)
    )


def verdicts():
    world = milan()
    report = snp.verify(snp.parse(world.report()), world.endorsements(), world.trust(), world.at)
    yield appraisal.appraise(report, AppraisalPolicy(), report_data=None, reference_values=())
    yield nitro.appraise(World().verified(), AppraisalPolicy(), nonce=NONCE)
    yield token_appraisal.appraise(verified(good(AZURE), AZURE), POLICY, nonce=None)


def test_every_claim_of_a_verdict_is_on_it():
    names = {claim.name for result in verdicts() for submod in result.submods.values() for claim in submod.claims}
    assert len(names) > 20
    assert {name for name in names if not listed(name)} == set()


@pytest.mark.parametrize(
    "check",
    ["chain.leaf.signature", "tcb.reported", "cose.signature", "token.issuer", "hcl.binding", "endorsement.signature"],
)
def test_checks_are_on_it(check):
    assert listed(check)


@pytest.mark.parametrize("key", ["freshness", "tdx.statuses", "nvidia.modes", "nitro.pcrs", "google.minimum_svn"])
def test_policy_keys_are_on_it(key):
    assert f"| `{key}` |" in PAGE
