"""Several machines of one kind, kept at their number."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi
from pulumi_aws import autoscaling, ec2

from components.aws.machine_settings import HOP_LIMIT, MachineSettings
from components.aws.placement import Placement
from components.component import Component
from components.errors import InputError

TYPE = "bailiwick:index:AwsConfidentialVmGroup"
_ROOT = "/dev/sda1"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfidentialVmGroupArgs(MachineSettings):
    """Inputs of `ConfidentialVmGroup`: those of `MachineSettings`, number and subnets."""

    count: int
    """Number of machines, 2 or more."""
    subnet_ids: Mapping[str, pulumi.Input[str]] = field(repr=False)
    """Subnets by availability zone; the machines are spread over them."""


class ConfidentialVmGroup(Component):
    """`bailiwick:index:AwsConfidentialVmGroup`: an Auto Scaling group of AMD SEV-SNP machines.

    Creates a launch template and a group that keeps `count` machines of it, spread over the zones.

    Guarantees: each machine is as `ConfidentialVm` makes it; a machine that is lost is replaced, and measured afresh; a
    new image or configuration is a new version of the template, and replaces the machines one after the other.

    Does not: scale by load, or use Dedicated Hosts.
    """

    id: pulumi.Output[str]
    """Name of the Auto Scaling group, which is its id."""
    group_name: str
    """Name of the group, and the beginning of its machines' names."""

    def __init__(self, name: str, args: ConfidentialVmGroupArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        checked = args.checked(TYPE, dedicated_host=False)
        if args.count < 2:
            raise InputError(TYPE, "count", f"{args.count} machines are no group", "ConfidentialVm, or 2")
        placement = args.placement
        self.group_name = placement.name("auto scaling group", args.role)
        super().__init__(TYPE, name, args, opts)
        child = pulumi.ResourceOptions(parent=self)
        template = snp_template(
            f"{name}-template",
            placement=placement,
            role=args.role,
            size=args.size,
            group_id=args.group_id,
            disk_key_id=args.disk_key_id,
            identity_id=args.identity_id,
            image_id=checked.image_id(self),
            user_data=checked.user_data,
            opts=child,
        )
        group = autoscaling.Group(
            f"{name}-group",
            name=self.group_name,
            region=placement.location,
            min_size=args.count,
            max_size=args.count,
            desired_capacity=args.count,
            vpc_zone_identifiers=list(args.subnet_ids.values()),
            launch_template=autoscaling.GroupLaunchTemplateArgs(
                id=template.id, version=template.latest_version.apply(str)
            ),
            health_check_type="EC2",
            instance_refresh=autoscaling.GroupInstanceRefreshArgs(strategy="Rolling"),
            tags=[
                autoscaling.GroupTagArgs(key=key, value=value, propagate_at_launch=True)
                for key, value in placement.tagged(self.group_name).items()
            ],
            opts=child,
        )
        self.id = group.id
        self.register_outputs({"id": self.id, "groupName": self.group_name})


def snp_template(
    name: str,
    *,
    placement: Placement,
    role: str,
    size: str,
    group_id: pulumi.Input[str],
    disk_key_id: pulumi.Input[str],
    identity_id: pulumi.Input[str] | None = None,
    image_id: pulumi.Input[str] | None = None,
    user_data: str | None = None,
    opts: pulumi.ResourceOptions,
) -> "ec2.LaunchTemplate":
    """A launch template of machines with SEV-SNP: the same settings as `ConfidentialVm`.

    A managed node group brings identity, image and user data by itself; for one, these are None.
    """
    profile = None
    if identity_id is not None:
        profile = ec2.LaunchTemplateIamInstanceProfileArgs(name=identity_id)
    return ec2.LaunchTemplate(
        name,
        name=placement.name("launch template", role),
        region=placement.location,
        image_id=image_id,
        instance_type=size,
        cpu_options=ec2.LaunchTemplateCpuOptionsArgs(amd_sev_snp="enabled"),
        vpc_security_group_ids=[group_id],
        iam_instance_profile=profile,
        metadata_options=ec2.LaunchTemplateMetadataOptionsArgs(
            http_endpoint="enabled",
            http_tokens="required",
            http_put_response_hop_limit=HOP_LIMIT,
            instance_metadata_tags="disabled",
        ),
        block_device_mappings=[
            ec2.LaunchTemplateBlockDeviceMappingArgs(
                device_name=_ROOT,
                ebs=ec2.LaunchTemplateBlockDeviceMappingEbsArgs(
                    encrypted="true", kms_key_id=disk_key_id, delete_on_termination="true", volume_type="gp3"
                ),
            )
        ],
        user_data=user_data,
        update_default_version=True,
        tag_specifications=[
            ec2.LaunchTemplateTagSpecificationArgs(resource_type="volume", tags=placement.tag_mapping),
        ],
        tags=placement.tag_mapping,
        opts=opts,
    )
