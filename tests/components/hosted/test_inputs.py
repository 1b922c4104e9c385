"""What another language gives to a component, and what of it is refused, in one line under the property's name."""

from pathlib import Path
from typing import Any

import pulumi
import pytest
from pulumi.errors import InputPropertiesError

from components.aws import Grant
from components.errors import InputError
from components.hosted.inputs import read_args
from components.hosted.offered import hosted
from components.hosted.provider import Host
from tests.components.aws import region as aws
from tests.components.azure import region as azure
from tests.components.azure.recorder import STACK, record
from tests.components.azure.region import ZERO
from tests.components.gcp import region as gcp
from tests.components.hosted.clouds import construct
from tests.components.kubernetes import region as kubernetes

TAGS = {"jurisdiction": "EU", "dataClass": "confidential", "owner": "platform@example.org"}
AZURE = TAGS | {
    "stack": STACK,
    "subscriptionId": ZERO,
    "tenantId": ZERO,
    "location": "germanywestcentral",
    "resourceGroupName": "group",
}
AWS = TAGS | {"stack": aws.STACK, "accountId": aws.ACCOUNT, "location": "eu-west-1"}
MACHINE = AZURE | {
    "role": "inference",
    "size": "Standard_DC4as_v5",
    "tee": "snp",
    "imageName": "inference-guest",
    "imageVersion": "1.0.0",
    "guestConfiguration": {"role": "workload", "retries": 3},
    "subnetId": "subnet",
    "diskEncryptionSetId": "disks",
    "identityId": "identity",
}
VAULT = {"service": "kms", "softDeleteDays": 30, "rotationDays": 90, "modelKeys": {}, "networkId": "vpc"}
VM = "bailiwick:index:AzureConfidentialVm"


def read(component: str, inputs: dict[str, Any]) -> Any:
    """The Args that a component is made with."""
    found = []
    record(lambda: found.append(read_args(hosted(f"bailiwick:index:{component}")[1], inputs)))
    return found[0]


def refusals(token: str, inputs: dict[str, Any]) -> dict[str, str]:
    """The properties that a component refuses, each with its problem."""
    with pytest.raises(InputPropertiesError) as refused:
        construct(token, "hosted", inputs, record)
    return {one["property_path"]: one["reason"] for one in refused.value.errors or ()}


def test_a_number_that_arrives_as_a_float_is_whole_again() -> None:
    inputs = AZURE | {"retentionDays": 365, "subnetId": "subnet", "zoneIds": {"privatelink.blob.core.windows.net": "z"}}
    made = construct("bailiwick:index:AzureAuditLog", "hosted", inputs, record)
    policy = made["hosted-store"].inputs["immutableStorageWithVersioning"]["immutabilityPolicy"]
    assert policy["immutabilityPeriodSinceCreationInDays"] == 365
    assert made["hosted"].inputs["retentionDays"] == 365


def test_objects_become_what_a_program_in_python_would_write() -> None:
    grants = [{"name": "read", "actions": ["s3:GetObject"], "resource": "arn"}]
    args = read("AwsWorkloadIdentity", AWS | {"role": "inference", "grants": grants})
    (grant,) = args.grants
    assert isinstance(grant, Grant)
    assert (grant.name, grant.actions, args.placement) == ("read", ["s3:GetObject"], aws.placement())


def test_entries_have_one_order_because_the_protocol_keeps_none() -> None:
    inputs = {"keyId": "k", "readers": {"verifier": "v", "batch": "b"}, "publishers": {}}
    args = read("AwsCollateralCache", AWS | inputs)
    assert list(args.readers) == ["batch", "verifier"]


def test_what_exists_is_taken_over_from_another_language_too() -> None:
    made = construct(VM, "hosted", MACHINE | {"importIds": {"vm": "/subscriptions/0/vm"}}, record)
    options = made["hosted-vm"].options
    assert (options["import"], options["protect"]) == ("/subscriptions/0/vm", True)


def test_zones_may_be_one_output_in_which_the_component_looks_its_own_up() -> None:
    def program() -> None:
        zones = pulumi.Output.from_input({"privatelink.blob.core.windows.net": "zone"})
        Host().construct("hosted", "bailiwick:index:AzureModelStore", AZURE | {"subnetId": "s", "zoneIds": zones})

    (zone,) = record(program)["hosted-store-endpoint-dns"].inputs["privateDnsZoneConfigs"]
    assert zone["privateDnsZoneId"] == "zone"


@pytest.mark.parametrize(
    ("changes", "path", "problem"),
    [
        ({"tee": "tdx"}, "size", "Standard_DC4as_v5 has snp, not tdx"),
        ({"gpu": "h100"}, "gpu", "germanywestcentral has no confidential H100"),
        ({"role": 3}, "role", "must be a text"),
        ({"role": None}, "role", "is missing"),
        ({"guestConfiguration": "role: workload"}, "guestConfiguration", "must be an object"),
        ({"importIds": {"vm": 1}}, "importIds.vm", "must be a text"),
        ({"importIds": {"machine": "id"}}, "importIds", "'machine' is no child of hosted; nearest supported: "),
        ({"tea": "snp"}, "tea", "is no input; nearest supported: tee"),
        ({"owner": ""}, "owner", "must have 1 to 256 characters"),
    ],
)
def test_what_cannot_be_honoured_is_refused_under_its_name(changes: dict[str, Any], path: str, problem: str) -> None:
    (found,) = refusals(VM, MACHINE | changes).items()
    assert found[0] == path
    assert found[1].startswith(problem)


