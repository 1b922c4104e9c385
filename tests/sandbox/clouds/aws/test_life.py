"""The life of an object in the emulated AWS: made, changed, replaced and deleted."""

import json
from pathlib import Path

import pytest

from sandbox.clouds.aws import AwsCloud
from sandbox.provider import Created, ProviderError
from sandbox.values import UNKNOWN
from tests.sandbox.clouds.aws.bench import ACCOUNT, TRUST, Bench, RecordingHardware, policy, urn


class TestObjects:
    def test_are_real_ones_of_moto(self, bench: Bench) -> None:
        vpc, subnet = bench.network()
        with bench.cloud.operation():
            found = bench.cloud.client("ec2", "eu-west-1").describe_subnets(SubnetIds=[subnet.id])["Subnets"][0]
        assert (found["VpcId"], found["CidrBlock"]) == (vpc.id, "10.40.1.0/24")

    def test_have_what_the_provider_computes(self, bench: Bench) -> None:
        vpc, _ = bench.network()
        assert vpc.outputs["arn"] == f"arn:aws:ec2:eu-west-1:{ACCOUNT}:vpc/{vpc.id}"
        assert vpc.outputs["region"] == "eu-west-1"
        assert vpc.outputs["defaultSecurityGroupId"].startswith("sg-")

    def test_are_in_their_partition(self, sovereign: Bench) -> None:
        role = sovereign.make("iam:Role", "role", name="role", assumeRolePolicy=TRUST)
        key = sovereign.make("kms:Key", "key")
        bucket = sovereign.make("s3:Bucket", "bucket", bucket="audit")
        assert role.outputs["arn"] == f"arn:aws-eusc:iam::{ACCOUNT}:role/role"
        assert key.outputs["arn"] == f"arn:aws-eusc:kms:eusc-de-east-1:{ACCOUNT}:key/{key.id}"
        assert bucket.outputs["arn"] == "arn:aws-eusc:s3:::audit"
        assert bucket.outputs["bucketDomainName"] == "audit.s3.amazonaws.eu"

    def test_get_a_name_when_they_have_none(self, bench: Bench) -> None:
        role = bench.make("iam:Role", "mine", assumeRolePolicy=TRUST)
        assert role.id.startswith("mine-")

    def test_carry_the_tags_of_the_provider(self, bench: Bench) -> None:
        bench.cloud.configure({"region": "eu-west-1", "defaultTags": json.dumps({"tags": {"stack": "test"}})})
        vpc = bench.make("ec2:Vpc", "vpc", cidrBlock="10.40.0.0/16", tags={"owner": "me"})
        assert vpc.outputs["tagsAll"] == {"stack": "test", "owner": "me"}

    def test_that_fail_half_way_leave_nothing(self, bench: Bench) -> None:
        vpc, _ = bench.network()
        rule = {"protocol": "tcp", "fromPort": 1, "toPort": 1, "cidrBlocks": ["no range"]}
        with pytest.raises(ProviderError, match="no range"):
            bench.make("ec2:SecurityGroup", "group", vpcId=vpc.id, name="group", ingress=[rule])
        bench.make("ec2:SecurityGroup", "group", vpcId=vpc.id, name="group")

    def test_are_foretold_without_being_made(self, bench: Bench) -> None:
        inputs = bench.cloud.check(urn("ec2:Vpc", "vpc"), {}, {"cidrBlock": "10.40.0.0/16"}).inputs
        foretold = bench.cloud.create(urn("ec2:Vpc", "vpc"), inputs, preview=True)
        assert foretold.outputs["cidrBlock"] == "10.40.0.0/16"
        assert foretold.outputs["arn"] is UNKNOWN
        with bench.cloud.operation():
            assert len(bench.cloud.client("ec2", "eu-west-1").describe_vpcs()["Vpcs"]) == 1  # the account's own


