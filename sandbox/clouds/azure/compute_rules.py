"""What Azure checks of virtual machines, disks and disk encryption sets."""

from sandbox.clouds.azure import arm
from sandbox.clouds.azure.images import image_of
from sandbox.clouds.azure.places import Size, regions, size, sizes_in
from sandbox.clouds.azure.references import location_of
from sandbox.clouds.resource import CloudError, Request, Undetermined
from sandbox.clouds.store import Object

CONFIDENTIAL_SET = "ConfidentialVmEncryptedWithCustomerKey"
CONFIDENTIAL_SIZE_TEES = ("snp", "tdx")
_DISK_SECURITY = "storageProfile.osDisk.managedDisk.securityProfile"
_ENCRYPTION = f"{_DISK_SECURITY}.securityEncryptionType"


def machine_size(request: Request) -> Size:
    """The size that a machine asks for. Raises `CloudError` when Azure has none of that name."""
    return known_size(request.inputs.text("hardwareProfile.vmSize"), request)


def known_size(name: str, request: Request) -> Size:
    """The size of that name, asked for by `request`. Raises `CloudError` when Azure has none."""
    if not name:
        raise CloudError("InvalidParameter", "Required parameter 'vmSize' is missing (null).")
    found = size(name)
    if found is None:
        region = arm.normal_location(location_of(request))
        offered = ", ".join(sizes_in(region)) if region in regions() else ""
        raise CloudError(
            "InvalidParameter",
            f"The value '{name}' provided for the VM size is not valid. The valid sizes in the current region are:"
            f" {offered}, and the general series.",
        )
    return found


def size_offered(request: Request) -> None:
    """The location has the size."""
    offered_here(machine_size(request), request)


def offered_here(wanted: Size, request: Request) -> None:
    """The location of the requested object has the size."""
    region = arm.normal_location(location_of(request))
    if wanted.regions is not None and region and region not in wanted.regions:
        raise CloudError(
            "SkuNotAvailable",
            f"The requested VM size for resource '{request.name}' is currently not available in location '{region}':"
            f" {wanted.name}. Please try another size or deploy to a different location or different zone. See"
            " https://aka.ms/azureskunotavailable for details.",
        )


def security_type(request: Request) -> None:
    """A size with a TEE makes confidential machines only, any other size none."""
    wanted = machine_size(request)
    security = request.inputs["securityProfile.securityType"]
    confidential = security == "ConfidentialVM"
    if wanted.tee in CONFIDENTIAL_SIZE_TEES and not confidential:
        raise unsupported_size(wanted.name, security)
    if confidential and wanted.tee not in CONFIDENTIAL_SIZE_TEES:
        raise CloudError(
            "BadRequest",
            f"The VM size '{wanted.name}' is not supported for creation of VMs and Virtual Machine Scale Set with"
            f" 'ConfidentialVM' security type and {_short(_ENCRYPTION)} set as"
            f" '{request.inputs[_ENCRYPTION] or '<NULL>'}'",
        )


def unsupported_size(name: str, security: object) -> CloudError:
    """What Azure says of a size that no machine of this security type has."""
    return CloudError(
        "BadRequest",
        f"The VM size '{name}' is not supported for creation of VMs and Virtual Machine Scale Set with"
        f" '{security or '<NULL>'}' security type.",
    )


