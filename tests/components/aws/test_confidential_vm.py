"""One confidential VM, several of one kind, and nodes of a cluster."""

import dataclasses
from typing import Any

import pytest

from components.aws import (
    ConfidentialCluster,
    ConfidentialClusterArgs,
    ConfidentialVm,
    ConfidentialVmArgs,
    ConfidentialVmGroup,
    ConfidentialVmGroupArgs,
    Placement,
)
from components.aws.machine_settings import USER_DATA_BYTES
from components.errors import InputError
from tests.components.aws import region

SUBNETS = {"eu-west-1a": "subnet-a", "eu-west-1b": "subnet-b"}


@pytest.fixture
def args(placement: Placement) -> ConfidentialVmArgs:
    return ConfidentialVmArgs(
        placement=placement,
        role="worker",
        size="m6a.xlarge",
        tee="snp",
        zone="eu-west-1a",
        image_name="guest",
        image_version="1.0.0",
        guest_configuration={"role": "workload"},
        subnet_id="subnet-a",
        group_id="sg-1",
        disk_key_id="key",
        identity_id="worker",
    )


@pytest.fixture
def cluster_args(placement: Placement) -> ConfidentialClusterArgs:
    return ConfidentialClusterArgs(
        placement=placement,
        role="serving",
        size="m6a.xlarge",
        tee="snp",
        nodes=3,
        release="1.35.7-20260903",
        subnet_ids=SUBNETS,
        group_id="sg-1",
        disk_key_id="disks",
        secrets_key_id="secrets",
    )


def machine(args: ConfidentialVmArgs) -> Any:
    return region.record(lambda: ConfidentialVm("worker", args))["worker-vm"]


class TestOneMachine:
    def test_has_snp_from_an_image_of_the_account(self, args: ConfidentialVmArgs) -> None:
        inputs = machine(args).inputs
        assert inputs["cpuOptions"] == {"amdSevSnp": "enabled"}
        assert inputs["ami"] == "<ami bailiwick-guest-1.0.0>"
        assert (inputs["tenancy"], inputs["hibernation"], inputs["enclaveOptions"]) == (
            "default",
            False,
            {"enabled": False},
        )

    def test_cannot_be_logged_in_to_or_reached(self, args: ConfidentialVmArgs) -> None:
        inputs = machine(args).inputs
        assert "keyName" not in inputs
        assert inputs["associatePublicIpAddress"] is False
        assert inputs["metadataOptions"] == {
            "httpEndpoint": "enabled",
            "httpTokens": "required",
            "httpPutResponseHopLimit": 1,
            "instanceMetadataTags": "disabled",
        }

    def test_has_its_disk_under_the_regions_key(self, args: ConfidentialVmArgs) -> None:
        disk = machine(args).inputs["rootBlockDevice"]
        assert (disk["encrypted"], disk["kmsKeyId"]) == (True, "key")

    def test_is_replaced_when_its_configuration_changes(self, args: ConfidentialVmArgs) -> None:
        registration = machine(args)
        assert region.user_data(registration) == {"role": "workload"}
        assert registration.inputs["userDataReplaceOnChange"] is True
        assert registration.options["deleteBeforeReplace"] is True

    def test_runs_on_a_dedicated_host_where_shared_ones_have_no_snp(self, args: ConfidentialVmArgs) -> None:
        there = region.placement(location="eu-central-1")
        hosted = dataclasses.replace(args, placement=there, zone="eu-central-1a", host_id="h-1")
        inputs = machine(hosted).inputs
        assert (inputs["tenancy"], inputs["hostId"]) == ("host", "h-1")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"tee": "tdx"}, "tee: 'tdx' is not offered by AWS; nearest supported: snp"),
        ({"gpu": "h100"}, "gpu: AWS has no h100 in confidential-computing mode; nearest supported: none"),
        ({"size": "m7a.xlarge"}, "size: m7a.xlarge has no AMD SEV-SNP; nearest supported: m6a.xlarge"),
        ({"size": "p5.48xlarge"}, r"size: p5.48xlarge has no AMD SEV-SNP; nearest supported: c6a.16xlarge"),
        ({"size": "m6a.xlrge"}, "nearest supported: m6a.xlarge"),
        ({"zone": "eu-west-2a"}, "zone: 'eu-west-2a' is not a zone of eu-west-1"),
        (
            {"placement": region.placement(location="eu-central-1"), "zone": "eu-central-1a"},
            "host_id: m6a.xlarge has AMD SEV-SNP in eu-central-1 on dedicated-host only; nearest supported: host_id",
        ),
        (
            {"placement": region.placement(location="eu-north-1"), "zone": "eu-north-1a"},
            "placement.location: eu-north-1 has no machine with AMD SEV-SNP; nearest supported: eu-west-1",
        ),
        (
            {
                "placement": region.placement(cloud="aws-eusc", location="eusc-de-east-1"),
                "zone": "eusc-de-east-1a",
            },
            "placement.location: eusc-de-east-1 has no machine with AMD SEV-SNP",
        ),
        (
            {"guest_configuration": {"x": "y" * USER_DATA_BYTES}},
            f"guest_configuration: is {USER_DATA_BYTES + 8} bytes of JSON; AWS takes {USER_DATA_BYTES} as user data",
        ),
    ],
)
def test_what_aws_has_not_is_refused_with_the_nearest_it_has(
    args: ConfidentialVmArgs, changes: dict[str, Any], says: str
) -> None:
    with pytest.raises(InputError, match=says):
        machine(dataclasses.replace(args, **changes))


