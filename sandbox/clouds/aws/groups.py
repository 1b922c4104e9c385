"""Launch templates, and the Auto Scaling groups that start machines from them."""

from sandbox.clouds.aws import compute_rules, images
from sandbox.clouds.aws.compute import cloud_key
from sandbox.clouds.aws.network import arn_of, retag, tagged
from sandbox.clouds.aws.resource import AwsType, Call
from sandbox.clouds.hardware import Machine
from sandbox.clouds.resource import CloudError, View
from sandbox.provider import Properties
from sandbox.values import Value

_TEMPLATE = "aws:ec2/launchTemplate:LaunchTemplate"
_RUNNING = "running members"
"""Space of claims: which instances of a group the hardware has been told to start."""


def _data(call: Call) -> dict[str, Value]:
    """LaunchTemplateData of the inputs that EC2 and the emulated hardware look at."""
    inputs = call.inputs
    profile = call.given(Name=inputs["iamInstanceProfile.name"], Arn=inputs["iamInstanceProfile.arn"])
    return call.given(
        ImageId=inputs["imageId"],
        InstanceType=inputs["instanceType"],
        UserData=inputs["userData"],
        SecurityGroupIds=inputs["vpcSecurityGroupIds"],
        CpuOptions=call.given(AmdSevSnp=inputs["cpuOptions.amdSevSnp"]),
        IamInstanceProfile=profile,
    )


def _create_template(call: Call) -> str:
    request = call.given(
        LaunchTemplateName=call.name,
        LaunchTemplateData=_data(call),
        TagSpecifications=tagged("launch-template", call),
    )
    return str(call.client("ec2").create_launch_template(**request)["LaunchTemplate"]["LaunchTemplateId"])


def _change_template(call: Call) -> None:
    """A template never changes: it gets another version."""
    ec2 = call.client("ec2")
    ec2.create_launch_template_version(LaunchTemplateId=call.id, LaunchTemplateData=_data(call))
    retag(call)


def _template(call: Call) -> Properties:
    found = call.client("ec2").describe_launch_templates(LaunchTemplateIds=[call.id])["LaunchTemplates"][0]
    return {
        "arn": arn_of(call, f"launch-template/{call.id}"),
        "defaultVersion": found["DefaultVersionNumber"],
        "latestVersion": found["LatestVersionNumber"],
    }


def _group_settings(call: Call) -> dict[str, Value]:
    inputs = call.inputs
    return call.given(
        AutoScalingGroupName=call.name,
        MinSize=int(inputs["minSize"]),
        MaxSize=int(inputs["maxSize"]),
        DesiredCapacity=int(inputs["desiredCapacity"] if inputs["desiredCapacity"] is not None else inputs["minSize"]),
        LaunchTemplate=call.given(
            LaunchTemplateId=inputs["launchTemplate.id"],
            LaunchTemplateName=inputs["launchTemplate.name"],
            Version=inputs["launchTemplate.version"] or "$Latest",
        ),
        VPCZoneIdentifier=",".join(inputs["vpcZoneIdentifiers"] or ()),
    )


def _grow(call: Call, members: int) -> None:
    """The machines that the group is to have more than `members` are within the quota."""
    wanted = int(call.inputs["desiredCapacity"] or call.inputs["minSize"])
    template = call.session.record(_TEMPLATE, call.region, call.inputs.text("launchTemplate.id"))
    compute_rules.within_quota(call, View(template.inputs).text("instanceType"), max(0, wanted - members))


def _change_group(call: Call) -> None:
    _grow(call, len(_members(call)))
    call.client("autoscaling").update_auto_scaling_group(**_group_settings(call))


def _create_group(call: Call) -> str:
    _grow(call, 0)
    extra = call.given(
        TargetGroupARNs=call.inputs["targetGroupArns"],
        HealthCheckType=call.inputs["healthCheckType"],
        Tags=[
            {
                "Key": tag.text("key"),
                "Value": tag.text("value"),
                "PropagateAtLaunch": tag["propagateAtLaunch"] is True,
                "ResourceId": call.name,
                "ResourceType": "auto-scaling-group",
            }
            for tag in call.inputs.items("tags")
        ],
    )
    call.client("autoscaling").create_auto_scaling_group(**_group_settings(call), **extra)
    return call.name


def _template_exists(call: Call) -> None:
    template = call.inputs["launchTemplate.id"]
    if template and not call.preview:
        call.client("ec2").describe_launch_templates(LaunchTemplateIds=[template])


