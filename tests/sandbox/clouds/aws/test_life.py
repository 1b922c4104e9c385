"""The life of an object in the emulated AWS: made, changed, replaced, kept, found and deleted."""

import itertools
import json
from pathlib import Path

import pytest

from sandbox.clouds.aws import AwsCloud, backends
from sandbox.clouds.aws.store import AwsStore
from sandbox.provider import Created, ProviderError
from sandbox.values import UNKNOWN
from tests.sandbox.clouds.aws.bench import ACCOUNT, TRUST, Bench, RecordingHardware, policy, token, urn


def _group(bench: Bench, subnet: Created) -> dict[str, object]:
    """A group of one machine, and its template."""
    name = f"template-{len(bench.cloud.store.of_kind(token('ec2:LaunchTemplate')))}"
    template = bench.make(
        "ec2:LaunchTemplate", name, name=name, imageId=bench.image("inference-guest"), instanceType="c6a.large"
    )
    return {
        "minSize": 1,
        "maxSize": 1,
        "vpcZoneIdentifiers": [subnet.id],
        "launchTemplate": {"id": template.id, "version": "1"},
    }


def _killed(_machine: object) -> None:
    raise KeyboardInterrupt


def _opened(folder: Path, hardware: RecordingHardware) -> AwsCloud:
    """The account in `folder` as another process has it."""
    cloud = AwsCloud(folder, hardware)
    cloud.configure({"region": "eu-west-1"})
    return cloud


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


