"""The keys, and who may use them."""

import dataclasses
from typing import Any

import pytest

from components.aws import KeyVault, KeyVaultArgs, Placement
from components.errors import InputError
from components.release import ReleasePolicy
from tests.components.aws import region
from tests.components.recorder import Recording

ROLE = "arn:aws:iam::000000000000:role/aws-ireland-verifier"


@pytest.fixture
def args(placement: Placement, release_policy: ReleasePolicy) -> KeyVaultArgs:
    return KeyVaultArgs(
        placement=placement,
        service="kms",
        soft_delete_days=30,
        rotation_days=90,
        model_keys={"llm": release_policy},
        verifier_role_arn=ROLE,
        network_id="vpc-1",
    )


@pytest.fixture
def vault(args: KeyVaultArgs) -> Recording:
    return region.record(lambda: KeyVault("keys", args))


def test_a_key_is_single_region_rotated_and_recoverable(vault: Recording) -> None:
    for key in vault.of_type(":Key"):
        assert key.inputs["multiRegion"] is False
        assert (key.inputs["enableKeyRotation"], key.inputs["rotationPeriodInDays"]) == (True, 90)
        assert key.inputs["deletionWindowInDays"] == 30
        assert key.inputs["bypassPolicyLockoutSafetyCheck"] is False
        assert key.options == {"protect": True, "retainOnDelete": True}


def test_an_alias_ends_in_the_name_that_the_broker_knows(vault: Recording) -> None:
    assert vault["keys-model-llm-alias"].inputs["name"] == "alias/bailiwick/aws-ireland/model-llm"


def test_only_the_verifier_unwraps_and_only_from_the_region(vault: Recording) -> None:
    statements = region.statements(vault["keys-model-llm"].inputs["policy"])
    release = statements["ReleaseToVerifier"]
    assert (release["Principal"], release["Action"]) == ({"AWS": ROLE}, ["kms:Decrypt"])
    assert release["Condition"] == {"StringEquals": {"aws:SourceVpc": "vpc-1"}}
    denied = statements["ReleaseToNobodyElse"]
    assert (denied["Effect"], denied["Principal"]) == ("Deny", "*")
    assert {"kms:Decrypt", "kms:CreateGrant"} <= set(denied["Action"])
    assert denied["Condition"] == {"StringNotEquals": {"aws:PrincipalArn": ROLE}}


def test_administrators_govern_keys_and_do_not_use_them(vault: Recording) -> None:
    for key in vault.of_type(":Key"):
        actions = region.statements(key.inputs["policy"])["Administer"]["Action"]
        assert "kms:PutKeyPolicy" in actions
        assert not {action for action in actions if "crypt" in action or "*" in action or "Grant" in action}


def test_disks_use_their_key_through_ec2_only(vault: Recording) -> None:
    statement = region.statements(vault["keys-os-disk"].inputs["policy"])["ThroughService"]
    assert statement["Condition"]["StringEquals"] == {
        "kms:CallerAccount": "000000000000",
        "kms:ViaService": "ec2.eu-west-1.amazonaws.com",
    }


def test_policies_are_in_the_partition_of_the_region(args: KeyVaultArgs, sovereign: Placement) -> None:
    vault = region.record(lambda: KeyVault("keys", dataclasses.replace(args, placement=sovereign, model_keys={})))
    policy = vault["keys-store"].inputs["policy"]
    assert "arn:aws-eusc:iam::000000000000:root" in policy
    assert "arn:aws:" not in policy
    assert "s3.eusc-de-east-1.amazonaws.eu" in policy


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"service": "cloudhsm"}, "'cloudhsm' is not built; nearest supported: kms"),
        ({"soft_delete_days": 90}, "90 is not between 30 and 30 days; nearest supported: 30"),
        ({"rotation_days": 7}, "7 is not between 90 and 730 days; nearest supported: 90"),
    ],
)
def test_what_kms_cannot_do_is_refused(args: KeyVaultArgs, changes: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=says):
        region.record(lambda: KeyVault("keys", dataclasses.replace(args, **changes)))
