"""A virtual machine whose memory and disk its operator cannot read."""

from dataclasses import dataclass

import pulumi
from pulumi_gcp import compute

from components.component import Component
from components.errors import InputError
from components.gcp.machine_settings import Checked, MachineSettings

TYPE = "bailiwick:index:GcpConfidentialVm"
DISK_TYPE = "pd-balanced"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfidentialVmArgs(MachineSettings):
    """Inputs of `ConfidentialVm`: those of `MachineSettings`, and the zone."""

    zone: str | None = None
    """Zone, such as `europe-west3-a`; None takes the first in which the machine comes with its TEE."""


class ConfidentialVm(Component):
    """`bailiwick:index:GcpConfidentialVm`: an AMD SEV-SNP or Intel TDX virtual machine that nobody logs in to.

    Creates one machine with a private address, from one version of one image; with `gpu`, an H100 in its confidential
    mode beside the processor's TEE.

    Guarantees: memory is encrypted by the CPU; secure boot, vTPM and integrity monitoring are on; the OS disk is
    encrypted under the region's HSM key, and the machine stops when that key is revoked; no external address; no SSH
    key of the project, no OS Login, no serial port.

    Does not: encrypt the disk inside the TEE (that mode is for Hyperdisk, which not every zone has): the key is the
    customer's, but Google's hosts use it, so that what must stay secret is encrypted before it is written. Nor does it
    make a confidential H100 last: Google sells it as spot or flex-start only (`purchase`).

    A change of size, TEE, image or configuration replaces the machine: a guest reads its configuration at boot, and
    another boot is measured afresh.
    """

    id: pulumi.Output[str]
    """Resource id of the machine."""
    machine_name: str
    """Name of the machine."""
    zone: str
    """Zone of the machine."""

    def __init__(self, name: str, args: ConfidentialVmArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        checked = args.checked(TYPE)
        zone = args.zone or checked.zones[0]
        if zone not in checked.zones:
            raise InputError(TYPE, "zone", f"{args.size} has no {args.tee} in {zone}", " or ".join(checked.zones))
        self.machine_name = args.placement.name(args.role)
        super().__init__(TYPE, name, args, opts)
        self.zone = zone  # after registration, which turns the attributes that are named like inputs into outputs
        machine = compute.Instance(
            f"{name}-vm",
            name=self.machine_name,
            project=args.placement.project_id,
            zone=zone,
            machine_type=args.size,
            min_cpu_platform=checked.machine.min_cpu_platform,
            confidential_instance_config=compute.InstanceConfidentialInstanceConfigArgs(
                confidential_instance_type=checked.confidential_type
            ),
            shielded_instance_config=compute.InstanceShieldedInstanceConfigArgs(
                enable_secure_boot=True, enable_vtpm=True, enable_integrity_monitoring=True
            ),
            scheduling=_scheduling(checked),
            guest_accelerators=_accelerators(checked),
            boot_disk=compute.InstanceBootDiskArgs(
                auto_delete=True,
                interface="NVME",
                kms_key_self_link=args.disk_key_id,
                initialize_params=compute.InstanceBootDiskInitializeParamsArgs(
                    image=checked.image, type=DISK_TYPE, labels=args.placement.labels
                ),
            ),
            network_interfaces=[
                compute.InstanceNetworkInterfaceArgs(
                    subnetwork=args.subnet_id, nic_type="GVNIC", stack_type="IPV4_ONLY"
                )
            ],
            service_account=compute.InstanceServiceAccountArgs(email=args.identity_id, scopes=["cloud-platform"]),
            key_revocation_action_type="STOP",
            can_ip_forward=False,
            enable_display=False,
            metadata=checked.metadata,
            labels=args.placement.labels,
            opts=pulumi.ResourceOptions(
                parent=self,
                replace_on_changes=["machineType", "metadata", "serviceAccount"],
                delete_before_replace=True,
            ),
        )
        self.id = machine.id
        self.register_outputs({"id": self.id, "machineName": self.machine_name, "zone": self.zone})


def _scheduling(checked: Checked) -> "compute.InstanceSchedulingArgs":
    seconds = checked.longest_run_seconds
    limit = compute.InstanceSchedulingMaxRunDurationArgs(seconds=seconds) if seconds else None
    return compute.InstanceSchedulingArgs(**checked.scheduling(), max_run_duration=limit)


def _accelerators(checked: Checked) -> "list[compute.InstanceGuestAcceleratorArgs] | None":
    gpu = checked.machine.gpu
    if gpu is None or gpu.type is None:
        return None
    return [compute.InstanceGuestAcceleratorArgs(type=gpu.type, count=gpu.count)]