class TestChanges:
    @pytest.mark.parametrize(
        ("kind", "before", "after", "replaces"),
        [
            ("ec2:Vpc", {"cidrBlock": "10.0.0.0/16"}, {"cidrBlock": "10.1.0.0/16"}, ("cidrBlock",)),
            ("ec2:Vpc", {"cidrBlock": "10.0.0.0/16"}, {"cidrBlock": "10.0.0.0/16", "tags": {"a": "b"}}, ()),
            ("ec2:Instance", {"ami": "a"}, {"ami": "a", "cpuOptions": {"amdSevSnp": "enabled"}}, ("cpuOptions",)),
            ("ec2:Instance", {"userDataBase64": "YQ=="}, {"userDataBase64": "Yg=="}, ("userDataBase64",)),
            ("s3:Bucket", {"bucket": "a"}, {"bucket": "a", "objectLockEnabled": True}, ("objectLockEnabled",)),
            ("kms:Key", {"multiRegion": False}, {"multiRegion": True}, ("multiRegion",)),
            ("kms:Key", {"enableKeyRotation": False}, {"enableKeyRotation": True}, ()),
            ("ec2:Vpc", {"cidrBlock": "10.0.0.0/16"}, {"cidrBlock": "10.0.0.0/16", "region": "us-east-1"}, ("region",)),
        ],
    )
    def test_replace_what_aws_does_not_change_in_place(
        self, bench: Bench, kind: str, before: dict[str, object], after: dict[str, object], replaces: tuple[str, ...]
    ) -> None:
        found = bench.diff(kind, Created("id", {}), before, after)
        assert found.changed
        assert found.replaces == replaces

    def test_compare_policies_as_json(self, bench: Bench) -> None:
        spaced = json.dumps(json.loads(TRUST), indent=4)
        role = bench.make("iam:Role", "it", assumeRolePolicy=TRUST)
        found = bench.diff("iam:Role", role, {"assumeRolePolicy": TRUST}, {"assumeRolePolicy": spaced})
        assert found.changed == ()

    def test_reach_moto(self, bench: Bench) -> None:
        vpc, _ = bench.network()
        group = bench.make("ec2:SecurityGroup", "group", vpcId=vpc.id, name="group")
        rule = {"protocol": "tcp", "fromPort": 443, "toPort": 443, "cidrBlocks": ["10.40.0.0/16"]}
        bench.change("ec2:SecurityGroup", "group", group, vpcId=vpc.id, name="group", egress=[rule])
        with bench.cloud.operation():
            found = bench.cloud.client("ec2", "eu-west-1").describe_security_groups(GroupIds=[group.id])
        (permission,) = found["SecurityGroups"][0]["IpPermissionsEgress"]
        assert permission["ToPort"] == 443


class TestKeys:
    def test_are_made_in_the_hsm_under_the_last_part_of_their_alias(
        self, bench: Bench, hardware: RecordingHardware
    ) -> None:
        key = bench.make("kms:Key", "key")
        bench.make("kms:Alias", "alias", name="alias/bailiwick/test/model-llm", targetKeyId=key.id)
        assert hardware.keys == ["model-llm"]

    def test_are_destroyed_when_their_waiting_period_has_ended(
        self, tmp_path: Path, hardware: RecordingHardware
    ) -> None:
        moment = [0.0]
        cloud = AwsCloud(tmp_path / "later", hardware, clock=lambda: moment[0])
        cloud.configure({"region": "eu-west-1"})
        bench = Bench(cloud)
        key = bench.make("kms:Key", "key", deletionWindowInDays=7)
        alias = bench.make("kms:Alias", "alias", name="alias/model-llm", targetKeyId=key.id)
        bench.remove("kms:Alias", "alias", alias)
        bench.remove("kms:Key", "key", key)
        moment[0] = 6 * 86_400
        cloud.configure({"region": "eu-west-1"})
        assert hardware.destroyed == []
        moment[0] = 8 * 86_400
        cloud.configure({"region": "eu-west-1"})
        assert hardware.destroyed == ["model-llm"]
        cloud.close()


