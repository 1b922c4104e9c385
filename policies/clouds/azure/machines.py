"""Azure's virtual machines."""

from collections.abc import Iterator

from policies.subject import Property, Resource
from policies.terms import Machine, Matching, OneOf, Reference, Setting, Unwanted

_MACHINE = "azure-native:compute:VirtualMachine"
_SCALE_SET = "azure-native:compute:VirtualMachineScaleSet"
_INTRUDERS = {
    "azure-native:compute:VirtualMachineExtension": "code that the operator can put into the machine",
    "azure-native:compute:VirtualMachineScaleSetExtension": "code that the operator can put into the machine",
    "azure-native:compute:VirtualMachineRunCommandByVirtualMachine": "a command that the operator runs inside",
    "azure-native:serialconsole:SerialPort": "a console of the operator",
}
_VERSION = r"\d{1,9}\.\d{1,9}\.\d{1,9}"

# Values of the enumerations (compute API 2024-11-01) that may be printed.
_SECURITY_TYPES = ("TrustedLaunch", "ConfidentialVM", "Standard")
_DISK_ENCRYPTIONS = ("VMGuestStateOnly", "DiskWithVMGuestState", "NonPersistedTPM")


def machine(resource: Resource) -> Machine | None:
    """`resource` as a machine; a scale set has the same shape one level down."""
    if resource.type == _MACHINE:
        body, through = resource.props, "storageProfile"
    elif resource.type == _SCALE_SET:
        body, through = resource.props.at("virtualMachineProfile"), "virtualMachineProfile"
    else:
        return None
    security = body.at("securityProfile")
    disk = body.at("storageProfile", "osDisk", "managedDisk", "securityProfile")
    return Machine(
        confidential=Setting(security.at("securityType"), OneOf(("ConfidentialVM",)), _SECURITY_TYPES),
        secure_boot=Setting(security.at("uefiSettings", "secureBootEnabled"), OneOf((True,))),
        virtual_tpm=Setting(security.at("uefiSettings", "vTpmEnabled"), OneOf((True,))),
        disk_binding=Setting(disk.at("securityEncryptionType"), OneOf(("DiskWithVMGuestState",)), _DISK_ENCRYPTIONS),
        disk_key=Reference(disk.at("diskEncryptionSet", "id"), through),
        guest_configurations=(body.at("userData"), body.at("osProfile", "customData")),
        size=(body.at("hardwareProfile", "vmSize") if resource.type == _MACHINE else resource.props.at("sku", "name")),
        image=_image(body.at("storageProfile", "imageReference")),
    )


def _image(reference: Property) -> Setting:
    """A gallery's image by id, or a marketplace's by publisher, offer, SKU and version."""
    if reference.unknown or reference.at("version").stated:
        return Setting(reference.at("version"), Matching(_VERSION, "a version such as 1.0.0"), ("latest",))
    return Setting(reference.at("id"), Matching(rf".+/versions/{_VERSION}", "an image id that ends in /versions/1.0.0"))


def side_doors(resource: Resource) -> Iterator[Setting | Unwanted]:
    """What lets somebody into a machine beside its measured boot."""
    if resource.type in _INTRUDERS:
        yield Unwanted(Property("type", resource.type), _INTRUDERS[resource.type])
    if resource.type not in {_MACHINE, _SCALE_SET}:
        return
    body = resource.props if resource.type == _MACHINE else resource.props.at("virtualMachineProfile")
    linux = body.at("osProfile", "linuxConfiguration")
    yield Unwanted(linux.at("ssh", "publicKeys"), "a login from outside")
    yield Unwanted(body.at("osProfile", "adminPassword"), "a login with a password")
    yield Unwanted(body.at("extensionProfile"), "code that the operator can put into the machine")
    yield Setting(body.at("diagnosticsProfile", "bootDiagnostics", "enabled"), OneOf((False,)), unless_stated=True)
