"""What every confidential machine of AWS has in common, alone or in a group: checked once, stated once."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import pulumi
from pulumi_aws import ec2

import catalog
from components.aws.placement import Placement
from components.component import ComponentArgs
from components.errors import InputError

TEE: Final = "snp"
USER_DATA_BYTES = 16 * 1024
"""Most bytes of user data that EC2 hands to a machine, before base64."""
HOP_LIMIT = 1
"""How many network hops an answer of the metadata service survives: none beyond the machine itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineSettings(ComponentArgs):
    """Inputs that a machine and a group of machines share."""

    placement: Placement
    """Where the machine is."""
    role: str
    """What the machine is, such as `inference`; part of its name."""
    size: str
    """Instance type that has the TEE in this location, such as `m6a.xlarge`."""
    tee: str
    """Trusted execution environment; `snp`."""
    image_name: str
    """Guest image: an AMI of the account, named `bailiwick-<name>-<version>`, that boots by UEFI and has NitroTPM."""
    image_version: str
    """Its exact version."""
    guest_configuration: Mapping[str, Any] = field(repr=False)
    """What the guest is told at boot, as JSON in the machine's user data. The operator can read it: no secrets."""
    group_id: pulumi.Input[str]
    """Security group of the one network interface."""
    disk_key_id: pulumi.Input[str]
    """ARN of the key under which the OS disk is encrypted."""
    identity_id: pulumi.Input[str] | None = None
    """Instance profile of the guest; None where something else gives the machine its role."""
    gpu: str = "none"
    """GPU in confidential-computing mode; AWS has none: `none`."""

    def checked(self, component: str, *, dedicated_host: bool) -> "Checked":
        """The settings held against the catalogue; raises `InputError` in the name of `component`."""
        check_machine_type(component, self.placement, self.size, self.tee, dedicated_host=dedicated_host)
        if self.gpu != "none":
            raise InputError(component, "gpu", f"AWS has no {self.gpu} in confidential-computing mode", "none")
        text = json.dumps(self.guest_configuration, sort_keys=True, separators=(",", ":")).encode()
        if len(text) > USER_DATA_BYTES:
            raise InputError(
                component,
                "guest_configuration",
                f"is {len(text)} bytes of JSON; AWS takes {USER_DATA_BYTES} as user data",
            )
        return Checked(self, base64.b64encode(text).decode())


@dataclass(frozen=True, slots=True)
class Checked:
    """Settings that the catalogue allows, in the terms of the EC2 API."""

    settings: MachineSettings
    user_data: str
    """The guest's configuration as JSON, in base64."""

    @property
    def image_name(self) -> str:
        """Name of the AMI: one version of one image."""
        return f"bailiwick-{self.settings.image_name}-{self.settings.image_version}"

    def image_id(self, parent: pulumi.Resource) -> pulumi.Output[str]:
        """Id of the AMI, found in the account itself: nobody else's image of that name will do."""
        found = ec2.get_ami_output(
            owners=["self"],
            filters=[ec2.GetAmiFilterArgs(name="name", values=[self.image_name])],
            region=self.settings.placement.location,
            opts=pulumi.InvokeOutputOptions(parent=parent),
        )
        image: pulumi.Output[str] = found.id
        return image


def check_machine_type(component: str, place: Placement, size: str, tee: str, *, dedicated_host: bool = False) -> None:
    """Raise `InputError` in the name of `component` unless the size has AMD SEV-SNP in this place on this tenancy."""
    facts = catalog.load()
    offered = facts.machine_types(place.cloud, region=place.location, tee=TEE)
    if not offered:
        raise InputError(
            component,
            "placement.location",
            f"{place.location} has no machine with AMD SEV-SNP",
            "eu-west-1 in cloud aws",
        )
    if tee != TEE:
        raise InputError(component, "tee", f"{tee!r} is not offered by AWS", TEE)
    try:
        machine = facts.machine_type(place.cloud, size)
    except catalog.UnknownFact as error:
        near = catalog.nearest(size, [one.size for one in offered])
        raise InputError(component, "size", str(error.message).split(";")[0], near) from error
    nearest = facts.nearest_machine_type(machine, region=place.location, tee=TEE)
    offer = nearest.size if nearest else None
    if machine.tee != TEE:
        raise InputError(component, "size", f"{size} has no AMD SEV-SNP", offer)
    if place.location not in machine.regions:
        raise InputError(component, "size", f"{size} is not offered in {place.location}", offer)
    tenancies = machine.tenancy(place.location)
    if ("dedicated-host" if dedicated_host else "shared") not in tenancies:
        other = "no host_id" if dedicated_host else "host_id of a Dedicated Host that was allocated with SNP"
        raise InputError(
            component, "host_id", f"{size} has AMD SEV-SNP in {place.location} on {tenancies[0]} only", other
        )