def _sizes_are_ordered(call: Call) -> None:
    low, high = int(call.inputs["minSize"]), int(call.inputs["maxSize"])
    wanted = call.inputs["desiredCapacity"]
    if low > high or (wanted is not None and not low <= wanted <= high):
        raise CloudError(
            "ValidationError",
            f"Desired capacity:{low if wanted is None else int(wanted)} must be between the specified min size:{low}"
            f" and max size:{high}",
        )


def _group(call: Call) -> Properties:
    found = call.client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[call.id])
    group = found["AutoScalingGroups"][0]
    return {
        "arn": str(group["AutoScalingGroupARN"]).replace("arn:aws:", f"arn:{_partition(call)}:"),
        "desiredCapacity": group["DesiredCapacity"],
        "availabilityZones": group["AvailabilityZones"],
    }


def _partition(call: Call) -> str:
    return arn_of(call, "").split(":")[1]


def _members(call: Call) -> list[str]:
    found = call.client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[call.id])
    return [each["InstanceId"] for group in found["AutoScalingGroups"] for each in group["Instances"]]


def _machine_name(call: Call, instance: str) -> str:
    """Members carry the group's name and their own id: the emulated hardware knows a machine by its name."""
    return f"{call.id}-{instance}"


def _machine_id(call: Call, instance: str) -> str:
    return f"{arn_of(call, f'instance/{instance}')}/{_machine_name(call, instance)}"


def _boot(call: Call) -> None:
    """Boot the members that do not run yet, as the launch template says, and switch off what is none any more."""
    session = call.session
    machines = []
    with session.operation():
        members, running = _members(call), session.store.claims.held(_RUNNING, call.key)
        template = session.record(_TEMPLATE, call.region, call.inputs.text("launchTemplate.id"))
        view = View(template.inputs)
        ec2 = call.client("ec2")
        image = images.gallery_reference(session, call.region, view.text("imageId"))
        nitro_tpm = images.has_nitro_tpm(session, call.region, view.text("imageId"))
        for instance in members:
            if instance in running:
                continue
            found = ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]
            machines.append(
                Machine(
                    id=_machine_id(call, instance),
                    name=_machine_name(call, instance),
                    location=call.region,
                    zone=found["Placement"]["AvailabilityZone"],
                    size=view.text("instanceType"),
                    tee="snp" if compute_rules.wants_snp(view) else None,
                    image_reference=image,
                    custom_data=compute_rules.told(View({"userDataBase64": view["userData"]})),
                    private_ip=str(found.get("PrivateIpAddress") or ""),
                    network_id=str(found.get("VpcId") or ""),
                    secure_boot=True,
                    vtpm=nitro_tpm,
                    instance_id=instance,
                    cloud_key=cloud_key(call.region),
                )
            )
    for instance in set(running) - set(members):
        session.hardware.power_off(_machine_id(call, instance))
    for machine in machines:
        session.hardware.boot(machine)
    with session.operation():
        session.store.claims.release(call.key, _RUNNING)
        for instance in members:
            session.store.claims.take(_RUNNING, instance, call.key)


def _remove_group(call: Call) -> None:
    members = _members(call)
    call.client("autoscaling").delete_auto_scaling_group(AutoScalingGroupName=call.id, ForceDelete=True)
    if members:
        call.client("ec2").terminate_instances(InstanceIds=members)


def _power_off(call: Call) -> None:
    with call.session.operation():
        members = _members(call)
    for instance in members:
        call.session.hardware.power_off(_machine_id(call, instance))


TYPES = (
    AwsType(
        pulumi_type=_TEMPLATE,
        create=_create_template,
        change=_change_template,
        remove=lambda call: call.client("ec2").delete_launch_template(LaunchTemplateId=call.id),
        answer=_template,
        in_place=frozenset(
            {
                "tags",
                "imageId",
                "instanceType",
                "userData",
                "vpcSecurityGroupIds",
                "cpuOptions",
                "blockDeviceMappings",
                "iamInstanceProfile",
                "metadataOptions",
                "tagSpecifications",
                "updateDefaultVersion",
                "description",
            }
        ),
        name_property="name",
        checks=(
            compute_rules.snp_is_offered,
            compute_rules.snp_excludes,
            compute_rules.image_boots,
            compute_rules.image_has_its_tpm,
        ),
    ),
    AwsType(
        pulumi_type="aws:autoscaling/group:Group",
        create=_create_group,
        change=_change_group,
        remove=_remove_group,
        answer=_group,
        in_place=frozenset(
            {"minSize", "maxSize", "desiredCapacity", "launchTemplate", "vpcZoneIdentifiers", "tags", "healthCheckType"}
        ),
        name_property="name",
        checks=(_template_exists, _sizes_are_ordered),
        started=_boot,
        changed=_boot,
        stopped=_power_off,
    ),
)