def disk_security(request: Request) -> None:
    """A confidential machine says how its OS disk is encrypted, and nothing else may."""
    confidential = request.inputs["securityProfile.securityType"] == "ConfidentialVM"
    encryption = request.inputs[_ENCRYPTION]
    if confidential and encryption is None:
        raise CloudError(
            "BadRequest", f"Required parameter for Confidential VMs '{_short(_ENCRYPTION)}' is missing (null)."
        )
    if not confidential:
        if request.inputs[_DISK_SECURITY] is not None:
            raise CloudError(
                "BadRequest", f"The parameter '{_short(_DISK_SECURITY)}' can only be set for Confidential VMs."
            )
        if (
            request.inputs["securityProfile.uefiSettings"] is not None
            and not request.inputs["securityProfile.securityType"]
        ):
            raise CloudError("BadRequest", "Use of UEFI settings is not supported when security type is not set.")
        return
    secure_boot = request.inputs["securityProfile.uefiSettings.secureBootEnabled"]
    vtpm = request.inputs["securityProfile.uefiSettings.vTpmEnabled"]
    if vtpm is not True:
        raise CloudError(
            "BadRequest",
            f"'uefiSettings.vTpmEnabled' must be set to true when '{_short(_ENCRYPTION)}' is set as '{encryption}'.",
        )
    if encryption == "DiskWithVMGuestState" and secure_boot is not True:
        raise CloudError(
            "BadRequest",
            f"'uefiSettings.secureBootEnabled' must be set to true when '{_short(_ENCRYPTION)}' is set as"
            " 'DiskWithVMGuestState'.",
        )
    if encryption == "DiskWithVMGuestState" and request.inputs["securityProfile.encryptionAtHost"] is True:
        raise CloudError(
            "BadRequest",
            f"'encryptionAtHost' cannot be enabled when '{_short(_ENCRYPTION)}' is set as 'DiskWithVMGuestState'.",
        )


def disk_encryption_sets(request: Request) -> None:
    """The customer's key of a confidential OS disk comes from a set of the confidential kind; any other disk's not."""
    own = request.inputs[f"{_DISK_SECURITY}.diskEncryptionSet.id"]
    if own is not None:
        found = request.find(own)
        if found.inputs.get("encryptionType") != CONFIDENTIAL_SET:
            raise CloudError(
                "BadRequest",
                f"The disk encryption set '{own}' has encryption type '{found.inputs.get('encryptionType')}'; the OS"
                f" disk of a Confidential VM needs '{CONFIDENTIAL_SET}'.",
            )
        if request.inputs[_ENCRYPTION] != "DiskWithVMGuestState":
            raise CloudError(
                "BadRequest",
                f"'{_short(_DISK_SECURITY)}.diskEncryptionSet' can only be set when '{_short(_ENCRYPTION)}' is set as"
                " 'DiskWithVMGuestState'.",
            )
    ordinary = [request.inputs["storageProfile.osDisk.managedDisk.diskEncryptionSet.id"]]
    ordinary += [disk["managedDisk.diskEncryptionSet.id"] for disk in request.inputs.items("storageProfile.dataDisks")]
    for other in ordinary:
        if other is not None and request.find(other).inputs.get("encryptionType") == CONFIDENTIAL_SET:
            raise CloudError(
                "BadRequest",
                f"The disk encryption set '{other}' has encryption type '{CONFIDENTIAL_SET}', which only"
                f" '{_short(_DISK_SECURITY)}.diskEncryptionSet' of a Confidential VM takes.",
            )


def image(request: Request) -> None:
    """The image exists and can boot with the machine's security type; a specialized one takes no OS profile."""
    found = image_of(request)
    if found is None:
        return
    wanted = request.inputs["securityProfile.securityType"] or "Standard"
    if wanted not in found.security_types:
        supported = "', '".join(found.security_types)
        raise CloudError(
            "BadRequest",
            f"The provided image '{found.reference}' only supports creation of VMs and VM Scale Sets with"
            f" '{supported}' security type, not '{wanted}'.",
        )


def os_profile(request: Request) -> None:
    """A generalized image needs an administrator with a way in; passwords obey the rules; a key is needed without."""
    profile = request.inputs["osProfile"]
    found = image_of(request)
    if profile is None:
        if found is not None and found.specialized is False:
            raise CloudError("InvalidParameter", "Required parameter 'osProfile' is missing (null).")
        return
    if found is not None and found.specialized:
        raise CloudError("InvalidParameter", "Parameter 'osProfile' is not allowed.")
    for name in ("computerName", "adminUsername"):
        if request.inputs[f"osProfile.{name}"] is None:
            raise CloudError("InvalidParameter", f"Required parameter 'osProfile.{name}' is missing (null).")
    linux = request.inputs["osProfile.linuxConfiguration"]
    keys = request.inputs.items("osProfile.linuxConfiguration.ssh.publicKeys")
    password = request.inputs["osProfile.adminPassword"]
    if request.inputs["osProfile.linuxConfiguration.disablePasswordAuthentication"] is True and not keys:
        raise CloudError(
            "InvalidParameter",
            "Authentication using either SSH or by user name and password must be enabled in Linux profile.",
        )
    if not keys and password is None:
        parameter = "adminPassword" if linux is None else "linuxConfiguration.ssh.publicKeys"
        raise CloudError("InvalidParameter", f"Required parameter '{parameter}' is missing (null).")
    for key in keys:
        if not key.text("keyData").startswith(("ssh-rsa ", "ssh-ed25519 ", "ecdsa-sha2-")):
            raise CloudError(
                "InvalidParameter", "The value of parameter linuxConfiguration.ssh.publicKeys.keyData is invalid."
            )


