"""Machine images of the emulated account: the build's own, each an AMI named `bailiwick-<name>-<version>`.

The account has an AMI for each image of the hardware's gallery, for UEFI and with NitroTPM (EC2 user guide, "Create an
attestable AMI"). It is registered when somebody first looks for it, and keeps its id.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from sandbox.clouds.aws.resource import Session
from sandbox.clouds.resource import CloudError
from sandbox.provider import Properties

_NAME: Final = re.compile(r"bailiwick-(?P<name>[a-z0-9-]+)-(?P<version>\d+\.\d+\.\d+)")
_ROOT: Final = "/dev/sda1"
_TPM_SUPPORT: Final = "v2.0"
_TPM_TAG: Final = "emulated:tpm-support"
"""Where an AMI keeps `TpmSupport`, which moto drops from RegisterImage."""


def reference(name: str, version: str) -> str:
    """How the emulated hardware's gallery names an image, whatever the cloud calls it."""
    gallery = "/subscriptions/emulated/resourceGroups/bailiwick-images/providers/Microsoft.Compute/galleries/bailiwick"
    return f"{gallery}/images/{name}/versions/{version}"


def lookup(session: Session, region: str, args: Properties) -> Properties:
    """Answer `aws.ec2.getAmi`: the one image of the account that the filters leave."""
    filters = [{"Name": each["name"], "Values": list(each["values"])} for each in args.get("filters") or ()]
    for wanted in (value for each in filters if each["Name"] == "name" for value in each["Values"]):
        _register(session, region, str(wanted))
    ec2 = session.client("ec2", region)
    owners = {"Owners": list(args["owners"])} if args.get("owners") else {}
    found = ec2.describe_images(Filters=filters, **owners)["Images"]
    if not found:
        raise CloudError(
            "NoResults", "Your query returned no results. Please change your search criteria and try again."
        )
    if len(found) > 1 and not args.get("mostRecent"):
        raise CloudError(
            "TooManyResults",
            "Your query returned more than one result. Please try a more specific search criteria, or set"
            " `most_recent` attribute to true.",
        )
    image = found[-1]
    return {
        "id": image["ImageId"],
        "imageId": image["ImageId"],
        "name": image["Name"],
        "architecture": image.get("Architecture", "x86_64"),
        "bootMode": image.get("BootMode"),
        "tpmSupport": _tpm_support(image),
        "rootDeviceName": image.get("RootDeviceName", _ROOT),
        "ownerId": image.get("OwnerId"),
        "state": image["State"],
    }


def gallery_reference(session: Session, region: str, ami: str) -> str:
    """The gallery's name of what an AMI holds; the AMI's own id where it is not one of the build's."""
    match = _NAME.fullmatch(str(describe(session, region, ami).get("Name")))
    return reference(match["name"], match["version"]) if match else ami


def has_nitro_tpm(session: Session, region: str, ami: str) -> bool:
    """Whether machines of an AMI have a NitroTPM: whoever registered it asked for one."""
    return bool(_tpm_support(describe(session, region, ami)))


def _tpm_support(image: Mapping[str, Any]) -> str:
    return next((str(tag["Value"]) for tag in image.get("Tags", ()) if tag["Key"] == _TPM_TAG), "")


def describe(session: Session, region: str, ami: str) -> dict[str, Any]:
    """The AMI as EC2 describes it. boto3 raises where there is none."""
    found: dict[str, Any] = session.client("ec2", region).describe_images(ImageIds=[ami])["Images"][0]
    return found


def _register(session: Session, region: str, name: str) -> None:
    match = _NAME.fullmatch(name)
    if match is None or session.hardware.image(reference(match["name"], match["version"])) is None:
        return
    ec2 = session.client("ec2", region)
    if not ec2.describe_images(Filters=[{"Name": "name", "Values": [name]}])["Images"]:
        made = ec2.register_image(
            Name=name,
            Architecture="x86_64",
            RootDeviceName=_ROOT,
            BootMode="uefi",
            TpmSupport=_TPM_SUPPORT,
            VirtualizationType="hvm",
            BlockDeviceMappings=[{"DeviceName": _ROOT, "Ebs": {"VolumeSize": 8}}],
        )
        ec2.create_tags(Resources=[made["ImageId"]], Tags=[{"Key": _TPM_TAG, "Value": _TPM_SUPPORT}])
