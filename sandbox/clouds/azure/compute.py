"""Microsoft.Compute: virtual machines, disks, disk encryption sets, image galleries."""

import base64
import binascii
import uuid

from sandbox.clouds.azure import arm, booting, compute_rules, core_quota, images
from sandbox.clouds.azure.keyvault import VAULT
from sandbox.clouds.azure.managedidentity import IDENTITY
from sandbox.clouds.azure.network import NIC, zones_exist
from sandbox.clouds.resource import (
    CloudError,
    Compute,
    Reference,
    Request,
    ResourceType,
    View,
    constant,
    creation_time,
    fresh_guid,
)
from sandbox.clouds.store import Object
from sandbox.values import Value

MACHINE = "Microsoft.Compute/virtualMachines"
EXTENSION = f"{MACHINE}/extensions"
DISK = "Microsoft.Compute/disks"
ENCRYPTION_SET = "Microsoft.Compute/diskEncryptionSets"
_OS_DISK = "storageProfile.osDisk.managedDisk"
_MAX_GUEST_DATA = 65_535
_NAME = arm.name_matches(
    r"[A-Za-z0-9](?:[\w.-]{0,78}[\w])?",
    "InvalidParameter",
    "The resource name '{name}' is invalid: it must have 1 to 80 letters, digits, '_', '.' and '-', begin with a letter"
    " or digit and end with a letter, digit or '_'.",
)


def guest_data(path: str) -> Compute:
    """Data for the guest is base64 of at most 64 KiB."""

    def judge(request: Request) -> None:
        value = request.inputs[path]
        if value is None:
            return
        try:
            size = len(base64.b64decode(str(value), validate=True))
        except (binascii.Error, ValueError):
            raise CloudError(
                "InvalidParameter",
                f"{path.rsplit('.', 1)[-1]} must be in Base64 encoding and with a maximum length of"
                f" {_MAX_GUEST_DATA + 1} bytes after decoding.",
            ) from None
        if size > _MAX_GUEST_DATA + 1:
            raise CloudError("InvalidParameter", f"{path} has {size} bytes; at most {_MAX_GUEST_DATA + 1} are allowed.")

    return judge


def identity_of(request: Request) -> Value:
    """`identity` as Azure answers it: each identity with its principal and client."""
    given = request.inputs["identity"]
    if given is None:
        return None
    shown: dict[str, Value] = {"type": View(given)["type"]}
    if "SystemAssigned" in str(shown["type"]):
        kept = request.keep("identity", dict) or {}
        shown["principalId"] = kept.get("principalId") or str(uuid.uuid4())
        shown["tenantId"] = arm.account_of(request).tenant_id
    ids = View(given)["userAssignedIdentities"]
    if ids:
        shown["userAssignedIdentities"] = {each: _shown(request, each) for each in ids}
    return shown


def _shown(request: Request, identity_id: str) -> dict[str, Value]:
    found = request.find(identity_id).outputs
    return {"principalId": found["principalId"], "clientId": found["clientId"]}


def _boot(request: Request, item: Object) -> None:
    """Hand a new machine to the hardware, or start one of another size again."""
    inputs = request.inputs
    if request.before is not None:
        if not request.changed("hardwareProfile.vmSize"):
            return
        request.session.hardware.power_off(item.id)
    interfaces = inputs.items("networkProfile.networkInterfaces")
    primary = next((each for each in interfaces if each["primary"] is True), interfaces[0])
    nic = request.find(primary.text("id"))
    configuration = View(nic.outputs["ipConfigurations"][0])
    request.session.hardware.boot(
        booting.machine(
            request,
            machine_id=item.id,
            name=item.name,
            location=item.outputs["location"],
            zone=(inputs["zones"] or [None])[0],
            private_ip=configuration.text("privateIPAddress"),
            subnet_id=configuration.text("subnet.id"),
        )
    )


def _power_off(request: Request, item: Object) -> None:
    request.session.hardware.power_off(item.id)


_MACHINE_FIXED = (
    "resourceGroupName", "vmName", "location", "zones", "osProfile", "userData", "securityProfile.securityType",
    "securityProfile.uefiSettings", "storageProfile.imageReference", "storageProfile.osDisk.createOption",
    "storageProfile.osDisk.name", "storageProfile.osDisk.osType", f"{_OS_DISK}.securityProfile",
    "networkProfile.networkInterfaces", "plan", "priority", "availabilitySet",
)  # fmt: skip

