"""Policy files: every mistake at once, each at its key; the policy's identity follows from what it says."""

import json

import pytest
from pydantic import ValidationError

from verifier.appraisal import AppraisalPolicy
from verifier.appraisal.nitro_policy import NitroPolicy
from verifier.appraisal.policy import DEFAULT_POLICY, tcb_floors
from verifier.errors import InvalidPolicy, UnreadableInput
from verifier.snp import Product


def load(tmp_path, text: str | bytes) -> AppraisalPolicy:
    path = tmp_path / "policy.yaml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return AppraisalPolicy.load(path)


def test_the_defaults_deny():
    policy = AppraisalPolicy()
    assert (policy.allow_debug, policy.allow_migration, policy.allow_masked_chip_id) == (False, False, False)
    assert (policy.reference_values, policy.freshness, policy.vmpl) == ("required", "required", {0})
    assert policy.minimum_tcb[Product.MILAN].snp == 24


def test_yaml_and_json_say_the_same(tmp_path):
    content = {
        "id": "ours",
        "vmpl": [0, 1],
        "minimum_tcb": {"genoa": {"snp": 23}},
        "platform_required": ["ecc-enabled"],
    }
    text = "id: ours\nvmpl: [1, 0]\nminimum_tcb: {genoa: {snp: 23}}\nplatform_required: [ecc-enabled]\n"
    assert load(tmp_path, json.dumps(content)).identifier == load(tmp_path, text).identifier


def test_another_policy_has_another_identity(tmp_path):
    assert load(tmp_path, "vmpl: [0]").identifier == AppraisalPolicy().identifier
    assert load(tmp_path, "vmpl: [1]").identifier != AppraisalPolicy().identifier
    assert load(tmp_path, "id: bailiwick-strict").identifier.startswith("bailiwick-strict@sha256:")


def test_every_mistake_is_reported_with_its_key(tmp_path):
    with pytest.raises(InvalidPolicy) as error:
        load(
            tmp_path,
            "allow_debug: maybe\nvmpl: [4]\nminimum_tcb: {milan: {snp: 256}, rome: {}}\nhost_data: [AB]\n"
            "platform_required: [turbo]\nallow_debugging: true\n",
        )
    message = str(error.value)
    assert "\n" not in message
    for key in (
        "allow_debug:",
        "vmpl.0:",
        "minimum_tcb.milan.snp:",
        "minimum_tcb.rome",
        "host_data.0:",
        "allow_debugging:",
    ):
        assert key in message
    assert "'turbo' is not one of smt-enabled" in message


def test_an_unknown_set_of_minimum_tcbs_names_the_sets_there_are(tmp_path):
    with pytest.raises(InvalidPolicy, match="there are baseline, amd-sb-3019"):
        load(tmp_path, "minimum_tcb: newest")


@pytest.mark.parametrize(
    "text",
    [
        "a: [1",
        b"\xff\xfe\x00",
        "- a\n- b",
        "just text",
        "",
        "a: 2026-99-99",
        "a: " + "1" * 5000,
        "a: !!timestamp x",
        "a: !!bool x",
        "a: \x00",
    ],
)
def test_what_is_no_mapping_is_refused_in_one_line(tmp_path, text):
    with pytest.raises(InvalidPolicy) as error:
        load(tmp_path, text)
    assert "policy.yaml" in str(error.value)
    assert "\n" not in str(error.value)


def test_what_is_nested_too_deeply_is_refused(tmp_path):
    with pytest.raises(InvalidPolicy, match="nested too deeply"):
        load(tmp_path, "[" * 5000)


def test_a_key_that_occurs_twice_is_refused_where_it_does(tmp_path):
    with pytest.raises(InvalidPolicy, match=r"policy.yaml:2: 'allow_debug' occurs twice"):
        load(tmp_path, "allow_debug: false\nallow_debug: true\n")
    with pytest.raises(InvalidPolicy, match=r"policy.yaml:1: 'statuses' occurs twice"):
        load(tmp_path, '{"tdx": {"statuses": ["UpToDate"], "statuses": ["OutOfDate"]}}')


def test_a_key_may_be_written_over_what_is_mixed_in(tmp_path):
    policy = load(tmp_path, "minimum_tcb:\n  milan: &floor {snp: 1, tee: 2}\n  genoa: {<<: *floor, snp: 3}\n")
    assert (policy.minimum_tcb[Product.GENOA].snp, policy.minimum_tcb[Product.GENOA].tee) == (3, 2)


def test_a_missing_file_is_said(tmp_path):
    with pytest.raises(UnreadableInput, match="No such file"):
        AppraisalPolicy.load(tmp_path / "none.yaml")


def test_the_shipped_policy_only_loosens_what_a_person_cannot_give():
    shipped, strict = AppraisalPolicy.load(DEFAULT_POLICY), AppraisalPolicy()
    different = {name for name in AppraisalPolicy.model_fields if getattr(shipped, name) != getattr(strict, name)}
    assert different == {"id", "reference_values", "freshness", "minimum_tcb", "nvidia"}
    nvidia = type(strict.nvidia).model_fields
    different = {name for name in nvidia if getattr(shipped.nvidia, name) != getattr(strict.nvidia, name)}
    assert different == {"rims", "stated_mode"}


@pytest.mark.parametrize("name", ["baseline", "amd-sb-3019"])
def test_every_set_has_a_floor_for_every_product(name):
    assert set(tcb_floors(name)) == set(Product)


def test_a_policy_cannot_be_changed():
    with pytest.raises(ValidationError):
        AppraisalPolicy().allow_debug = True


def test_a_copy_with_other_lists_has_its_own():
    """What a list is not for is judged by a copy without it, whatever the policy was asked before."""
    policy = AppraisalPolicy(nitro=NitroPolicy(pcrs={4: frozenset()}))
    assert policy.lists == "nitro.pcrs"
    copied = policy.model_copy(update={"nitro": NitroPolicy()})
    assert copied.lists == ""
