"""Google Cloud's virtual machines."""

from collections.abc import Iterator

from policies.subject import Resource
from policies.terms import Machine, Matching, OneOf, Setting, Unwanted

_INSTANCE = "gcp:compute:Instance"
_TEMPLATES = frozenset({"gcp:compute:InstanceTemplate", "gcp:compute:RegionInstanceTemplate"})
_CONFIDENTIAL = ("SEV_SNP", "TDX")
_OFF = OneOf(("FALSE", False))
_IMAGE = Matching(r"(?:.*/)?images/(?!family/)[^/]+", "an image by its name, never by its family")

_METADATA_DOORS = {
    "ssh-keys": "a login from outside",
    "startup-script": "code that the operator can put into the machine",
    "startup-script-url": "code that the operator can put into the machine",
    "shutdown-script": "code that the operator can put into the machine",
}


def machine(resource: Resource) -> Machine | None:
    """`resource` as a machine, or as the template of machines."""
    if resource.type == _INSTANCE:
        image = resource.props.at("bootDisk", "initializeParams", "image")
    elif resource.type in _TEMPLATES:
        disks = resource.props.at("disks").items()
        image = disks[0].at("sourceImage") if disks else resource.props.at("disks", "sourceImage")
    else:
        return None
    kind = resource.props.at("confidentialInstanceConfig", "confidentialInstanceType")
    shield = resource.props.at("shieldedInstanceConfig")
    return Machine(
        confidential=Setting(kind, OneOf(_CONFIDENTIAL), ("SEV",)),
        secure_boot=Setting(shield.at("enableSecureBoot"), OneOf((True,))),
        virtual_tpm=Setting(shield.at("enableVtpm"), OneOf((True,))),
        disk_binding=None,
        disk_key=None,
        guest_configurations=(resource.props.at("metadata", "user-data"),),
        size=resource.props.at("machineType"),
        image=Setting(image, _IMAGE),
    )


def side_doors(resource: Resource) -> Iterator[Setting | Unwanted]:
    """What lets somebody into a machine beside its measured boot."""
    if resource.type != _INSTANCE and resource.type not in _TEMPLATES:
        return
    metadata = resource.props.at("metadata")
    yield Setting(metadata.at("block-project-ssh-keys"), OneOf(("TRUE", True)))
    for key in ("serial-port-enable", "enable-oslogin", "enable-guest-attributes"):
        yield Setting(metadata.at(key), _OFF, unless_stated=True)
    for key, what in _METADATA_DOORS.items():
        yield Unwanted(metadata.at(key), what)
    yield Unwanted(resource.props.at("metadataStartupScript"), _METADATA_DOORS["startup-script"])
    nested = resource.props.at("advancedMachineFeatures", "enableNestedVirtualization")
    yield Setting(nested, OneOf((False,)), unless_stated=True)
