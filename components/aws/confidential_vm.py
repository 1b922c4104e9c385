"""A virtual machine whose memory its operator cannot read."""

from dataclasses import dataclass

import pulumi
from pulumi_aws import ec2

from components.aws.machine_settings import HOP_LIMIT, MachineSettings
from components.component import Component
from components.errors import InputError

TYPE = "bailiwick:index:AwsConfidentialVm"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfidentialVmArgs(MachineSettings):
    """Inputs of `ConfidentialVm`: those of `MachineSettings`, and where the machine is."""

    zone: str
    """Availability zone, such as `eu-west-1a`: that of the subnet."""
    subnet_id: pulumi.Input[str]
    """Subnet of the one network interface."""
    host_id: str | None = None
    """Dedicated Host that was allocated with SNP, for regions where shared hosts have none. The provider cannot
    allocate one: take the id from `aws ec2 allocate-hosts --cpu-options AmdSevSnp=enabled`."""


class ConfidentialVm(Component):
    """`bailiwick:index:AwsConfidentialVm`: an AMD SEV-SNP virtual machine that nobody logs in to.

    Creates one instance with a private address, from one version of one image of the account.

    Guarantees: memory is encrypted by the CPU; no key pair and no public address; the metadata service answers only
    requests with a session token, and only the machine itself; the OS disk is encrypted under the region's key. The CPU
    measures AWS's firmware and NitroTPM the image: a key goes to who shows both.

    Does not: encrypt the disk inside the TEE: the key is the customer's, but AWS's Nitro hosts use it, so that an image
    must keep nothing secret on it. Nor register the image: a machine has NitroTPM where its AMI was registered with TPM
    support v2.0 and boot mode uefi, and one without it gets no key. On shared hosts a VLEK of AWS signs the report, on
    a Dedicated Host the chip's own VCEK; the chain ends at AMD in both. Intel TDX and GPUs in confidential-computing
    mode do not exist on AWS and are refused.

    A change of size, image, TEE or configuration replaces the machine: a guest reads its configuration at boot, and
    another boot is measured afresh.
    """

    id: pulumi.Output[str]
    """Id of the instance."""
    machine_name: str
    """Name of the machine, its tag `Name`."""
    zone: str
    """Availability zone of the machine."""

    def __init__(self, name: str, args: ConfidentialVmArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        checked = args.checked(TYPE, dedicated_host=args.host_id is not None)
        _check_zone(args)
        placement = args.placement
        self.zone = args.zone
        self.machine_name = placement.name("tag", args.role)
        super().__init__(TYPE, name, args, opts)
        machine = ec2.Instance(
            f"{name}-vm",
            region=placement.location,
            ami=checked.image_id(self),
            instance_type=args.size,
            cpu_options=ec2.InstanceCpuOptionsArgs(amd_sev_snp="enabled"),
            subnet_id=args.subnet_id,
            vpc_security_group_ids=[args.group_id],
            associate_public_ip_address=False,
            source_dest_check=True,
            tenancy="host" if args.host_id else "default",
            host_id=args.host_id,
            iam_instance_profile=args.identity_id,
            metadata_options=ec2.InstanceMetadataOptionsArgs(
                http_endpoint="enabled",
                http_tokens="required",
                http_put_response_hop_limit=HOP_LIMIT,
                instance_metadata_tags="disabled",
            ),
            root_block_device=ec2.InstanceRootBlockDeviceArgs(
                encrypted=True, kms_key_id=args.disk_key_id, delete_on_termination=True, volume_type="gp3"
            ),
            enclave_options=ec2.InstanceEnclaveOptionsArgs(enabled=False),
            hibernation=False,
            user_data_base64=checked.user_data,
            user_data_replace_on_change=True,
            tags=placement.tagged(self.machine_name),
            volume_tags=placement.tag_mapping,
            opts=pulumi.ResourceOptions(
                parent=self,
                replace_on_changes=["ami", "instanceType", "iamInstanceProfile"],
                delete_before_replace=True,
            ),
        )
        self.id = machine.id
        self.register_outputs({"id": self.id, "machineName": self.machine_name, "zone": self.zone})


def _check_zone(args: ConfidentialVmArgs) -> None:
    zones = args.placement.zones
    if args.zone not in zones:
        raise InputError(TYPE, "zone", f"{args.zone!r} is not a zone of {args.placement.location}", ", ".join(zones))
