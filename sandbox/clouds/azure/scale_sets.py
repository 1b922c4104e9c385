"""Microsoft.Compute: virtual machine scale sets. What holds for a machine holds for the profile of those in a set."""

from sandbox.clouds.azure import arm, compute_rules, core_quota, scale_set_members
from sandbox.clouds.azure.compute import guest_data, identity_of
from sandbox.clouds.azure.managedidentity import IDENTITY
from sandbox.clouds.azure.network import SUBNET, zones_exist
from sandbox.clouds.azure.scale_set_members import CONFIGURATIONS, PROFILE, as_machine
from sandbox.clouds.resource import Check, CloudError, Reference, Request, ResourceType, creation_time, fresh_guid

SCALE_SET = "Microsoft.Compute/virtualMachineScaleSets"
_DISK_SECURITY = "storageProfile.osDisk.managedDisk.securityProfile"
_ENCRYPTION = f"{_DISK_SECURITY}.securityEncryptionType"
_LARGEST_GROUP, _LARGEST_SET = 100, 1000


def _of_a_machine(check: Check) -> Check:
    return lambda request: check(as_machine(request))


def _disk(request: Request) -> None:
    """Confidential encryption of OS disks is for single machines (MicrosoftDocs, confidential-vm-overview).

    What Azure says of a customer's key is in Azure/azure-cli issue 22199.
    """
    inputs = as_machine(request).inputs
    if inputs[f"{_DISK_SECURITY}.diskEncryptionSet"] is not None:
        raise CloudError(
            "BadRequest",
            "Virtual Machines Scale Sets do not allow setting managedDisk.securityProfile.diskEncryptionSet.",
        )
    if inputs[_ENCRYPTION] == "DiskWithVMGuestState":
        raise CloudError(
            "BadRequest",
            f"The value 'DiskWithVMGuestState' of parameter '{PROFILE}.{_ENCRYPTION}' is not supported for Virtual"
            " Machine Scale Sets. Supported values are: 'VMGuestStateOnly'.",
        )


def _capacity(request: Request) -> None:
    capacity = request.inputs["sku.capacity"]
    if capacity is None:
        raise CloudError("InvalidParameter", "Required parameter 'sku.capacity' is missing (null).")
    single = request.inputs["singlePlacementGroup"] is not False
    most = _LARGEST_GROUP if single else _LARGEST_SET
    if not 0 <= capacity <= most:
        advice = " Set 'singlePlacementGroup' to false for larger sets." if single and capacity <= _LARGEST_SET else ""
        raise CloudError(
            "InvalidParameter",
            f"The value {capacity:g} of parameter 'sku.capacity' is not between 0 and {most}.{advice}",
        )


def _mode(request: Request) -> None:
    """A uniform set says how its machines get a new model."""
    if request.inputs["orchestrationMode"] != "Flexible" and not request.inputs["upgradePolicy.mode"]:
        raise CloudError("InvalidParameter", "Required parameter 'upgradePolicy.mode' is missing (null).")


def _interfaces(request: Request) -> None:
    """At least one interface, one of several primary, each with a subnet."""
    interfaces = request.inputs.items(CONFIGURATIONS)
    if not interfaces:
        raise CloudError("InvalidParameter", f"Required parameter '{CONFIGURATIONS}' is missing (null).")
    if len(interfaces) > 1 and sum(each["primary"] is True for each in interfaces) != 1:
        raise CloudError(
            "VirtualMachineMustHaveOneNetworkInterfaceAsPrimary",
            f"Virtual machine scale set {request.name} must have one network interface set as the primary.",
        )
    for each in interfaces:
        for configuration in each.items("ipConfigurations"):
            if configuration["subnet.id"] is None:
                raise CloudError(
                    "SubnetMissingInIpConfiguration",
                    f"Ip Configuration {configuration.text('name')} of {each.text('name')} does not have a subnet.",
                )


def _zones_balanced(request: Request) -> None:
    if request.inputs["zoneBalance"] is True and not request.inputs["zones"]:
        raise CloudError("InvalidParameter", "Parameter 'zoneBalance' is allowed only where 'zones' are given.")


TYPES = (
    ResourceType(
        pulumi_type="azure-native:compute:VirtualMachineScaleSet",
        kind=SCALE_SET,
        identify=arm.in_group(SCALE_SET, "vmScaleSetName"),
        name_property="vmScaleSetName",
        replace_on=(
            "resourceGroupName", "vmScaleSetName", "location", "zones", "orchestrationMode", "platformFaultDomainCount",
            f"{PROFILE}.securityProfile.securityType", f"{PROFILE}.{_DISK_SECURITY}",
        ),
        references=(
            Reference(f"{CONFIGURATIONS}[].ipConfigurations[].subnet.id", (SUBNET,)),
            Reference(f"{CONFIGURATIONS}[].ipConfigurations[].loadBalancerBackendAddressPools[].id"),
            Reference("identity.userAssignedIdentities[]", (IDENTITY,)),
        ),
        checks=(
            arm.name_matches(
                r"[A-Za-z0-9](?:[\w.-]{0,62}[\w])?",
                "InvalidParameter",
                "The resource name '{name}' is invalid: it must have 1 to 64 letters, digits, '_', '.' and '-', begin"
                " with a letter or digit and end with a letter, digit or '_'.",
            ),
            _capacity,
            _mode,
            _of_a_machine(compute_rules.size_offered),
            zones_exist,
            _zones_balanced,
            _of_a_machine(compute_rules.security_type),
            _disk,
            _of_a_machine(compute_rules.disk_security),
            _of_a_machine(compute_rules.image),
            _interfaces,
            _of_a_machine(guest_data("userData")),
            core_quota.within("sku.name", "sku.capacity"),
            scale_set_members.take_addresses,
        ),
        outputs={
            "uniqueId": fresh_guid("uniqueId"),
            "timeCreated": creation_time("timeCreated"),
            "identity": identity_of,
        },
        started=scale_set_members.boot,
        stopped=scale_set_members.power_off,
    ),
)  # fmt: skip
