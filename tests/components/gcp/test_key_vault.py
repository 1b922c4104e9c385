"""The key ring, and who may use which key."""

import base64
import dataclasses
import ssl
from typing import Any

import pytest

from components.errors import InputError
from components.gcp import Grant, KeyVault, KeyVaultArgs, Placement, WorkloadIdentity, WorkloadIdentityArgs
from components.spec import ExternalManagerSpec
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


@pytest.fixture
def outside(args: KeyVaultArgs) -> KeyVaultArgs:
    manager = ExternalManagerSpec.model_validate(region.MANAGER)
    return dataclasses.replace(args, service="cloud-ekm", external_manager=manager)


def test_keys_of_an_external_manager_are_made_and_rotated_there(outside: KeyVaultArgs) -> None:
    found = region.record(lambda: KeyVault("keys", outside))
    connection = found["keys-external"]
    assert connection.inputs["keyManagementMode"] == "CLOUD_KMS"
    assert connection.inputs["cryptoSpacePath"] == "v0/cryptospaces/sovereign"
    (resolver,) = connection.inputs["serviceResolvers"]
    assert resolver["hostname"] == "keys.trustee.example"
    (certificate,) = resolver["serverCertificates"]
    der = ssl.PEM_cert_to_DER_cert(region.CERTIFICATE)
    assert base64.b64decode(certificate["rawDer"]) == der
    for key in found.of_type(":CryptoKey"):
        template = {"algorithm": "EXTERNAL_SYMMETRIC_ENCRYPTION", "protectionLevel": "EXTERNAL_VPC"}
        assert key.inputs["versionTemplate"] == template
        assert key.inputs["cryptoKeyBackend"] == "<keys-external.id>"
        assert key.inputs["rotationPeriod"] == "2592000s"
        assert "skipInitialVersionCreation" not in key.inputs


def test_google_never_deletes_a_connection_either(outside: KeyVaultArgs) -> None:
    found = region.record(lambda: KeyVault("keys", dataclasses.replace(outside, adopt=True)))
    options = found["keys-external"].options
    assert options["import"] == f"projects/{region.PROJECT}/locations/europe-west3/ekmConnections/gcp-germany-keys"
    assert options["protect"]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"jurisdiction": "US"}, "external_manager.jurisdiction: is in US, and the keys must not leave EU"),
        ({"jurisdiction": "ED"}, "external_manager: 'ED' is not a jurisdiction of the catalogue"),
        ({"legal_reach": ("DE", "EUU")}, "'EUU' is not a jurisdiction of the catalogue; nearest supported: EU"),
        ({"certificates": ()}, "external_manager.certificates: is missing: Cloud KMS could not know the manager"),
    ],
)
def test_an_external_manager_is_reachable_and_not_abroad(
    outside: KeyVaultArgs, change: dict[str, Any], problem: str
) -> None:
    assert outside.external_manager is not None
    manager = outside.external_manager.model_copy(update=change)
    with pytest.raises(InputError, match=problem):
        region.record(lambda: KeyVault("keys", dataclasses.replace(outside, external_manager=manager)))


def test_an_external_manager_and_its_service_come_together(args: KeyVaultArgs, outside: KeyVaultArgs) -> None:
    for given, problem in (
        (dataclasses.replace(args, service="cloud-ekm"), "external_manager: is missing: cloud-ekm has no keys of its"),
        (dataclasses.replace(outside, service="cloud-hsm"), "'cloud-hsm' makes keys itself, and external_manager is"),
    ):
        with pytest.raises(InputError, match=problem):
            region.record(lambda given=given: KeyVault("keys", given))


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (
            {"service": "cloud-hsm-single-tenant"},
            "'cloud-hsm-single-tenant' is not built; nearest supported: cloud-hsm",
        ),
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
