"""Several machines of one kind, kept at their number."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_gcp import compute

from components.component import Component
from components.errors import InputError
from components.gcp.confidential_vm import DISK_TYPE
from components.gcp.machine_settings import Checked, MachineSettings
from components.gcp.names import gcp_name

TYPE = "bailiwick:index:GcpConfidentialVmGroup"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfidentialVmGroupArgs(MachineSettings):
    """Inputs of `ConfidentialVmGroup`: those of `MachineSettings`, number and zones."""

    count: int
    """Number of machines, 2 or more."""
    zones: Sequence[str] = ()
    """Zones over which the machines are spread; empty takes every one in which they come with their TEE."""


class ConfidentialVmGroup(Component):
    """`bailiwick:index:GcpConfidentialVmGroup`: a regional managed instance group of confidential machines.

    Creates an instance template in the region and a managed instance group that keeps `count` machines of it, spread
    over the zones that have the TEE.

    Guarantees: each machine is as `ConfidentialVm` makes it; a machine that is lost is replaced, and measured afresh; a
    new image or configuration replaces the machines one after the other.

    Does not: scale by load, or take flex-start machines, which join a group by resize requests of their own.
    """

    id: pulumi.Output[str]
    """Resource id of the managed instance group."""
    instance_group: pulumi.Output[str]
    """URL of its instance group, for a load balancer's backend."""
    group_name: str
    """Name of the group, and the beginning of its machines' names."""

    def __init__(self, name: str, args: ConfidentialVmGroupArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        checked = args.checked(TYPE)
        zones = _zones(args, checked)
        self.group_name = args.placement.name(args.role)
        super().__init__(TYPE, name, args, opts)
        child = pulumi.ResourceOptions(parent=self)
        template = _template(f"{name}-template", args, checked, child)
        group = compute.RegionInstanceGroupManager(
            f"{name}-group",
            name=self.group_name,
            project=args.placement.project_id,
            region=args.placement.location,
            base_instance_name=self.group_name,
            target_size=args.count,
            distribution_policy_zones=list(zones),
            versions=[compute.RegionInstanceGroupManagerVersionArgs(instance_template=template.self_link)],
            update_policy=compute.RegionInstanceGroupManagerUpdatePolicyArgs(
                type="PROACTIVE",
                minimal_action="REPLACE",
                instance_redistribution_type="PROACTIVE",
                max_surge_fixed=len(zones),
                max_unavailable_fixed=0,
            ),
            opts=child,
        )
        self.id = group.id
        self.instance_group = group.instance_group
        self.register_outputs({"id": self.id, "instanceGroup": self.instance_group, "groupName": self.group_name})


def _zones(args: ConfidentialVmGroupArgs, checked: Checked) -> tuple[str, ...]:
    if args.count < 2:
        raise InputError(TYPE, "count", f"{args.count} machines are no group", "ConfidentialVm, or 2")
    if args.purchase == "flex-start":
        offered = [one for one in checked.machine.purchase if one != "flex-start"]
        raise InputError(TYPE, "purchase", "flex-start machines join by resize requests, which are not built", *offered)
    zones = tuple(args.zones) or checked.zones
    if missing := [zone for zone in zones if zone not in checked.zones]:
        raise InputError(TYPE, "zones", f"{args.size} has no {args.tee} in {missing[0]}", ", ".join(checked.zones))
    return zones


def _template(
    name: str, args: ConfidentialVmGroupArgs, checked: Checked, opts: pulumi.ResourceOptions
) -> "compute.RegionInstanceTemplate":
    """The template. It never changes: another one, under another name, takes its place."""
    gpu = checked.machine.gpu
    return compute.RegionInstanceTemplate(
        name,
        name_prefix=gcp_name("template prefix", f"{args.placement.name(args.role)[:36]}-"),
        project=args.placement.project_id,
        region=args.placement.location,
        machine_type=args.size,
        min_cpu_platform=checked.machine.min_cpu_platform,
        confidential_instance_config=compute.RegionInstanceTemplateConfidentialInstanceConfigArgs(
            confidential_instance_type=checked.confidential_type
        ),
        shielded_instance_config=compute.RegionInstanceTemplateShieldedInstanceConfigArgs(
            enable_secure_boot=True, enable_vtpm=True, enable_integrity_monitoring=True
        ),
        scheduling=compute.RegionInstanceTemplateSchedulingArgs(**checked.scheduling()),
        guest_accelerators=[compute.RegionInstanceTemplateGuestAcceleratorArgs(type=gpu.type, count=gpu.count)]
        if gpu and gpu.type
        else None,
        disks=[
            compute.RegionInstanceTemplateDiskArgs(
                boot=True,
                auto_delete=True,
                interface="NVME",
                source_image=checked.image,
                disk_type=DISK_TYPE,
                disk_encryption_key=compute.RegionInstanceTemplateDiskDiskEncryptionKeyArgs(
                    kms_key_self_link=args.disk_key_id
                ),
                labels=args.placement.labels,
            )
        ],
        network_interfaces=[
            compute.RegionInstanceTemplateNetworkInterfaceArgs(
                subnetwork=args.subnet_id, nic_type="GVNIC", stack_type="IPV4_ONLY"
            )
        ],
        service_account=compute.RegionInstanceTemplateServiceAccountArgs(
            email=args.identity_id, scopes=["cloud-platform"]
        ),
        key_revocation_action_type="STOP",
        can_ip_forward=False,
        metadata=checked.metadata,
        labels=args.placement.labels,
        opts=opts,
    )
