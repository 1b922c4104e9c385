"""The key ring, and who may use which key."""

import dataclasses
from typing import Any

import pytest

from components.errors import InputError
from components.gcp import Grant, KeyVault, KeyVaultArgs, Placement, WorkloadIdentity, WorkloadIdentityArgs
from tests.components.gcp import region


@pytest.fixture
def args(placement: Placement) -> KeyVaultArgs:
    return KeyVaultArgs(
        placement=placement,
        service="cloud-hsm",
        soft_delete_days=90,
        rotation_days=30,
        model_keys=("llm",),
        disk_agents={"compute": "serviceAccount:agent@example.org"},
    )


def test_keys_are_in_the_hsm_of_the_region_and_are_kept(args: KeyVaultArgs) -> None:
    found = region.record(lambda: KeyVault("keys", args))
    assert found["keys-ring"].inputs["location"] == "europe-west3"
    keys = [found["keys-model-llm"], found["keys-os-disk"]]
    for key in keys:
        assert key.inputs["versionTemplate"]["protectionLevel"] == "HSM"
        assert key.inputs["rotationPeriod"] == "2592000s"
        assert key.inputs["destroyScheduledDuration"] == "7776000s"
    assert all(one.options == {"protect": True, "retainOnDelete": True} for one in (found["keys-ring"], *keys))


def test_only_the_named_agents_use_the_disk_key(args: KeyVaultArgs) -> None:
    found = region.record(lambda: KeyVault("keys", args))
    (grant,) = found.of_type(":CryptoKeyIAMMember")
    assert grant.inputs["cryptoKeyId"] == "<keys-os-disk.id>"
    assert grant.inputs["member"] == "serviceAccount:agent@example.org"


def test_an_emulated_region_s_keys_go_with_it(args: KeyVaultArgs) -> None:
    found = region.record(lambda: KeyVault("keys", dataclasses.replace(args, destroyable_keys=True)))
    assert all(not one.options for one in found.of_type(":CryptoKey", ":KeyRing"))


def test_what_google_never_deletes_can_be_taken_over(args: KeyVaultArgs) -> None:
    found = region.record(lambda: KeyVault("keys", dataclasses.replace(args, adopt=True)))
    ring = f"projects/{region.PROJECT}/locations/europe-west3/keyRings/gcp-germany-keys"
    assert found["keys-ring"].options["import"] == ring
    assert found["keys-model-llm"].options["import"] == f"{ring}/cryptoKeys/model-llm"


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"service": "cloud-ekm"}, "service: 'cloud-ekm' is not built; nearest supported: cloud-hsm"),
        ({"soft_delete_days": 29}, "soft_delete_days: 29 is not between 30 and 120 days; nearest supported: 30"),
        ({"rotation_days": 1}, "rotation_days: 1 is not between 7 and 730 days; nearest supported: 7"),
    ],
)
def test_what_it_cannot_honour_is_refused(args: KeyVaultArgs, change: dict[str, Any], problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        region.record(lambda: KeyVault("keys", dataclasses.replace(args, **change)))


def test_a_sovereign_universe_without_an_hsm_is_refused(args: KeyVaultArgs) -> None:
    there = region.placement("u-france-east1", cloud="gcp-s3ns", project_id="s3ns:sovereign-region")
    with pytest.raises(InputError, match="u-france-east1 has no Cloud HSM"):
        region.record(lambda: KeyVault("keys", dataclasses.replace(args, placement=there)))


def test_an_identity_has_no_key_and_exactly_its_grants(placement: Placement) -> None:
    grants = [Grant("unwrap", "roles/cloudkms.cryptoKeyDecrypter", key_id="key"), Grant("read", "roles/x", bucket="b")]
    identity = WorkloadIdentityArgs(placement=placement, role="verifier", grants=grants)
    found = region.record(lambda: WorkloadIdentity("identity", identity))
    assert [one.type.rpartition(":")[2] for one in found.registrations[1:]] == [
        "Account",
        "CryptoKeyIAMMember",
        "BucketIAMMember",
    ]
    assert found["identity-unwrap"].inputs["member"].startswith("serviceAccount:verifier-")


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"role": "a-role-that-is-too-long"}, "has more than 20 characters"),
        ({"grants": [Grant("all", "roles/x")]}, "'all' must be on one key or on one bucket"),
    ],
)
def test_an_identity_refuses_what_is_too_long_or_too_wide(
    placement: Placement, change: dict[str, Any], problem: str
) -> None:
    args = dataclasses.replace(WorkloadIdentityArgs(placement=placement, role="verifier"), **change)
    with pytest.raises(InputError, match=problem):
        region.record(lambda: WorkloadIdentity("identity", args))


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"cloud": "azure"}, "cloud: 'azure' is another provider's; nearest supported: gcp"),
        ({"location": "europe-west33"}, "location: unknown region .*nearest supported: europe-west3"),
        (
            {"cloud": "gcp-s3ns", "location": "u-france-east1"},
            "'bailiwick-emulated' is not a project of .*nearest supported: s3ns:bailiwick-emulated",
        ),
    ],
)
def test_a_placement_is_in_a_region_of_its_universe(change: dict[str, Any], problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        region.placement(**change)
