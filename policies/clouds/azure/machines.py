"""Azure's virtual machines."""

from policies.subject import Resource
from policies.terms import Machine, OneOf, Reference, Setting

_MACHINE = "azure-native:compute:VirtualMachine"
_SCALE_SET = "azure-native:compute:VirtualMachineScaleSet"

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
    )
