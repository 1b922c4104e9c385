"""The keys, and who may use them."""

import dataclasses
from typing import Any

import pulumi
import pytest

from components.aws import KeyVault, KeyVaultArgs, Placement, XksCredential
from components.errors import InputError
from components.release import ReleasePolicy
from components.spec import ExternalManagerSpec
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


@pytest.fixture
def outside(args: KeyVaultArgs) -> KeyVaultArgs:
    manager = region.MANAGER | {"keys": {"os-disk": "disks", "store": "store", "model-llm": "llm"}}
    return dataclasses.replace(
        args,
        service="kms-external-key-store",
        external_manager=ExternalManagerSpec.model_validate(manager),
    )


def record(outside: KeyVaultArgs, **changes: Any) -> Recording:
    """Keys outside AWS, for which outputs are made where the program runs."""

    def program() -> None:
        credential = XksCredential(*map(pulumi.Output.secret, ("A" * 20, "s" * 43)))
        KeyVault("keys", dataclasses.replace(outside, **{"external_credential": credential, **changes}))

    return region.record(program)


def test_keys_of_an_external_manager_stand_for_its_own(outside: KeyVaultArgs) -> None:
    found = record(outside)
    store = found["keys-external"]
    assert store.inputs["customKeyStoreType"] == "EXTERNAL_KEY_STORE"
    assert store.inputs["xksProxyConnectivity"] == "VPC_ENDPOINT_SERVICE"
    assert store.inputs["xksProxyUriEndpoint"] == "https://keys.trustee.example"
    assert store.options == {"protect": True, "retainOnDelete": True}
    named = {key.name: key.inputs["xksKeyId"] for key in found.of_type(":Key")}
    assert named == {"keys-os-disk": "disks", "keys-store": "store", "keys-model-llm": "llm"}
    for key in found.of_type(":Key"):
        assert key.inputs["customKeyStoreId"] == "<keys-external.id>"
        assert key.inputs["enableKeyRotation"] is False
        assert "rotationPeriodInDays" not in key.inputs
        assert key.inputs["tags"]["key-rotation"] == "P90D"


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"jurisdiction": "US"}, "external_manager.jurisdiction: is in US, and the keys must not leave EU"),
        ({"keys": {"os-disk": "disks", "store": "store"}}, "names no key of the manager for 'model-llm'"),
        (
            {"keys": {"os-disk": "a", "store": "b", "model-llm": "c", "model-lm": "d"}},
            "'model-lm' is no key of the region, which has os-disk, store, model-llm",
        ),
        ({"keys": {"os-disk": "a", "store": "a", "model-llm": "c"}}, "'a' stands for more than one key"),
    ],
)
def test_an_external_manager_has_each_key_and_is_not_abroad(
    outside: KeyVaultArgs, change: dict[str, Any], problem: str
) -> None:
    assert outside.external_manager is not None
    manager = outside.external_manager.model_copy(update=change)
    with pytest.raises(InputError, match=problem):
        record(outside, external_manager=manager)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"service": "kms"}, "'kms' makes keys itself, and external_manager is given; nearest supported: kms-external"),
        ({"external_manager": None}, "external_manager: is missing: kms-external-key-store has no keys of its own"),
        ({"external_credential": None}, "external_credential: is missing: AWS KMS signs what it asks the manager"),
        (
            {"external_credential": XksCredential("A" * 20, "planted" * 7)},  # type: ignore[arg-type]
            "external_credential.access_key_id: is plain text, and state would have it so",
        ),
    ],
)
def test_a_manager_its_service_and_its_credential_come_together(
    outside: KeyVaultArgs, change: dict[str, Any], problem: str
) -> None:
    with pytest.raises(InputError, match=problem) as refused:
        record(outside, **change)
    assert "planted" not in str(refused.value)
