"""A virtual machine whose memory and disk its operator cannot read."""

from dataclasses import dataclass

import pulumi
from pulumi_azure_native import compute, network

from components.azure.machine_settings import MachineSettings
from components.component import Component

TYPE = "bailiwick:index:AzureConfidentialVm"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfidentialVmArgs(MachineSettings):
    """Inputs of `ConfidentialVm`: those of `MachineSettings`, zone and disk encryption."""

    zone: str | None
    """Availability zone, or None in a region without zones."""
    disk_encryption_set_id: pulumi.Input[str]
    """Disk encryption set for confidential OS disks."""


class ConfidentialVm(Component):
    """`bailiwick:index:AzureConfidentialVm`: an AMD SEV-SNP or Intel TDX virtual machine that nobody logs in to.

    Creates a network interface with a private address, and a virtual machine of security type ConfidentialVM from one
    version of one gallery image; with `gpu`, of the size that has an H100 in confidential-computing mode beside the
    processor's TEE.

    Guarantees: memory is encrypted by the CPU; secure boot and vTPM are on; OS disk and guest state are encrypted
    under the customer's key before the first boot and open in this machine only; no public address; no boot
    diagnostics, which would copy the console out. A size, TEE or GPU that the location lacks is refused with the
    nearest that there is.

    Nobody has an account on it. Azure demands an administrator with a password or a key for every machine that it
    provisions from a generalized image, so that the image is a specialized one: it is complete as the build signed it
    and takes no operating-system profile (no administrator, no key, no agent, no extension that an agent would run).
    What the guest must know comes as user data.

    Does not: attach data disks (they are not covered by confidential disk encryption), or switch the GPU's confidential
    mode on: Azure has no property for it, so that the image does, and only the GPU's own evidence shows it. A key is
    held back until the evidence of the processor, of the vTPM and of the GPU is good. On Azure the launch measurement
    of a machine is that of the virtual firmware, which measures the image into the vTPM: the verifier asks that for the
    image.

    A change of security type, image or disk encryption replaces the machine: Azure changes none of them in place.
    """

    id: pulumi.Output[str]
    """Resource id of the machine."""
    machine_name: str
    """Name of the machine."""

    def __init__(self, name: str, args: ConfidentialVmArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        args.check(TYPE)
        user_data = args.user_data(TYPE)
        placement = args.placement
        self.machine_name = placement.name("virtual machine", args.role)
        super().__init__(TYPE, name, args, opts)
        self._args = args
        child = pulumi.ResourceOptions(parent=self)
        interface = self._network_interface(f"{name}-nic", child)
        machine = compute.VirtualMachine(
            f"{name}-vm",
            vm_name=self.machine_name,
            resource_group_name=placement.resource_group_name,
            location=placement.location,
            zones=[args.zone] if args.zone else None,
            hardware_profile=compute.HardwareProfileArgs(vm_size=args.size),
            security_profile=compute.SecurityProfileArgs(
                security_type=compute.SecurityTypes.CONFIDENTIAL_VM,
                uefi_settings=compute.UefiSettingsArgs(secure_boot_enabled=True, v_tpm_enabled=True),
            ),
            storage_profile=self._storage_profile(),
            network_profile=compute.NetworkProfileArgs(
                network_interfaces=[compute.NetworkInterfaceReferenceArgs(id=interface.id, primary=True)]
            ),
            identity=compute.VirtualMachineIdentityArgs(
                type=compute.ResourceIdentityType.USER_ASSIGNED, user_assigned_identities=[args.identity_id]
            ),
            diagnostics_profile=compute.DiagnosticsProfileArgs(
                boot_diagnostics=compute.BootDiagnosticsArgs(enabled=False)
            ),
            user_data=user_data,
            tags=placement.tag_mapping,
            opts=pulumi.ResourceOptions.merge(
                child,
                pulumi.ResourceOptions(
                    # A guest reads its user data at boot: another configuration means another boot, freshly measured.
                    replace_on_changes=["securityProfile", "storageProfile", "userData"],
                    delete_before_replace=True,
                ),
            ),
        )
        self.id = machine.id
        self.register_outputs({"id": self.id, "machineName": self.machine_name})

    def _network_interface(self, name: str, opts: pulumi.ResourceOptions) -> "network.NetworkInterface":
        args = self._args
        pools = [network.BackendAddressPoolArgs(id=args.backend_pool_id)] if args.backend_pool_id is not None else None
        return network.NetworkInterface(
            name,
            network_interface_name=args.placement.name("network interface", args.role),
            resource_group_name=args.placement.resource_group_name,
            location=args.placement.location,
            # Sizes of the v6 generation and those with an H100 refuse it.
            enable_accelerated_networking=False,
            enable_ip_forwarding=False,
            ip_configurations=[
                network.NetworkInterfaceIPConfigurationArgs(
                    name="private",
                    primary=True,
                    subnet={"id": args.subnet_id},  # SubnetArgs would add settings of the subnet to the reference
                    private_ip_allocation_method=network.IPAllocationMethod.DYNAMIC,
                    load_balancer_backend_address_pools=pools,
                )
            ],
            tags=args.placement.tag_mapping,
            opts=opts,
        )

    def _storage_profile(self) -> "compute.StorageProfileArgs":
        args = self._args
        return compute.StorageProfileArgs(
            image_reference=compute.ImageReferenceArgs(id=args.image_id),
            os_disk=compute.OSDiskArgs(
                name=f"{self.machine_name}-os",
                create_option=compute.DiskCreateOptionTypes.FROM_IMAGE,
                delete_option=compute.DiskDeleteOptionTypes.DELETE,
                caching=compute.CachingTypes.READ_WRITE,
                managed_disk=compute.ManagedDiskParametersArgs(
                    storage_account_type=compute.StorageAccountTypes.PREMIUM_LRS,
                    # The customer's key belongs here, not beside it: there it would be ordinary disk encryption.
                    security_profile=compute.VMDiskSecurityProfileArgs(
                        security_encryption_type=compute.SecurityEncryptionTypes.DISK_WITH_VM_GUEST_STATE,
                        disk_encryption_set=compute.DiskEncryptionSetParametersArgs(id=args.disk_encryption_set_id),
                    ),
                ),
            ),
        )