TYPES = (
    ResourceType(
        pulumi_type="azure-native:compute:VirtualMachine",
        kind=MACHINE,
        identify=arm.in_group(MACHINE, "vmName"),
        name_property="vmName",
        replace_on=_MACHINE_FIXED,
        open_enums=frozenset({"hardwareProfile.vmSize"}),
        references=(
            Reference("networkProfile.networkInterfaces[].id", (NIC,), same_location=True),
            Reference(f"{_OS_DISK}.securityProfile.diskEncryptionSet.id", (ENCRYPTION_SET,), same_location=True),
            Reference(f"{_OS_DISK}.diskEncryptionSet.id", (ENCRYPTION_SET,), same_location=True),
            Reference(
                "storageProfile.dataDisks[].managedDisk.diskEncryptionSet.id", (ENCRYPTION_SET,), same_location=True
            ),
            Reference("storageProfile.dataDisks[].managedDisk.id", (DISK,), same_location=True),
            Reference("identity.userAssignedIdentities[]", (IDENTITY,)),
        ),
        checks=(
            _NAME,
            compute_rules.size_offered,
            core_quota.within("hardwareProfile.vmSize"),
            zones_exist,
            compute_rules.security_type,
            compute_rules.disk_security,
            compute_rules.disk_encryption_sets,
            compute_rules.image,
            compute_rules.os_profile,
            compute_rules.interfaces,
            guest_data("osProfile.customData"),
            guest_data("userData"),
        ),
        outputs={
            "vmId": fresh_guid("vmId"),
            "timeCreated": creation_time("timeCreated"),
            "identity": identity_of,
            "osProfile": lambda request: _without(request.inputs["osProfile"], "adminPassword", "customData"),
        },
        started=_boot,
        stopped=_power_off,
    ),
    ResourceType(
        pulumi_type="azure-native:compute:VirtualMachineExtension",
        kind=EXTENSION,
        identify=arm.in_group(EXTENSION, "vmName", "vmExtensionName"),
        name_property="vmExtensionName",
        naming="copy",
        replace_on=("resourceGroupName", "vmName", "vmExtensionName", "location"),
    ),
    ResourceType(
        pulumi_type="azure-native:compute:DiskEncryptionSet",
        kind=ENCRYPTION_SET,
        identify=arm.in_group(ENCRYPTION_SET, "diskEncryptionSetName"),
        name_property="diskEncryptionSetName",
        replace_on=("resourceGroupName", "diskEncryptionSetName", "location", "encryptionType"),
        references=(
            Reference("activeKey.sourceVault.id", (VAULT,), same_location=True),
            Reference("identity.userAssignedIdentities[]", (IDENTITY,)),
        ),
        checks=(_NAME, compute_rules.key_of_set),
        outputs={"identity": identity_of, "previousKeys": constant([])},
        in_use=compute_rules.set_in_use,
    ),
    ResourceType(
        pulumi_type="azure-native:compute:Disk",
        kind=DISK,
        identify=arm.in_group(DISK, "diskName"),
        name_property="diskName",
        replace_on=("resourceGroupName", "diskName", "location", "zones", "creationData", "securityProfile"),
        references=(
            Reference("encryption.diskEncryptionSetId", (ENCRYPTION_SET,), same_location=True),
            Reference("securityProfile.secureVMDiskEncryptionSetId", (ENCRYPTION_SET,), same_location=True),
        ),
        checks=(_NAME, zones_exist),
        outputs={
            "uniqueId": fresh_guid("uniqueId"),
            "timeCreated": creation_time("timeCreated"),
            "diskState": constant("Unattached"),
        },
    ),
    ResourceType(
        pulumi_type="azure-native:compute:Gallery",
        kind=images.GALLERY,
        identify=arm.in_group(images.GALLERY, "galleryName"),
        name_property="galleryName",
        replace_on=("resourceGroupName", "galleryName", "location"),
    ),
    ResourceType(
        pulumi_type="azure-native:compute:GalleryImage",
        kind=images.GALLERY_IMAGE,
        identify=arm.in_group(images.GALLERY_IMAGE, "galleryName", "galleryImageName"),
        name_property="galleryImageName",
        naming="copy",
        replace_on=(
            "resourceGroupName",
            "galleryName",
            "galleryImageName",
            "location",
            "osType",
            "osState",
            "features",
        ),
    ),
    ResourceType(
        pulumi_type="azure-native:compute:GalleryImageVersion",
        kind=images.GALLERY_VERSION,
        identify=arm.in_group(images.GALLERY_VERSION, "galleryName", "galleryImageName", "galleryImageVersionName"),
        name_property="galleryImageVersionName",
        naming="copy",
        replace_on=("resourceGroupName", "galleryName", "galleryImageName", "galleryImageVersionName", "location"),
    ),
)


def _without(value: Value, *names: str) -> Value:
    """A profile without what Azure never gives back."""
    return None if value is None else {key: item for key, item in value.items() if key not in names}
