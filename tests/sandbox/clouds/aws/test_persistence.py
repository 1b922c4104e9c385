"""What the emulated AWS keeps: across processes, kills and refused requests, and between processes at once."""

import itertools
from pathlib import Path

import pytest

from sandbox.clouds.aws import AwsCloud, backends
from sandbox.clouds.aws.store import AwsStore
from sandbox.provider import Created, ProviderError
from tests.sandbox.clouds.aws.bench import TRUST, Bench, RecordingHardware, token, urn


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


def test_objects_outlive_the_process_with_their_ids(bench: Bench, tmp_path: Path, hardware: RecordingHardware) -> None:
    vpc, _ = bench.network()
    bench.cloud.close()
    again = _opened(tmp_path, hardware)
    live = again.read(urn("ec2:Vpc", "vpc"), vpc.id, {})
    assert live is not None
    assert live.outputs == vpc.outputs
    with pytest.raises(ProviderError, match=r"InvalidSubnet\.Conflict"):
        Bench(again).make("ec2:Subnet", "other", vpcId=vpc.id, cidrBlock="10.40.1.0/24", availabilityZone="eu-west-1a")
    again.close()


def test_a_killed_process_loses_nothing_that_was_confirmed(
    bench: Bench, tmp_path: Path, hardware: RecordingHardware
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
    bench: Bench, tmp_path: Path, hardware: RecordingHardware, monkeypatch: pytest.MonkeyPatch
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


def test_two_processes_see_what_the_other_did(bench: Bench, tmp_path: Path, hardware: RecordingHardware) -> None:
    other = Bench(_opened(tmp_path, hardware))
    vpc, _ = bench.network()
    group = other.make("ec2:SecurityGroup", "group", name="group", vpcId=vpc.id)
    other.cloud.close()  # which writes a snapshot that the first one has not seen
    with pytest.raises(ProviderError, match=r"InvalidGroup\.Duplicate"):
        bench.make("ec2:SecurityGroup", "again", name="group", vpcId=vpc.id)
    bench.remove("ec2:SecurityGroup", "group", group)
    bench.make("ec2:SecurityGroup", "again", name="group", vpcId=vpc.id)


def test_a_refused_request_leaves_the_others_ids_alone(
    bench: Bench, tmp_path: Path, hardware: RecordingHardware
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
    bench: Bench, tmp_path: Path, hardware: RecordingHardware, monkeypatch: pytest.MonkeyPatch
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
    bench: Bench, tmp_path: Path, hardware: RecordingHardware
) -> None:
    """A group of the second run starts machines from a template of that run, in a subnet of the first."""
    _, subnet = bench.network()
    bench.make("autoscaling:Group", "first", name="first", **_group(bench, subnet))
    bench.cloud.close()
    again = Bench(_opened(tmp_path, hardware))
    again.make("autoscaling:Group", "second", name="second", **_group(again, subnet))
    assert len(hardware.machines) == 2
    again.cloud.close()


def test_two_accounts_of_one_process_do_not_meet(bench: Bench, tmp_path: Path) -> None:
    bench.make("s3:Bucket", "bucket", bucket="audit")
    other = AwsCloud(tmp_path / "other", RecordingHardware())
    other.configure({"region": "eu-west-1"})
    Bench(other).make("s3:Bucket", "bucket", bucket="audit")
    other.close()
    with pytest.raises(ProviderError, match="BucketAlreadyOwnedByYou"):
        bench.make("s3:Bucket", "again", bucket="audit")


def test_the_file_is_its_owners_alone_and_has_no_private_key(bench: Bench, tmp_path: Path) -> None:
    bench.make("kms:Key", "key", customerMasterKeySpec="RSA_2048", keyUsage="SIGN_VERIFY")
    bench.cloud.close()
    file = tmp_path / "cloud.db"
    assert file.stat().st_mode & 0o077 == 0
    assert b"PRIVATE KEY" not in file.read_bytes()
