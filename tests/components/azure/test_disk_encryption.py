"""Confidential disk encryption."""

from components.azure.roles import Role
from tests.components.azure.recorder import Recording


def test_each_image_has_a_key_of_its_own_that_only_its_set_uses(germany: Recording) -> None:
    sets = {one.name: one for one in germany.of_type("compute:DiskEncryptionSet")}
    assert set(sets) == {"azure-germany-disks-inference-guest-set", "azure-germany-disks-verifier-set"}
    for image in ("inference-guest", "verifier"):
        one = sets[f"azure-germany-disks-{image}-set"]
        assert one.inputs["encryptionType"] == "ConfidentialVmEncryptedWithCustomerKey"
        assert one.inputs["rotationToLatestKeyVersionEnabled"] is False
        assert one.inputs["activeKey"] == {
            "keyUrl": f"<azure-germany-keys-os-disk-{image}.keyUriWithVersion>",
            "sourceVault": {"id": "<azure-germany-keys-vault.id>"},
        }
        grant = germany[f"azure-germany-disks-{image}-identity-wrap"]
        assert grant.inputs["scope"] == f"<azure-germany-keys-os-disk-{image}.id>"
        assert grant.inputs["roleDefinitionId"].endswith(Role.KEY_ENCRYPTION_USER.value)
        assert grant.name in one.depends_on, "Azure checks the right when it creates the set"
