"""A virtual machine whose memory and disk its operator cannot read."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import pulumi
from pulumi_azure_native import compute, network

import catalog
from components.arguments import properties
from components.azure.placement import Placement
from components.errors import InputError

TYPE = "bailiwick:index:AzureConfidentialVm"
TEE: Final = "snp"
USER_DATA_BYTES = 64 * 1024
"""Most bytes of user data that Azure hands to a machine, before base64."""
IMAGE_GALLERY = "resourceGroups/bailiwick-images/providers/Microsoft.Compute/galleries/bailiwick"
"""Compute gallery of a subscription into which the build publishes guest images."""


@dataclass(frozen=True, slots=True)
class ConfidentialVmArgs:
    """Inputs of `ConfidentialVm`."""

    placement: Placement
    """Where the machine is."""
    role: str
    """What the machine is, such as `inference`; part of its name."""
    size: str
    """Azure size that has the TEE in this location, such as `Standard_DC4as_v5`."""
    tee: str
    """Trusted execution environment; `snp`."""
    zone: str | None
    """Availability zone, or None in a region without zones."""
    image_name: str
    """Guest image in the gallery: a specialized image that supports confidential VMs."""
    image_version: str
    """Its exact version; never `latest`."""
    guest_configuration: Mapping[str, Any] = field(repr=False)
    """What the guest is told at boot, as JSON in the machine's user data. The operator can read it: no secrets."""
    subnet_id: pulumi.Input[str]
    """Subnet of the one network interface."""
    disk_encryption_set_id: pulumi.Input[str]
    """Disk encryption set for confidential OS disks."""
    identity_id: pulumi.Input[str]
    """User-assigned identity of the guest."""
    backend_pool_id: pulumi.Input[str] | None = None
    """Backend pool of an internal load balancer that the machine joins."""


class ConfidentialVm(pulumi.ComponentResource):
    """`bailiwick:index:AzureConfidentialVm`: an AMD SEV-SNP virtual machine that nobody logs in to.

    Creates a network interface with a private address, and a virtual machine of security type ConfidentialVM from one
    version of one gallery image.

    Guarantees: memory is encrypted by the CPU; secure boot and vTPM are on; OS disk and guest state are encrypted
    under the customer's key before the first boot and open in this machine only; no public address; no boot
    diagnostics, which would copy the console out.

    Nobody has an account on it. Azure demands an administrator with a password or a key for every machine that it
    provisions from a generalized image, so that the image is a specialized one: it is complete as the build signed it
    and takes no operating-system profile (no administrator, no key, no agent, no extension that an agent would run).
    What the guest must know comes as user data.

    Does not: attach data disks (they are not covered by confidential disk encryption), or offer Intel TDX yet. On Azure
    the launch measurement of a machine is that of the virtual firmware, which measures the image into the vTPM; until
    the verifier reads vTPM evidence, the image itself is bound by its disk encryption only.

    A change of security type, image or disk encryption replaces the machine: Azure changes none of them in place.
    """

    id: pulumi.Output[str]
    """Resource id of the machine."""
    machine_name: str
    """Name of the machine."""

    def __init__(self, name: str, args: ConfidentialVmArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        _check_machine_type(args)
        user_data = _user_data(args.guest_configuration)
        placement = args.placement
        self.machine_name = placement.name("virtual machine", args.role)
        super().__init__(TYPE, name, properties(args), opts)
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

    def _network_interface(self, name: str, opts: pulumi.ResourceOptions) -> network.NetworkInterface:
        args = self._args
        pools = [network.BackendAddressPoolArgs(id=args.backend_pool_id)] if args.backend_pool_id is not None else None
        return network.NetworkInterface(
            name,
            network_interface_name=args.placement.name("network interface", args.role),
            resource_group_name=args.placement.resource_group_name,
            location=args.placement.location,
            # SEV-SNP sizes of the v6 generation refuse it.
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

    def _storage_profile(self) -> compute.StorageProfileArgs:
        args = self._args
        image = f"{IMAGE_GALLERY}/images/{args.image_name}/versions/{args.image_version}"
        return compute.StorageProfileArgs(
            image_reference=compute.ImageReferenceArgs(id=f"{args.placement.subscription_scope}/{image}"),
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


def _check_machine_type(args: ConfidentialVmArgs) -> None:
    facts = catalog.load()
    location = args.placement.location
    try:
        machine = facts.machine_type("azure", args.size)
    except catalog.UnknownFact as error:
        raise InputError(TYPE, "size", str(error.message).split(";")[0], error.nearest) from error
    nearest = facts.nearest_machine_type(machine, region=location, tee=TEE)
    offer = nearest.size if nearest else None
    if args.tee != TEE:
        raise InputError(TYPE, "tee", f"{args.tee!r} is not built on Azure yet", f"{TEE} with size {offer}")
    if machine.tee != TEE:
        raise InputError(TYPE, "size", f"{args.size} has {machine.tee or 'no TEE'}, not {TEE}", offer)
    if location not in machine.regions:
        raise InputError(TYPE, "size", f"{args.size} is not offered in {location}", offer)


def _user_data(configuration: Mapping[str, Any]) -> str:
    text = json.dumps(configuration, sort_keys=True, separators=(",", ":")).encode()
    if len(text) > USER_DATA_BYTES:
        raise InputError(
            TYPE, "guest_configuration", f"is {len(text)} bytes of JSON; Azure takes {USER_DATA_BYTES} as user data"
        )
    return base64.b64encode(text).decode()