@pytest.mark.parametrize(
    ("token", "inputs", "path", "problem"),
    [
        ("AwsWorkloadIdentity", {"role": "a", "grants": [{"nam": "b"}]}, "grants[0].nam", "is no input; nearest "),
        ("AwsWorkloadIdentity", {"role": "a", "grants": {}}, "grants", "must be a list"),
        ("AwsResidencyGuard", {"plainMachinesAllowed": "yes"}, "plainMachinesAllowed", "must be true or false"),
        (
            "AwsKeyVault",
            VAULT | {"verifierMeasurements": {"pcrs": {"four": "a"}}},
            "verifierMeasurements.pcrs.four",
            "must",
        ),
        ("AwsAuditLog", {"retentionDays": 365.5}, "retentionDays", "must be a whole number"),
    ],
)
def test_each_kind_of_value_has_its_refusal(token: str, inputs: dict[str, Any], path: str, problem: str) -> None:
    found = refusals(f"bailiwick:index:{token}", AWS | inputs)
    assert found[path].startswith(problem)


def test_a_model_and_a_choice_are_refused_by_their_own_rules() -> None:
    where = {"stack": kubernetes.STACK, "location": "onprem-berlin"} | TAGS
    hsm = kubernetes.SITE["hsm"] | {"token": ""}
    inputs = where | {"service": "site-hsm", "hsm": hsm, "addressSpace": "10.60.0.0/16"}
    assert "at least 1 character" in refusals("bailiwick:index:KubernetesKeyVault", inputs)["hsm.token"]
    segment = where | {"role": "inference", "segment": "workloads"}
    found = refusals("bailiwick:index:KubernetesWorkloadIdentity", segment)
    assert found == {"segment": "must be one of workload, verifier, endpoints; nearest supported: workload"}


def test_what_no_property_is_to_blame_for_is_said_of_the_component() -> None:
    inputs = AWS | {"cloud": "awz", "retentionDays": 365, "keyId": "key"}
    with pytest.raises(InputPropertiesError, match="unknown cloud 'awz'; nearest: aws"):
        construct("bailiwick:index:AwsAuditLog", "hosted", inputs, record)


def test_what_is_unknown_in_a_preview_is_left_to_the_deployment() -> None:
    args = read("AwsModelStore", AWS | {"keyId": pulumi.output.UNKNOWN})
    assert isinstance(args.key_id, pulumi.Output)
    with pytest.raises(InputError, match="stack: is an output or a secret"):
        read("AwsModelStore", AWS | {"keyId": "key", "stack": pulumi.output.UNKNOWN})


@pytest.mark.parametrize("late", ["location", "guestConfiguration"])
def test_an_input_that_must_be_known_refuses_an_output(late: str) -> None:
    def program() -> None:
        known = MACHINE[late]
        given = {"role": pulumi.Output.from_input("x")} if isinstance(known, dict) else pulumi.Output.from_input(known)
        Host().construct("hosted", VM, MACHINE | {late: given})

    with pytest.raises(InputPropertiesError) as refused:
        record(program)
    (found,) = refused.value.errors or ()
    assert found["property_path"].startswith(late)
    assert found["reason"] == "is an output or a secret; nearest supported: a plain value"


def test_all_that_is_wrong_with_a_region_is_said_at_once_under_the_keys_of_its_stack_file(tmp_path: Path) -> None:
    machine = gcp.GERMANY["machines"][0] | {"tee": "sgx"}
    spec = gcp.GERMANY | {"location": "europe-west33", "machines": [machine]}
    region = "bailiwick:index:GcpSovereignRegion"
    found = refusals(region, spec | {"referenceValues": str(tmp_path)})
    assert {"location", "machines[0].tee"} <= found.keys()
    assert "nearest valid: europe-west3" in found["location"]


def test_a_region_needs_the_reference_values_of_its_images(tmp_path: Path) -> None:
    region = "bailiwick:index:GcpSovereignRegion"
    assert refusals(region, gcp.GERMANY) == {"referenceValues": "is missing"}
    assert "verifier.image" in refusals(region, gcp.GERMANY | {"referenceValues": str(tmp_path)})


def test_a_region_of_another_cloud_is_refused(tmp_path: Path) -> None:
    gcp.write_reference_values(tmp_path)
    inputs = gcp.GERMANY | {"referenceValues": str(tmp_path)}
    assert refusals("bailiwick:index:AwsSovereignRegion", inputs) == {
        "cloud": "'gcp' is another provider's; nearest supported: aws"
    }


def test_a_region_whose_keys_only_python_can_make_is_refused(tmp_path: Path) -> None:
    azure.write_reference_values(tmp_path)
    spec = azure.SPEC | {"keys": {"service": "managed-hsm", "administrators": [ZERO]}}
    found = refusals("bailiwick:index:AzureSovereignRegion", spec | {"referenceValues": str(tmp_path)})
    assert found["keys.service"].startswith("managed-hsm is for programs in Python")
    assert found["keys.service"].endswith("nearest supported: key-vault-premium")


@pytest.mark.parametrize(
    ("token", "problem"),
    [
        ("bailiwick:index:AzureManagedHsm", "is for programs in Python"),
        ("bailiwick:index:AzureVault", "is no component of this package"),
        ("bailiwick:index:OracleRegion", "is no component of this package"),
    ],
)
def test_what_is_not_hosted_says_so(token: str, problem: str) -> None:
    assert refusals(token, {})["type"].startswith(problem)
