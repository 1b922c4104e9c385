"""What every confidential machine of Azure has in common, alone or in a scale set: checked once, stated once."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi

from components.azure.machine_types import check_machine_type
from components.azure.placement import Placement
from components.component import ComponentArgs
from components.errors import InputError

USER_DATA_BYTES = 64 * 1024
"""Most bytes of user data that Azure hands to a machine, before base64."""
IMAGE_GALLERY = "resourceGroups/bailiwick-images/providers/Microsoft.Compute/galleries/bailiwick"
"""Compute gallery of a subscription into which the build publishes guest images."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineSettings(ComponentArgs):
    """Inputs that a machine and a scale set share."""

    placement: Placement
    """Where the machine is."""
    role: str
    """What the machine is, such as `inference`; part of its name."""
    size: str
    """Azure size that has the TEE in this location, such as `Standard_DC4as_v5` or `Standard_DC4es_v6`."""
    tee: str
    """Trusted execution environment: `snp` or `tdx`."""
    gpu: str = "none"
    """GPU in confidential-computing mode: `none` or `h100`. The size decides; stating it too refuses a misunderstanding
    in either direction."""
    image_name: str
    """Guest image in the gallery: a specialized image that supports confidential VMs."""
    image_version: str
    """Its exact version; never `latest`."""
    guest_configuration: Mapping[str, Any] = field(repr=False)
    """What the guest is told at boot, as JSON in the machine's user data. The operator can read it: no secrets."""
    subnet_id: pulumi.Input[str]
    """Subnet of the one network interface."""
    identity_id: pulumi.Input[str]
    """User-assigned identity of the guest."""
    backend_pool_id: pulumi.Input[str] | None = None
    """Backend pool of an internal load balancer that the machine joins."""

    @property
    def image_id(self) -> str:
        """ARM id of the image's version in the subscription's gallery."""
        image = f"{IMAGE_GALLERY}/images/{self.image_name}/versions/{self.image_version}"
        return f"{self.placement.subscription_scope}/{image}"

    def check(self, component: str) -> None:
        """Raise `InputError` in the name of `component` for a machine that Azure does not offer here."""
        check_machine_type(component, size=self.size, location=self.placement.location, tee=self.tee, gpu=self.gpu)

    def user_data(self, component: str) -> str:
        """The guest's configuration as Azure takes it: canonical JSON in base64."""
        text = json.dumps(self.guest_configuration, sort_keys=True, separators=(",", ":")).encode()
        if len(text) > USER_DATA_BYTES:
            problem = f"is {len(text)} bytes of JSON; Azure takes {USER_DATA_BYTES} as user data"
            raise InputError(component, "guest_configuration", problem)
        return base64.b64encode(text).decode()
