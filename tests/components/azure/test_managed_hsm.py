"""The Managed HSM, its keys and its local roles."""

import base64
from typing import Any

import pytest

from components.azure import ManagedHsm
from components.azure.hsm_activation import HsmActivationProvider
from components.azure.hsm_key import HsmKeyProvider
from components.errors import InputError
from tests.components.azure import region
from tests.components.azure.recorder import Recording, record

KEYS = "Microsoft.KeyVault/managedHsm/keys"
KEK = {
    "hsmUri": "https://hsm.managedhsm.azure.net/",
    "keyName": "model-llm",
    "properties": {"kty": "RSA-HSM", "keySize": 3072, "attributes": {"exportable": False}},
    "tags": {"stack": "test"},
}


@pytest.fixture(scope="module")
def hsm() -> Recording:
    return record(lambda: ManagedHsm("keys", region.hsm_args()))


def test_the_hsm_is_closed_and_cannot_be_purged(hsm: Recording) -> None:
    properties = hsm["keys-hsm"].inputs["properties"]
    assert properties["enablePurgeProtection"] is True
    assert properties["publicNetworkAccess"] == "Disabled"
    assert properties["networkAcls"] == {"bypass": "None", "defaultAction": "Deny"}
    assert "regions" not in properties
    (connection,) = hsm["keys-endpoint"].inputs["privateLinkServiceConnections"]
    assert (connection["groupIds"], connection["privateLinkServiceId"]) == (["managedhsm"], "<keys-hsm.id>")


def test_who_deploys_manages_keys_and_uses_none(hsm: Recording) -> None:
    allowed = set(hsm["keys-management-role"].inputs["dataActions"])
    assert f"{KEYS}/create" in allowed
    assert not allowed & {
        f"{KEYS}/{use}/action" for use in ("wrap", "unwrap", "release", "export", "encrypt", "decrypt")
    }
    (managing,) = (one for one in hsm.registrations if one.name.startswith("keys-manage-"))
    assert managing.inputs["roleDefinitionId"] == "<keys-management-role.id>"
    assert managing.inputs["scope"] == "/keys"


def test_the_unwrap_role_unwraps_and_nothing_else(hsm: Recording) -> None:
    assert hsm["keys-unwrap-role"].inputs["dataActions"] == [f"{KEYS}/read/action", f"{KEYS}/unwrap/action"]


def test_what_is_inside_waits_for_the_activation(hsm: Recording) -> None:
    inside = [one for one in hsm.registrations if one.type.startswith("pulumi-python:")]
    assert len(inside) == 6
    waiting = {one.name for one in inside if "keys-activation" in one.depends_on}
    assert waiting == {one.name for one in inside} - {"keys-activation"}
    assert {"keys-endpoint", "keys-log"} <= set(hsm["keys-activation"].depends_on)


def test_a_disk_key_leaves_under_its_release_policy_and_a_model_key_never(hsm: Recording) -> None:
    disk, model = (hsm[name].inputs["properties"] for name in ("keys-os-disk-guest", "keys-model-llm"))
    assert disk["attributes"]["exportable"] is True
    assert disk["releasePolicy"]["data"]
    assert model["attributes"]["exportable"] is False
    assert "releasePolicy" not in model


def test_keys_outlive_the_stack_unless_asked_otherwise(hsm: Recording) -> None:
    assert all(
        hsm[name].options == {"protect": True, "retainOnDelete": True} for name in ("keys-hsm", "keys-model-llm")
    )
    assert hsm["keys-os-disk-guest"].options == {"retainOnDelete": True}
    weakened = record(lambda: ManagedHsm("keys", region.hsm_args(destroyable_keys=True)))
    assert all(weakened[name].options == {} for name in ("keys-hsm", "keys-model-llm", "keys-os-disk-guest"))


def test_state_names_the_provider_and_holds_none_of_its_code(hsm: Recording) -> None:
    for one in hsm.registrations:
        if one.type.startswith("pulumi-python:"):
            provider = base64.b64decode(one.inputs["__provider"])
            assert b"components.azure.hsm_" in provider
            assert len(provider) < 120


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"administrators": []}, "administrators: is empty: nobody could activate the HSM"),
        ({"rotation_days": 27}, "rotation_days: 27 .*; nearest supported: 28"),
        ({"soft_delete_days": 29}, "soft_delete_days: 29 .*; nearest supported: 30"),
    ],
)
def test_what_it_cannot_honour_is_refused(change: dict[str, Any], problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        record(lambda: ManagedHsm("keys", region.hsm_args(**change)))


def test_an_hsm_that_is_not_active_says_what_to_do_next() -> None:
    news = {"hsmUri": "https://hsm.managedhsm.azure.net/", "hsmName": "hsm", "activationStatus": "NotActivated"}
    (failure,) = HsmActivationProvider().check({}, news).failures
    assert "az keyvault security-domain download --hsm-name hsm --sd-wrapping-keys" in failure.reason
    assert "\n" not in failure.reason
    assert HsmActivationProvider().check({}, {**news, "activationStatus": "Active"}).failures == []


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"kty": "RSA"}, "properties.kty: 'RSA' is not a key type of a Managed HSM: RSA-HSM, EC-HSM, oct-HSM"),
        ({"attributes": {"exportable": True}}, "properties.releasePolicy: is missing: "),
        ({"releasePolicy": {"data": "e30"}}, "properties.attributes.exportable: must be true"),
        (
            {"attributes": {"exportable": True}, "releasePolicy": {"data": "!"}},
            "properties.releasePolicy.data: is not base64url",
        ),
    ],
)
def test_a_wrong_key_is_refused_before_any_call(change: dict[str, Any], problem: str) -> None:
    checked = HsmKeyProvider().check({}, {**KEK, "properties": {**KEK["properties"], **change}})  # type: ignore[dict-item]
    (failure,) = checked.failures
    assert f"{failure.property}: {failure.reason}".startswith(problem)


@pytest.mark.parametrize(
    ("change", "replaces"),
    [
        ({"keySize": 4096}, ["properties.keySize"]),
        ({"attributes": {"exportable": True}}, ["properties.attributes.exportable"]),
        ({"keyOps": ["wrapKey"]}, []),
        ({"attributes": {"exportable": False, "enabled": False}}, []),
    ],
)
def test_what_a_key_keeps_for_life(change: dict[str, Any], replaces: list[str]) -> None:
    news = {**KEK, "properties": {**KEK["properties"], **change}}  # type: ignore[dict-item]
    found = HsmKeyProvider().diff("id", KEK, news)
    assert (found.changes, found.replaces) == (True, replaces)
