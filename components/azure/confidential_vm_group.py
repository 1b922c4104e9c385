"""Several machines of one kind, kept at their number."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_azure_native import compute

import catalog
from components.azure.machine_settings import MachineSettings
from components.azure.machine_types import CLOUD
from components.component import Component
from components.errors import InputError

TYPE = "bailiwick:index:AzureConfidentialVmGroup"
LARGEST_GROUP = 1000
"""Azure's limit on a scale set that may span placement groups."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfidentialVmGroupArgs(MachineSettings):
    """Inputs of `ConfidentialVmGroup`: those of `MachineSettings`, number and zones."""

    count: int
    """Number of machines, 2 to 1000."""
    zones: Sequence[str] = ()
    """Zones over which the machines are spread; empty takes every zone of the location."""
    host_readable_os_disk: bool = False
    """Weakness: an OS disk that is encrypted at rest under Azure's key, and not inside the TEE. Azure encrypts no OS
    disk confidentially in a scale set, so that a group needs it; only the guest state (vTPM, firmware variables) is
    sealed to the machine then. For images that hold no secret and that the vTPM measures."""


class ConfidentialVmGroup(Component):
    """`bailiwick:index:AzureConfidentialVmGroup`: a scale set of AMD SEV-SNP or Intel TDX machines.

    Creates a virtual machine scale set of security type ConfidentialVM that keeps `count` machines from one version of
    one gallery image, spread over the zones; with `gpu`, of the size that has an H100 in confidential-computing mode.

    Guarantees: memory is encrypted by the CPU; secure boot and vTPM are on; the guest state opens in its machine only;
    no public address, no administrator, no boot diagnostics, as in `ConfidentialVm`. A machine that is lost comes back
    and is measured afresh.

    Does not: encrypt the OS disk inside the TEE, which Azure does for single machines only (MicrosoftDocs/azure-docs,
    confidential-vm-overview; its API has the property and refuses it, Azure/azure-cli issue 22199), so that it is
    refused unless `host_readable_os_disk` accepts that; `SovereignRegion` makes single machines instead. Scale by load,
    or upgrade machines by itself: another image waits until an operator has each machine take it, attested.
    """

    id: pulumi.Output[str]
    """Resource id of the scale set."""
    group_name: str
    """Name of the scale set, and the beginning of its machines' names."""

    def __init__(self, name: str, args: ConfidentialVmGroupArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        args.check(TYPE)
        zones = _check(args)
        user_data = args.user_data(TYPE)
        placement = args.placement
        self.group_name = placement.name("scale set", args.role)
        super().__init__(TYPE, name, args, opts)
        group = compute.VirtualMachineScaleSet(
            f"{name}-group",
            vm_scale_set_name=self.group_name,
            resource_group_name=placement.resource_group_name,
            location=placement.location,
            zones=list(zones) or None,
            zone_balance=bool(zones),
            orchestration_mode=compute.OrchestrationMode.UNIFORM,
            overprovision=False,
            single_placement_group=False,
            platform_fault_domain_count=1 if zones else None,
            sku=compute.SkuArgs(name=args.size, tier="Standard", capacity=args.count),
            upgrade_policy=compute.UpgradePolicyArgs(mode=compute.UpgradeMode.MANUAL),
            identity=compute.VirtualMachineScaleSetIdentityArgs(
                type=compute.ResourceIdentityType.USER_ASSIGNED, user_assigned_identities=[args.identity_id]
            ),
            virtual_machine_profile=_machine(args, user_data),
            tags=placement.tag_mapping,
            opts=pulumi.ResourceOptions(
                parent=self,
                replace_on_changes=[
                    "virtualMachineProfile.securityProfile",
                    "virtualMachineProfile.storageProfile.osDisk",
                ],
                delete_before_replace=True,
            ),
        )
        self.id = group.id
        self.register_outputs({"id": self.id, "groupName": self.group_name})


def _machine(args: ConfidentialVmGroupArgs, user_data: str) -> "compute.VirtualMachineScaleSetVMProfileArgs":
    """What each machine of the set is."""
    pools = [compute.SubResourceArgs(id=args.backend_pool_id)] if args.backend_pool_id is not None else None
    return compute.VirtualMachineScaleSetVMProfileArgs(
        security_profile=compute.SecurityProfileArgs(
            security_type=compute.SecurityTypes.CONFIDENTIAL_VM,
            uefi_settings=compute.UefiSettingsArgs(secure_boot_enabled=True, v_tpm_enabled=True),
        ),
        storage_profile=compute.VirtualMachineScaleSetStorageProfileArgs(
            image_reference=compute.ImageReferenceArgs(id=args.image_id),
            os_disk=compute.VirtualMachineScaleSetOSDiskArgs(
                create_option=compute.DiskCreateOptionTypes.FROM_IMAGE,
                caching=compute.CachingTypes.READ_WRITE,
                managed_disk=compute.VirtualMachineScaleSetManagedDiskParametersArgs(
                    storage_account_type=compute.StorageAccountTypes.PREMIUM_LRS,
                    security_profile=compute.VMDiskSecurityProfileArgs(
                        security_encryption_type=compute.SecurityEncryptionTypes.VM_GUEST_STATE_ONLY
                    ),
                ),
            ),
        ),
        network_profile=compute.VirtualMachineScaleSetNetworkProfileArgs(
            network_interface_configurations=[
                compute.VirtualMachineScaleSetNetworkConfigurationArgs(
                    name=args.placement.name("network interface", args.role),
                    primary=True,
                    enable_accelerated_networking=False,
                    enable_ip_forwarding=False,
                    ip_configurations=[
                        compute.VirtualMachineScaleSetIPConfigurationArgs(
                            name="private",
                            primary=True,
                            subnet=compute.ApiEntityReferenceArgs(id=args.subnet_id),
                            load_balancer_backend_address_pools=pools,
                        )
                    ],
                )
            ]
        ),
        diagnostics_profile=compute.DiagnosticsProfileArgs(boot_diagnostics=compute.BootDiagnosticsArgs(enabled=False)),
        user_data=user_data,
    )


def _check(args: ConfidentialVmGroupArgs) -> tuple[str, ...]:
    """The zones of the group; raises `InputError`."""
    if not 2 <= args.count <= LARGEST_GROUP:
        nearest = "ConfidentialVm, or 2" if args.count < 2 else str(LARGEST_GROUP)
        raise InputError(TYPE, "count", f"{args.count} is not between 2 and {LARGEST_GROUP} machines", nearest)
    if not args.host_readable_os_disk:
        raise InputError(
            TYPE,
            "host_readable_os_disk",
            "Azure encrypts no OS disk confidentially in a scale set",
            f"{args.count} of ConfidentialVm, or host_readable_os_disk=True",
        )
    offered = catalog.load().region(CLOUD, args.placement.location).zone_names or ()
    if missing := [zone for zone in args.zones if zone not in offered]:
        raise InputError(
            TYPE, "zones", f"{args.placement.location} has no zone {missing[0]}", ", ".join(offered) or "none"
        )
    return tuple(args.zones) or tuple(offered)
