"""What EC2 refuses about a machine that moto lets pass: the catalogue's facts on SNP, and what excludes what."""

import base64
import binascii

import catalog
from sandbox.clouds import quotas
from sandbox.clouds.aws import images, places
from sandbox.clouds.aws.resource import Call
from sandbox.clouds.resource import CloudError, View

_USER_DATA_BYTES = 16 * 1024
_UEFI = ("uefi", "uefi-preferred")


def wants_snp(inputs: View) -> bool:
    """Whether a machine is to run with AMD SEV-SNP."""
    return inputs.text("cpuOptions.amdSevSnp") == "enabled"


def snp_is_offered(call: Call) -> None:
    """The size has SNP, and the region has it on the tenancy that is asked for."""
    inputs = call.inputs
    if not wants_snp(inputs) or not inputs["instanceType"]:
        return
    size, region = inputs.text("instanceType"), call.region
    machine = places.machine(region, size)
    if machine is None or machine.tee != "snp":
        hint = f" Supported there: {', '.join(_sizes(region)[:6])}, …" if _sizes(region) else ""
        raise CloudError(
            "InvalidParameterCombination",
            f"The specified instance type {size} does not support AMD SEV-SNP in {region}.{hint}",
        )
    tenancy = "dedicated-host" if inputs.text("tenancy") == "host" else "shared"
    if tenancy not in machine.tenancy(region):
        offered = " or ".join(machine.tenancy(region)) or "no tenancy"
        raise CloudError(
            "Unsupported",
            f"AMD SEV-SNP is not supported on the requested tenancy for {size} in {region}; it is on {offered}.",
        )


def _sizes(region: str) -> list[str]:
    cloud = places.place(region).cloud
    return [machine.size for machine in catalog.load().machine_types(cloud, region=region, tee="snp")]


def snp_excludes(call: Call) -> None:
    """No hibernation and no Nitro Enclave in a machine with SNP."""
    if not wants_snp(call.inputs):
        return
    for path, what in (("hibernation", "Hibernation"), ("enclaveOptions.enabled", "Nitro Enclaves")):
        if call.inputs[path] is True:
            raise CloudError("InvalidParameterCombination", f"{what} is not supported with AMD SEV-SNP.")


def image_boots(call: Call) -> None:
    """The AMI exists, and boots by UEFI where SNP is asked for."""
    ami = call.inputs.text("ami") or call.inputs.text("imageId")
    if call.preview or not ami:
        return
    mode = images.describe(call.session, call.region, ami).get("BootMode", "legacy-bios")
    if wants_snp(call.inputs) and mode not in _UEFI:
        raise CloudError(
            "InvalidParameterCombination",
            f"AMD SEV-SNP requires an AMI with boot mode uefi or uefi-preferred; {ami} has {mode}.",
        )


def image_has_its_tpm(call: Call) -> None:
    """An AMI that was registered with NitroTPM starts on sizes that have one (EC2 user guide, "Requirements for using
    NitroTPM"), as DescribeInstanceTypes says it."""
    ami, size = call.inputs.text("ami") or call.inputs.text("imageId"), call.inputs.text("instanceType")
    if call.preview or not ami or not size or not images.has_nitro_tpm(call.session, call.region, ami):
        return
    (found,) = call.client("ec2").describe_instance_types(InstanceTypes=[size])["InstanceTypes"]
    if found.get("NitroTpmSupport") != "supported":
        raise CloudError(
            "UnsupportedOperation", f"The AMI {ami} requires NitroTPM, which instance type {size} does not support."
        )


def size_exists(call: Call) -> None:
    """EC2 knows the size, and the region offers it as far as the catalogue says."""
    size = call.inputs.text("instanceType")
    if not size or call.preview:
        return
    ec2 = call.client("ec2")
    try:
        ec2.describe_instance_types(InstanceTypes=[size])
    except ec2.exceptions.ClientError:
        raise CloudError("InvalidParameterValue", f"Invalid value '{size}' for InstanceType.") from None


def told(inputs: View) -> bytes | None:
    """The user data, decoded; None where there is none. Raises `CloudError` for what EC2 refuses."""
    if inputs["userData"] is not None:
        return inputs.text("userData").encode()
    encoded = inputs["userDataBase64"]
    if encoded is None:
        return None
    try:
        return base64.b64decode(str(encoded), validate=True)
    except (binascii.Error, ValueError):
        raise CloudError("InvalidParameterValue", "Invalid BASE64 encoding of user data.") from None


def within_quota(call: Call, size: str, count: int) -> None:
    """`count` more machines are within the region's quotas on vCPUs; a preview leaves it to the deployment."""
    if call.preview:
        return
    running = [{"Name": "instance-state-name", "Values": ["pending", "running"]}]
    reservations = call.client("ec2").describe_instances(Filters=running)["Reservations"]
    others = [(str(each["InstanceType"]), 1) for reservation in reservations for each in reservation["Instances"]]
    found = quotas.excess(places.PROVIDER, size, count, others)
    if found is not None:
        raise CloudError(
            "VcpuLimitExceeded",
            "RunInstances: You have requested more vCPU capacity than your current vCPU limit of"
            f" {found.quota.limit} allows for the instance bucket that the specified instance type belongs to"
            f" ({found.quota.name}: {found.used} in use, {found.needed} more requested). Please visit"
            " http://aws.amazon.com/contact-us/ec2-request to request an adjustment to this limit.",
        )


def user_data_fits(call: Call) -> None:
    """User data is base64 of at most 16 KiB."""
    data = told(call.inputs)
    if data is not None and len(data) > _USER_DATA_BYTES:
        raise CloudError("InvalidParameterValue", "User data is limited to 16384 bytes")