class TestMachines:
    def test_boot_with_what_they_are_told(self, bench: Bench, hardware: RecordingHardware) -> None:
        vpc, subnet = bench.network()
        made = bench.machine("verifier-0", subnet, userDataBase64="eyJyb2xlIjoidmVyaWZpZXIifQ==")
        (machine,) = hardware.machines.values()
        assert machine.id == f"arn:aws:ec2:eu-west-1:{ACCOUNT}:instance/{made.id}/verifier-0"
        assert (machine.tee, machine.zone, machine.network_id) == ("snp", "eu-west-1a", vpc.id)
        assert machine.custom_data == b'{"role":"verifier"}'
        assert machine.image_reference.endswith("/images/verifier/versions/1.0.0")
        assert (machine.instance_id, machine.vtpm) == (made.id, True)
        assert machine.cloud_key == "CN=cc-eu-west-1.amazonaws.com"
        bench.remove("ec2:Instance", "verifier-0", made)
        assert hardware.machines == {}

    def test_without_snp_have_no_tee(self, bench: Bench, hardware: RecordingHardware) -> None:
        bench.machine("plain", bench.network()[1], cpuOptions=None)
        (machine,) = hardware.machines.values()
        assert machine.tee is None

    def test_of_an_image_that_was_registered_without_nitrotpm_have_none(
        self, bench: Bench, hardware: RecordingHardware
    ) -> None:
        with bench.cloud.operation():
            bench.cloud.client("ec2", "eu-west-1").register_image(Name="bailiwick-verifier-1.0.0")
        bench.machine("verifier-0", bench.network()[1])
        (machine,) = hardware.machines.values()
        assert machine.image_reference.endswith("/images/verifier/versions/1.0.0")
        assert not machine.vtpm

    def test_of_a_dedicated_host_sign_with_its_chip_s_own_key(self, bench: Bench, hardware: RecordingHardware) -> None:
        bench.cloud.configure({"region": "eu-central-1"})
        bench.machine("verifier-0", bench.network()[1], tenancy="host", hostId="h-0123456789abcdef0")
        (machine,) = hardware.machines.values()
        assert (machine.tee, machine.cloud_key) == ("snp", None)

    def test_of_a_group_boot_and_go_with_it(self, bench: Bench, hardware: RecordingHardware) -> None:
        _, subnet = bench.network()
        template = bench.make(
            "ec2:LaunchTemplate",
            "template",
            name="template",
            imageId=bench.image("inference-guest"),
            instanceType="c6a.large",
            cpuOptions={"amdSevSnp": "enabled"},
        )
        group = bench.make(
            "autoscaling:Group",
            "batch",
            name="batch",
            minSize=2,
            maxSize=2,
            vpcZoneIdentifiers=[subnet.id],
            launchTemplate={"id": template.id, "version": "1"},
        )
        assert [machine.tee for machine in hardware.machines.values()] == ["snp", "snp"]
        assert all(machine.vtpm and f"/{machine.instance_id}/" in machine.id for machine in hardware.machines.values())
        first = set(hardware.machines)
        settings = {"name": "batch", "vpcZoneIdentifiers": [subnet.id], "launchTemplate": {"id": template.id}}
        bench.change("autoscaling:Group", "batch", group, minSize=3, maxSize=3, **settings)
        assert len(hardware.machines) == 3
        assert first < set(hardware.machines)
        bench.change("autoscaling:Group", "batch", group, minSize=1, maxSize=1, desiredCapacity=1, **settings)
        assert len(hardware.machines) == 1
        bench.remove("autoscaling:Group", "batch", group)
        assert hardware.machines == {}

    def test_that_are_protected_stay_on(self, bench: Bench, hardware: RecordingHardware) -> None:
        made = bench.machine("it", bench.network()[1], disableApiTermination=True)
        with pytest.raises(ProviderError, match="OperationNotPermitted"):
            bench.remove("ec2:Instance", "it", made)
        assert len(hardware.machines) == 1


def test_a_service_control_policy_is_attached_to_the_account(bench: Bench) -> None:
    content = policy({"Effect": "Deny", "Action": "ec2:CreateInternetGateway", "Resource": "*"})
    made = bench.make("organizations:Policy", "guard", name="guard", content=content)
    attachment = bench.make("organizations:PolicyAttachment", "it", policyId=made.id, targetId=ACCOUNT)
    assert attachment.id == f"{ACCOUNT}:{made.id}"
    with bench.cloud.operation():
        organizations = bench.cloud.client("organizations", "eu-west-1")
        found = organizations.list_targets_for_policy(PolicyId=made.id)["Targets"]
    assert [each["TargetId"] for each in found] == [ACCOUNT]
