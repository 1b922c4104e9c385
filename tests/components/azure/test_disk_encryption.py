"""Confidential disk encryption."""

from pathlib import Path

from components.azure.roles import Role
from tests.components.azure import region
from tests.components.azure.recorder import Recording

VM = "azure-germany-inference-vm"


def test_each_image_has_a_key_of_its_own_that_only_its_set_uses(germany: Recording) -> None:
    sets = list(germany.of_type("compute:DiskEncryptionSet"))
    assert len(sets) == 2
    for one in sets:
        label = one.name.removeprefix("azure-germany-disks-").removesuffix("-set")
        assert one.inputs["encryptionType"] == "ConfidentialVmEncryptedWithCustomerKey"
        assert one.inputs["rotationToLatestKeyVersionEnabled"] is False
        assert one.inputs["activeKey"] == {
            "keyUrl": f"<azure-germany-keys-os-disk-{label}.keyUriWithVersion>",
            "sourceVault": {"id": "<azure-germany-keys-vault.id>"},
        }
        grant = germany[f"azure-germany-disks-{label}-identity-wrap"]
        assert grant.inputs["scope"] == f"<azure-germany-keys-os-disk-{label}.id>"
        assert grant.inputs["roleDefinitionId"].endswith(Role.KEY_ENCRYPTION_USER.value)
        assert grant.name in one.depends_on, "Azure checks the right when it creates the set"


def test_another_image_means_another_key_and_touches_no_other(germany: Recording, reference_values: Path) -> None:
    machine = {**region.SPEC["machines"][0], "image": {"name": "inference-guest", "version": "1.1.0"}}
    upgraded = region.deploy(reference_values, {"machines": [machine]})

    def disk_keys(recording: Recording) -> set[str]:
        return {one.inputs["keyName"] for one in recording.of_type("keyvault:Key") if "os-disk" in one.name}

    before, after = disk_keys(germany), disk_keys(upgraded)
    assert {key for key in before & after if "verifier" in key} == {key for key in before if "verifier" in key}
    assert not {key for key in before & after if "inference" in key}
    disk = upgraded[VM].inputs["storageProfile"]["osDisk"]["managedDisk"]["securityProfile"]["diskEncryptionSet"]["id"]
    assert "inference-guest-1-1-0" in disk


def test_two_versions_in_use_have_a_key_each(reference_values: Path) -> None:
    canary = {**region.SPEC["machines"][0], "name": "canary", "image": {"name": "inference-guest", "version": "1.1.0"}}
    found = region.deploy(reference_values, {"machines": [*region.SPEC["machines"], canary]})
    labels = {one.name for one in found.of_type("compute:DiskEncryptionSet")}
    assert len([label for label in labels if "inference-guest-1-0-0" in label]) == 1
    assert len([label for label in labels if "inference-guest-1-1-0" in label]) == 1