def interfaces(request: Request) -> None:
    """At least one network interface, none of which another machine has; one of several is primary."""
    references = request.inputs.items("networkProfile.networkInterfaces")
    if not references:
        raise CloudError(
            "NetworkProfileMissing", "Virtual Machine networkProfile must have at least one network interface."
        )
    if len(references) > 1 and sum(reference["primary"] is True for reference in references) != 1:
        raise CloudError(
            "VirtualMachineMustHaveOneNetworkInterfaceAsPrimary",
            f"Virtual machine {request.name} must have one network interface set as the primary.",
        )
    if request.preview:
        raise Undetermined("networkProfile")
    for reference in references:
        for user in request.store.referrers(reference.text("id")):
            if user.kind == request.type.kind and user.id.lower() != request.id.lower():
                raise CloudError(
                    "NicInUse",
                    f"Network Interface {reference.text('id')} is used by existing resource {user.id}. In order to"
                    " delete the network interface, it must be dissociated from the resource.",
                )


def key_of_set(request: Request) -> None:
    """A disk encryption set names a key version of a vault with purge protection."""
    url = request.inputs.text("activeKey.keyUrl")
    if not url:
        raise CloudError("InvalidParameter", "Required parameter 'activeKey.keyUrl' is missing (null).")
    if url.count("/") < 5 and request.inputs["rotationToLatestKeyVersionEnabled"] is not True:
        raise CloudError(
            "InvalidParameter",
            f"The key URL '{url}' has no key version; it is required when auto key rotation is off.",
        )
    source = request.inputs["activeKey.sourceVault.id"]
    if source is None:
        return
    vault = request.find(source)
    host = url.split("/")[2] if url.startswith("https://") else ""
    if host.split(".")[0].lower() != vault.name.lower():
        raise CloudError("InvalidParameter", f"The key URL '{url}' does not belong to the source vault '{vault.name}'.")
    _require_key(request, vault, url)
    if vault.inputs.get("properties", {}).get("enablePurgeProtection") is not True:
        raise CloudError(
            "KeyVaultAccessForbidden",
            f"Key Vault '{vault.name}' must have soft delete and purge protection enabled to be used by a disk"
            " encryption set.",
        )


def set_in_use(request: Request, users: list[Object]) -> None:
    if users:
        raise CloudError(
            "OperationNotAllowed",
            f"Disk encryption set '{request.name}' cannot be deleted since it is in use by '{users[0].id}'.",
        )


def _require_key(request: Request, vault: Object, url: str) -> None:
    name = url.split("/")[4]
    key_id = f"{vault.id}/keys/{name}"
    key = request.find(key_id) if request.preview else request.session.lookup(key_id, preview=False)
    if key is None:
        raise CloudError("KeyVaultKeyNotFound", f"The key '{url}' was not found in Key Vault '{vault.name}'.")
    exportable = (key.inputs["properties"].get("attributes") or {}).get("exportable") is True
    if request.inputs["encryptionType"] == CONFIDENTIAL_SET and not exportable:
        raise CloudError(
            "BadRequest",
            f"The key '{url}' is not exportable: a disk encryption set of type '{CONFIDENTIAL_SET}' needs an exportable"
            " HSM key with a release policy.",
        )


def _short(path: str) -> str:
    """Azure's errors leave out where the managed disk is."""
    return path.removeprefix("storageProfile.osDisk.")
