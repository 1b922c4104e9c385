"""AWS's virtual machines."""

from collections.abc import Iterator

from policies.subject import Property, Resource
from policies.terms import Machine, Matching, OneOf, Setting, Unwanted

_MACHINES = frozenset({"aws:ec2:Instance", "aws:ec2:LaunchTemplate"})
_IMAGE = Matching(r"ami-[0-9a-f]{8,17}", "the id of an image (ami-…)")
_INTRUDERS = {
    "aws:ssm:Association": "a command that the operator runs inside",
    "aws:ec2:SerialConsoleAccess": "a console of the operator",
    "aws:ec2transitgateway:InstanceConnectEndpoint": "a login from outside",
}


def machine(resource: Resource) -> Machine | None:
    """`resource` as a machine, or as the template of machines. Secure boot and the TPM are the image's own matter."""
    if resource.type not in _MACHINES:
        return None
    props = resource.props
    encoded = props.at("userDataBase64")  # AWS takes one of the two; the other one is computed from it
    image = props.at("ami") if resource.type == "aws:ec2:Instance" else props.at("imageId")
    return Machine(
        confidential=Setting(props.at("cpuOptions", "amdSevSnp"), OneOf(("enabled",)), ("disabled",)),
        secure_boot=None,
        virtual_tpm=None,
        disk_binding=None,
        disk_key=None,
        guest_configurations=(encoded if encoded.stated else props.at("userData"),),
        size=props.at("instanceType"),
        image=Setting(image, _IMAGE),
    )


def side_doors(resource: Resource) -> Iterator[Setting | Unwanted]:
    """What lets somebody into a machine beside its measured boot."""
    if resource.type in _INTRUDERS:
        yield Unwanted(Property("type", resource.type), _INTRUDERS[resource.type])
    if resource.type in _MACHINES:
        yield Unwanted(resource.props.at("keyName"), "a login from outside")
        tokens = resource.props.at("metadataOptions", "httpTokens")
        yield Setting(tokens, OneOf(("required",)), ("optional",), switch=True)
