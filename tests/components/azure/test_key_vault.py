"""The vault and its keys."""

import base64
import dataclasses
import json
from typing import Any

import pytest

from components.azure import KeyVault, KeyVaultArgs, Placement
from components.errors import InputError
from components.release import Authority, ReleasePolicyError
from tests.components.azure.recorder import Recording, record
from tests.components.azure.region import DISK_POLICY


@pytest.fixture
def args(placement: Placement) -> KeyVaultArgs:
    return KeyVaultArgs(
        placement=placement,
        service="key-vault-premium",
        soft_delete_days=90,
        rotation_days=60,
        model_keys=["llm"],
        disk_keys={"guest": DISK_POLICY},
        subnet_id="subnet",
        zone_ids={"privatelink.vaultcore.azure.net": "zone"},  # type: ignore[dict-item]
        audit_account_id="audit",
        workspace_id="workspace",
    )


@pytest.fixture
def vault(args: KeyVaultArgs) -> Recording:
    return record(lambda: KeyVault("keys", args))


def test_the_vault_is_closed_and_cannot_be_purged(vault: Recording) -> None:
    properties = vault["keys-vault"].inputs["properties"]
    assert properties["sku"] == {"family": "A", "name": "premium"}
    assert properties["enableRbacAuthorization"] is True
    assert properties["enablePurgeProtection"] is True
    assert properties["softDeleteRetentionInDays"] == 90
    assert properties["publicNetworkAccess"] == "Disabled"
    assert properties["networkAcls"] == {"bypass": "None", "defaultAction": "Deny"}
    (connection,) = vault["keys-endpoint"].inputs["privateLinkServiceConnections"]
    assert (connection["groupIds"], connection["privateLinkServiceId"]) == (["vault"], "<keys-vault.id>")
    (zone,) = vault["keys-endpoint-dns"].inputs["privateDnsZoneConfigs"]
    assert zone["privateDnsZoneId"] == "zone"


def test_a_model_key_never_leaves_and_only_wraps(vault: Recording) -> None:
    properties = vault["keys-model-llm"].inputs["properties"]
    assert (properties["kty"], properties["keySize"]) == ("RSA-HSM", 3072)
    assert properties["keyOps"] == ["wrapKey", "unwrapKey"]
    assert properties["attributes"]["exportable"] is False
    assert "releasePolicy" not in properties
    (rotate,) = properties["rotationPolicy"]["lifetimeActions"]
    assert rotate == {"action": {"type": "rotate"}, "trigger": {"timeAfterCreate": "P60D"}}


def test_a_disk_key_leaves_under_its_release_policy_only(vault: Recording) -> None:
    properties = vault["keys-os-disk-guest"].inputs["properties"]
    assert properties["attributes"]["exportable"] is True
    data = properties["releasePolicy"]["data"]
    document = json.loads(base64.urlsafe_b64decode(data + "=" * (-len(data) % 4)))
    assert [entry["authority"] for entry in document["anyOf"]] == ["https://own.dewc.attest.azure.net"]
    assert "rotationPolicy" not in properties


def test_keys_outlive_the_stack_unless_asked_otherwise(vault: Recording, args: KeyVaultArgs) -> None:
    kept = ("keys-vault", "keys-model-llm")
    assert all(vault[name].options == {"protect": True, "retainOnDelete": True} for name in kept)
    assert vault["keys-os-disk-guest"].options == {"retainOnDelete": True}
    weakened = record(lambda: KeyVault("keys", dataclasses.replace(args, destroyable_keys=True)))
    assert all(weakened[name].options == {} for name in (*kept, "keys-os-disk-guest"))


def test_every_use_of_a_key_is_logged(vault: Recording) -> None:
    log = vault["keys-log"].inputs
    assert log["resourceUri"] == "<keys-vault.id>"
    assert (log["storageAccountId"], log["workspaceId"]) == ("audit", "workspace")
    assert log["logs"] == [{"categoryGroup": "audit", "enabled": True}]


def test_the_unwrap_role_unwraps_and_nothing_else(vault: Recording) -> None:
    (permission,) = vault["keys-unwrap-role"].inputs["permissions"]
    assert permission["actions"] == []
    assert permission["dataActions"] == [
        "Microsoft.KeyVault/vaults/keys/read",
        "Microsoft.KeyVault/vaults/keys/unwrap/action",
    ]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"service": "managed-hsm"}, "'managed-hsm' is no vault; nearest supported: key-vault-premium"),
        ({"soft_delete_days": 29}, "soft_delete_days: 29 .*; nearest supported: 30"),
        ({"soft_delete_days": 91}, "soft_delete_days: 91 .*; nearest supported: 90"),
        ({"rotation_days": 6}, "rotation_days: 6 .*; nearest supported: 7"),
    ],
)
def test_what_it_cannot_honour_is_refused(args: KeyVaultArgs, change: dict[str, Any], problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        record(lambda: KeyVault("keys", dataclasses.replace(args, **change)))


def test_a_foreign_authority_registers_no_vault(args: KeyVaultArgs) -> None:
    abroad = Authority(uri="https://sharedeus.eus.attest.azure.net", jurisdiction="US")
    weak = dataclasses.replace(args, disk_keys={"guest": DISK_POLICY.model_copy(update={"authorities": (abroad,)})})
    with pytest.raises(ReleasePolicyError, match=r"authority outside DE: https://sharedeus\.eus\.attest\.azure\.net"):
        record(lambda: KeyVault("keys", weak))