class TestPersistence:
    def test_objects_outlive_the_process_with_their_ids(
        self, bench: Bench, tmp_path: Path, hardware: RecordingHardware
    ) -> None:
        vpc, _ = bench.network()
        bench.cloud.close()
        again = _opened(tmp_path, hardware)
        live = again.read(urn("ec2:Vpc", "vpc"), vpc.id, {})
        assert live is not None
        assert live.outputs == vpc.outputs
        with pytest.raises(ProviderError, match=r"InvalidSubnet\.Conflict"):
            Bench(again).make(
                "ec2:Subnet", "other", vpcId=vpc.id, cidrBlock="10.40.1.0/24", availabilityZone="eu-west-1a"
            )
        again.close()

    def test_a_killed_process_loses_nothing_that_was_confirmed(
        self, bench: Bench, tmp_path: Path, hardware: RecordingHardware
    ) -> None:
        vpc, subnet = bench.network()
        role = bench.make("iam:Role", "role", name="role", assumeRolePolicy=TRUST)
        managed = "arn:aws:iam::aws:policy/ReadOnlyAccess"
        bench.make("iam:RolePolicyAttachment", "attachment", role="role", policyArn=managed)
        machine = bench.machine("guest", subnet)
        again = Bench(_opened(tmp_path, hardware))  # the first one was never closed
        changed = again.change("iam:Role", "role", role, name="role", assumeRolePolicy=TRUST, tags={"a": "b"})
        assert changed["uniqueId"] == role.outputs["uniqueId"]
        with again.cloud.operation():
            ec2, iam = (again.cloud.client(service, "eu-west-1") for service in ("ec2", "iam"))
            assert vpc.id in [each["VpcId"] for each in ec2.describe_vpcs()["Vpcs"]]
            (found,) = ec2.describe_instances(InstanceIds=[machine.id])["Reservations"][0]["Instances"]
            assert found["PrivateIpAddress"] == machine.outputs["privateIp"]
            (attached,) = iam.list_attached_role_policies(RoleName="role")["AttachedPolicies"]
            assert attached["PolicyArn"] == managed
        again.cloud.close()

    def test_what_was_made_when_a_run_was_killed_is_found_and_switched_on(
        self, bench: Bench, tmp_path: Path, hardware: RecordingHardware, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The engine had no answer yet, so that it asks by the URN alone."""
        _, subnet = bench.network()
        monkeypatch.setattr(hardware, "boot", _killed)
        with pytest.raises(KeyboardInterrupt):
            bench.machine("guest", subnet)
        monkeypatch.undo()
        again = _opened(tmp_path, hardware)
        found = again.read(urn("ec2:Instance", "guest"), "", {})
        assert found is not None
        assert [machine.name for machine in hardware.machines.values()] == ["guest"]
        again.read(urn("ec2:Instance", "guest"), found.id, {})
        assert hardware.booted == 1
        assert again.read(urn("ec2:Instance", "other"), "", {}) is None
        again.close()

    def test_two_processes_see_what_the_other_did(
        self, bench: Bench, tmp_path: Path, hardware: RecordingHardware
    ) -> None:
        other = Bench(_opened(tmp_path, hardware))
        vpc, _ = bench.network()
        group = other.make("ec2:SecurityGroup", "group", name="group", vpcId=vpc.id)
        other.cloud.close()  # which writes a snapshot that the first one has not seen
        with pytest.raises(ProviderError, match=r"InvalidGroup\.Duplicate"):
            bench.make("ec2:SecurityGroup", "again", name="group", vpcId=vpc.id)
        bench.remove("ec2:SecurityGroup", "group", group)
        bench.make("ec2:SecurityGroup", "again", name="group", vpcId=vpc.id)

    def test_a_refused_request_leaves_the_others_ids_alone(
        self, bench: Bench, tmp_path: Path, hardware: RecordingHardware
    ) -> None:
        """What a half-made request drew is taken back, here and in the process after it."""
        vpc, _ = bench.network()
        rule = {"protocol": "tcp", "fromPort": 1, "toPort": 1, "cidrBlocks": ["no range"]}
        with pytest.raises(ProviderError, match="no range"):
            bench.make("ec2:SecurityGroup", "group", vpcId=vpc.id, name="group", ingress=[rule])
        group = bench.make("ec2:SecurityGroup", "group", vpcId=vpc.id, name="group")
        again = _opened(tmp_path, hardware)
        with again.operation():
            found = again.client("ec2", "eu-west-1").describe_security_groups(
                Filters=[{"Name": "group-name", "Values": ["group"]}]
            )
            assert [each["GroupId"] for each in found["SecurityGroups"]] == [group.id]
        again.close()

    def test_the_state_is_written_anew_only_when_the_calls_have_doubled(
        self, bench: Bench, tmp_path: Path, hardware: RecordingHardware, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(backends, "_FEWEST_CALLS", 8)
        vpc, _ = bench.network()
        reader = AwsStore(tmp_path / "cloud.db")
        snapshots = set()
        for number in range(60):
            bench.make("ec2:SecurityGroup", f"group-{number}", name=f"group-{number}", vpcId=vpc.id)
            snapshots.add(reader.snapshot_position())
        reader.close()
        assert all(2 * before <= after for before, after in itertools.pairwise(sorted(snapshots)))
        again = _opened(tmp_path, hardware)
        with again.operation():
            groups = again.client("ec2", "eu-west-1").describe_security_groups()["SecurityGroups"]
            assert len({each["GroupId"] for each in groups if each["GroupName"].startswith("group-")}) == 60
        again.close()

    def test_services_still_know_each_other_in_the_next_process(
        self, bench: Bench, tmp_path: Path, hardware: RecordingHardware
    ) -> None:
        """A group of the second run starts machines from a template of that run, in a subnet of the first."""
        _, subnet = bench.network()
        bench.make("autoscaling:Group", "first", name="first", **_group(bench, subnet))
        bench.cloud.close()
        again = Bench(_opened(tmp_path, hardware))
        again.make("autoscaling:Group", "second", name="second", **_group(again, subnet))
        assert len(hardware.machines) == 2
        again.cloud.close()

    def test_two_accounts_of_one_process_do_not_meet(self, bench: Bench, tmp_path: Path) -> None:
        bench.make("s3:Bucket", "bucket", bucket="audit")
        other = AwsCloud(tmp_path / "other", RecordingHardware())
        other.configure({"region": "eu-west-1"})
        Bench(other).make("s3:Bucket", "bucket", bucket="audit")
        other.close()
        with pytest.raises(ProviderError, match="BucketAlreadyOwnedByYou"):
            bench.make("s3:Bucket", "again", bucket="audit")

    def test_the_file_is_its_owners_alone_and_has_no_private_key(self, bench: Bench, tmp_path: Path) -> None:
        bench.make("kms:Key", "key", customerMasterKeySpec="RSA_2048", keyUsage="SIGN_VERIFY")
        bench.cloud.close()
        file = tmp_path / "cloud.db"
        assert file.stat().st_mode & 0o077 == 0
        assert b"PRIVATE KEY" not in file.read_bytes()


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


class TestNames:
    def test_lead_through_the_load_balancer_to_its_machines(self, bench: Bench) -> None:
        vpc, subnet = bench.network()
        machine = bench.machine("verifier-0", subnet)
        zone = bench.make("route53:Zone", "zone", name="test.internal", vpcs=[{"vpcId": vpc.id}])
        balancer = bench.make(
            "lb:LoadBalancer", "lb", name="lb", internal=True, loadBalancerType="network", subnets=[subnet.id]
        )
        group = bench.make("lb:TargetGroup", "group", name="group", port=8443, protocol="TCP", vpcId=vpc.id)
        bench.make("lb:TargetGroupAttachment", "target", targetGroupArn=group.id, targetId=machine.id)
        action = {"type": "forward", "targetGroupArn": group.id}
        bench.make("lb:Listener", "on", loadBalancerArn=balancer.id, port=8443, protocol="TCP", defaultActions=[action])
        alias = {
            "name": balancer.outputs["dnsName"],
            "zoneId": balancer.outputs["zoneId"],
            "evaluateTargetHealth": True,
        }
        bench.make("route53:Record", "record", zoneId=zone.id, name="verifier", type="A", aliases=[alias])
        found = bench.cloud.resolve("verifier.test.internal", vpc.id)
        assert found == [f"arn:aws:ec2:eu-west-1:{ACCOUNT}:instance/{machine.id}/verifier-0"]

    def test_lead_to_the_machine_that_has_an_address(self, bench: Bench) -> None:
        vpc, subnet = bench.network()
        machine = bench.machine("one", subnet)
        zone = bench.make("route53:Zone", "zone", name="test.internal", vpcs=[{"vpcId": vpc.id}])
        records = [machine.outputs["privateIp"]]
        bench.make("route53:Record", "record", zoneId=zone.id, name="one", type="A", ttl=60, records=records)
        assert [each.rsplit("/", 1)[1] for each in bench.cloud.resolve("one.test.internal", vpc.id)] == ["one"]

    def test_lead_nowhere_from_another_network(self, bench: Bench) -> None:
        vpc, subnet = bench.network()
        machine = bench.machine("one", subnet)
        zone = bench.make("route53:Zone", "zone", name="test.internal", vpcs=[{"vpcId": vpc.id}])
        records = [machine.outputs["privateIp"]]
        bench.make("route53:Record", "record", zoneId=zone.id, name="one", type="A", ttl=60, records=records)
        other = bench.make("ec2:Vpc", "other", cidrBlock="10.41.0.0/16")
        assert bench.cloud.resolve("one.test.internal", other.id) == []


def test_a_service_control_policy_is_attached_to_the_account(bench: Bench) -> None:
    content = policy({"Effect": "Deny", "Action": "ec2:CreateInternetGateway", "Resource": "*"})
    made = bench.make("organizations:Policy", "guard", name="guard", content=content)
    attachment = bench.make("organizations:PolicyAttachment", "it", policyId=made.id, targetId=ACCOUNT)
    assert attachment.id == f"{ACCOUNT}:{made.id}"
    with bench.cloud.operation():
        organizations = bench.cloud.client("organizations", "eu-west-1")
        found = organizations.list_targets_for_policy(PolicyId=made.id)["Targets"]
    assert [each["TargetId"] for each in found] == [ACCOUNT]


class TestTheWayToTheModels:
    HOST = "models.s3.eu-west-1.amazonaws.com"

    def _endpoint(self, bench: Bench, vpc: Created, **inputs: object) -> Created:
        service = "com.amazonaws.eu-west-1.s3"
        return bench.make("ec2:VpcEndpoint", f"s3-{len(inputs)}", vpcId=vpc.id, serviceName=service, **inputs)

    def test_is_absent_without_an_endpoint(self, bench: Bench) -> None:
        vpc, _ = bench.network()
        assert f"endpoint for com.amazonaws.eu-west-1.s3 is absent from {vpc.id}" in self._obstacle(bench, vpc)

    def test_is_an_interface_endpoint_whose_names_the_vpc_answers(self, bench: Bench) -> None:
        vpc, _ = bench.network()
        self._endpoint(bench, vpc, vpcEndpointType="Interface")
        assert "enable its private DNS" in self._obstacle(bench, vpc)
        self._endpoint(bench, vpc, vpcEndpointType="Interface", privateDnsEnabled=True)
        assert bench.cloud.object_obstacle(self.HOST, vpc.id) is None

    def test_is_the_same_endpoint_under_another_policy(self, bench: Bench) -> None:
        vpc, _ = bench.network()
        made = self._endpoint(bench, vpc, vpcEndpointType="Interface")
        inputs = {"vpcId": vpc.id, "serviceName": "com.amazonaws.eu-west-1.s3", "vpcEndpointType": "Interface"}
        ours = policy({"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "*", "Resource": "*"})
        assert bench.diff("ec2:VpcEndpoint", made, inputs, {**inputs, "policy": ours}).replaces == ()
        bench.change("ec2:VpcEndpoint", "s3-1", made, **inputs, policy=ours)
        with bench.cloud.operation():
            found = bench.cloud.client("ec2", "eu-west-1").describe_vpc_endpoints(VpcEndpointIds=[made.id])
        assert json.loads(found["VpcEndpoints"][0]["PolicyDocument"]) == json.loads(ours)

    def test_is_a_gateway_endpoint_that_a_route_table_uses(self, bench: Bench) -> None:
        vpc, _ = bench.network()
        table = bench.make("ec2:RouteTable", "table", vpcId=vpc.id, routes=[])
        self._endpoint(bench, vpc, vpcEndpointType="Gateway", routeTableIds=[table.id])
        assert bench.cloud.object_obstacle(self.HOST, vpc.id) is None

    def test_is_at_s3_in_the_region_and_the_partition(self, bench: Bench) -> None:
        assert bench.cloud.object_url("eu-west-1") == f"https://{{account}}{self.HOST[6:]}/{{container}}/{{blob}}"
        assert ".s3.eusc-de-east-1.amazonaws.eu/" in bench.cloud.object_url("eusc-de-east-1")

    def _obstacle(self, bench: Bench, vpc: Created) -> str:
        return bench.cloud.object_obstacle(self.HOST, vpc.id) or ""