class TestGroup:
    def test_has_the_same_settings_as_one_machine(self, args: ConfidentialVmArgs) -> None:
        recording = region.record(lambda: ConfidentialVmGroup("batch", _group(args, count=2)))
        template = recording["batch-template"].inputs
        assert template["cpuOptions"] == {"amdSevSnp": "enabled"}
        assert template["metadataOptions"]["httpTokens"] == "required"
        assert template["blockDeviceMappings"][0]["ebs"]["kmsKeyId"] == "key"
        assert region.user_data(recording["batch-template"]) == {"role": "workload"}

    def test_keeps_its_number_over_the_zones(self, args: ConfidentialVmArgs) -> None:
        group = region.record(lambda: ConfidentialVmGroup("batch", _group(args, count=2)))["batch-group"].inputs
        assert (group["minSize"], group["maxSize"], group["desiredCapacity"]) == (2, 2, 2)
        assert group["vpcZoneIdentifiers"] == ["subnet-a", "subnet-b"]

    def test_of_one_is_refused(self, args: ConfidentialVmArgs) -> None:
        with pytest.raises(InputError, match="1 machines are no group; nearest supported: ConfidentialVm, or 2"):
            region.record(lambda: ConfidentialVmGroup("batch", _group(args, count=1)))


class TestCluster:
    def test_has_a_private_control_plane_and_encrypted_secrets(self, cluster_args: ConfidentialClusterArgs) -> None:
        cluster = region.record(lambda: ConfidentialCluster("c", cluster_args))["c-cluster"].inputs
        assert cluster["vpcConfig"]["endpointPublicAccess"] is False
        assert cluster["vpcConfig"]["endpointPrivateAccess"] is True
        assert cluster["encryptionConfig"] == {"provider": {"keyArn": "secrets"}, "resources": ["secrets"]}
        assert cluster["accessConfig"]["bootstrapClusterCreatorAdminPermissions"] is False

    def test_has_nodes_with_snp_whose_size_is_said_once(self, cluster_args: ConfidentialClusterArgs) -> None:
        recording = region.record(lambda: ConfidentialCluster("c", cluster_args))
        assert recording["c-template"].inputs["cpuOptions"] == {"amdSevSnp": "enabled"}
        assert recording["c-template"].inputs["instanceType"] == "m6a.xlarge"
        assert "instanceTypes" not in recording["c-nodes"].inputs
        assert recording["c-nodes"].inputs["scalingConfig"] == {"minSize": 3, "maxSize": 3, "desiredSize": 3}

    def test_runs_one_release_of_the_nodes_image(self, cluster_args: ConfidentialClusterArgs) -> None:
        recording = region.record(lambda: ConfidentialCluster("c", cluster_args))
        assert recording["c-cluster"].inputs["version"] == "1.35"
        assert recording["c-nodes"].inputs["version"] == "1.35"
        assert recording["c-nodes"].inputs["releaseVersion"] == "1.35.7-20260903"

    @pytest.mark.parametrize(
        ("changes", "says"),
        [
            ({"subnet_ids": {"eu-west-1a": "subnet-a"}}, "EKS needs subnets in two availability zones"),
            ({"nodes": 0}, "0 nodes run nothing; nearest supported: 1"),
            ({"release": "latest"}, "'latest' names no release of the nodes' image; nearest supported: a release of "),
            ({"tee": "tdx"}, "'tdx' is not offered by AWS; nearest supported: snp"),
        ],
    )
    def test_that_eks_would_refuse_is_refused(
        self, cluster_args: ConfidentialClusterArgs, changes: dict[str, Any], says: str
    ) -> None:
        with pytest.raises(InputError, match=says):
            region.record(lambda: ConfidentialCluster("c", dataclasses.replace(cluster_args, **changes)))


def _group(args: ConfidentialVmArgs, *, count: int) -> ConfidentialVmGroupArgs:
    shared = {
        field.name: getattr(args, field.name)
        for field in dataclasses.fields(args)
        if field.name not in ("zone", "subnet_id", "host_id")
    }
    return ConfidentialVmGroupArgs(**shared, count=count, subnet_ids=SUBNETS)
