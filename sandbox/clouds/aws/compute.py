"""Amazon EC2: machines."""

from sandbox.clouds.aws import compute_rules, images
from sandbox.clouds.aws.network import arn_of, retag, tagged
from sandbox.clouds.aws.resource import AwsType, Call
from sandbox.clouds.hardware import Machine
from sandbox.clouds.resource import CloudError
from sandbox.provider import Properties
from sandbox.values import Value

INSTANCE = "aws:ec2/instance:Instance"


def machine_id(call: Call, instance_id: str) -> str:
    """How the emulated hardware knows a machine: the instance's ARN and its name."""
    return f"{arn_of(call, f'instance/{instance_id}')}/{call.tag_mapping.get('Name') or instance_id}"


def _create(call: Call) -> str:
    inputs = call.inputs
    placement = call.given(
        AvailabilityZone=inputs["availabilityZone"], Tenancy=inputs["tenancy"], HostId=inputs["hostId"]
    )
    request = call.given(
        ImageId=inputs["ami"],
        InstanceType=inputs["instanceType"],
        SubnetId=inputs["subnetId"],
        SecurityGroupIds=inputs["vpcSecurityGroupIds"],
        PrivateIpAddress=inputs["privateIp"],
        UserData=_text(call),
        Placement=placement,
        CpuOptions=call.given(AmdSevSnp=inputs["cpuOptions.amdSevSnp"]),
        TagSpecifications=tagged("instance", call),
    )
    if inputs["iamInstanceProfile"]:
        request["IamInstanceProfile"] = {"Name": inputs["iamInstanceProfile"]}
    if inputs["metadataOptions"] is not None:
        request["MetadataOptions"] = _metadata(call)
    compute_rules.within_quota(call, inputs.text("instanceType"), 1)
    made = call.client("ec2").run_instances(MinCount=1, MaxCount=1, **request)
    return str(made["Instances"][0]["InstanceId"])


def _text(call: Call) -> str | None:
    data = compute_rules.told(call.inputs)
    return None if data is None else data.decode("latin-1")


def _metadata(call: Call) -> dict[str, Value]:
    options = call.inputs["metadataOptions"]
    hops = options.get("httpPutResponseHopLimit")
    return call.given(
        HttpEndpoint=options.get("httpEndpoint"),
        HttpTokens=options.get("httpTokens"),
        HttpPutResponseHopLimit=None if hops is None else int(hops),
        InstanceMetadataTags=options.get("instanceMetadataTags"),
    )


def _profile_exists(call: Call) -> None:
    """moto takes any profile name; EC2 looks."""
    name = call.inputs["iamInstanceProfile"]
    if not name or call.preview:
        return
    iam = call.client("iam")
    try:
        iam.get_instance_profile(InstanceProfileName=name)
    except iam.exceptions.NoSuchEntityException:
        raise CloudError(
            "InvalidParameterValue",
            f"Value ({name}) for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance Profile name",
        ) from None


def _answer(call: Call) -> Properties:
    found = call.client("ec2").describe_instances(InstanceIds=[call.id])["Reservations"][0]["Instances"][0]
    return {
        "arn": arn_of(call, f"instance/{call.id}"),
        "availabilityZone": found["Placement"]["AvailabilityZone"],
        "instanceState": found["State"]["Name"],
        "privateIp": found.get("PrivateIpAddress"),
        "privateDns": found.get("PrivateDnsName"),
        "publicIp": found.get("PublicIpAddress") if call.inputs["associatePublicIpAddress"] else "",
        "primaryNetworkInterfaceId": (found.get("NetworkInterfaces") or [{}])[0].get("NetworkInterfaceId"),
    }


def _remove(call: Call) -> None:
    call.client("ec2").terminate_instances(InstanceIds=[call.id])


def _power_off(call: Call) -> None:
    if call.inputs["disableApiTermination"]:
        raise CloudError(
            "OperationNotPermitted",
            f"The instance '{call.id}' may not be terminated. Modify its 'disableApiTermination' instance attribute and"
            " try again.",
        )
    call.session.hardware.power_off(machine_id(call, call.id))


def cloud_key(region: str) -> str:
    """Whom AMD names in the key (cspID of the VLEK) with which EC2's shared hosts in a region sign SEV-SNP reports."""
    return f"CN=cc-{region}.amazonaws.com"


def _boot(call: Call) -> None:
    session, inputs = call.session, call.inputs
    with session.operation():
        found = call.client("ec2").describe_instances(InstanceIds=[call.id])["Reservations"][0]["Instances"][0]
        image = images.gallery_reference(session, call.region, inputs.text("ami"))
        nitro_tpm = images.has_nitro_tpm(session, call.region, inputs.text("ami"))
    session.hardware.boot(
        Machine(
            id=machine_id(call, call.id),
            name=call.tag_mapping.get("Name") or call.id,
            location=call.region,
            zone=found["Placement"]["AvailabilityZone"],
            size=inputs.text("instanceType"),
            tee="snp" if compute_rules.wants_snp(inputs) else None,
            image_reference=image,
            custom_data=compute_rules.told(inputs),
            private_ip=str(found.get("PrivateIpAddress") or ""),
            network_id=str(found.get("VpcId") or ""),
            secure_boot=True,
            vtpm=nitro_tpm,
            instance_id=call.id,
            cloud_key=None if inputs.text("tenancy") == "host" else cloud_key(call.region),
        )
    )


TYPES = (
    AwsType(
        pulumi_type=INSTANCE,
        create=_create,
        change=retag,
        remove=_remove,
        answer=_answer,
        in_place=frozenset({"tags", "vpcSecurityGroupIds", "metadataOptions", "disableApiTermination", "volumeTags"}),
        checks=(
            compute_rules.size_exists,
            compute_rules.snp_is_offered,
            compute_rules.snp_excludes,
            compute_rules.image_boots,
            compute_rules.image_has_its_tpm,
            compute_rules.user_data_fits,
            _profile_exists,
        ),
        started=_boot,
        stopped=_power_off,
    ),
)
