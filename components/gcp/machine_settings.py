"""What every confidential machine of Google Cloud has in common, alone or in a group: checked once, stated once."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi

import catalog
from components.component import ComponentArgs
from components.errors import InputError
from components.gcp.placement import Placement

USER_DATA_BYTES = 256 * 1024
"""Most bytes that Google Cloud takes as one metadata value."""
CONFIDENTIAL_TYPES: Mapping[str, str] = {"snp": "SEV_SNP", "tdx": "TDX"}
"""Values of `confidentialInstanceType` by TEE. The older switch `enableConfidentialCompute` means plain SEV."""
PURCHASES = ("on-demand", "spot", "flex-start")
_TEE_NAMES = {"snp": "AMD SEV-SNP", "tdx": "Intel TDX"}
LONGEST_RUN_SECONDS = 7 * 86_400
"""Google's limit on how long a flex-start machine runs: seven days."""


@dataclass(frozen=True, slots=True)
class MachineSettings(ComponentArgs):
    """Inputs that a machine and a group of machines share."""

    placement: Placement
    """Where the machine is."""
    role: str
    """What the machine is, such as `inference`; part of its name."""
    size: str
    """Machine type that has the TEE in this location, such as `n2d-standard-4`."""
    tee: str
    """Trusted execution environment: `snp` or `tdx`."""
    image_name: str
    """Guest image in the project's own images, with the features of the TEE (`SEV_SNP_CAPABLE`, `TDX_CAPABLE`)."""
    image_version: str
    """Its exact version; never an image family."""
    guest_configuration: Mapping[str, Any] = field(repr=False)
    """What the guest is told at boot, as JSON in the machine's metadata. The operator can read it: no secrets."""
    subnet_id: pulumi.Input[str]
    """Subnetwork of the one network interface."""
    disk_key_id: pulumi.Input[str]
    """Key under which the OS disk is encrypted."""
    identity_id: pulumi.Input[str]
    """Service account of the guest."""
    gpu: str = "none"
    """GPU in confidential-computing mode: `none` or `h100`."""
    purchase: str = "on-demand"
    """How the machine is bought: `on-demand`, `spot` or `flex-start`. Machines with a confidential H100 are not sold on
    demand: Google takes a spot machine back whenever it wants, a flex-start machine after seven days."""

    def checked(self, component: str) -> "Checked":
        """The settings held against the catalogue; raises `InputError` in the name of `component`."""
        machine = self._machine(component)
        if self.purchase not in PURCHASES or self.purchase not in machine.purchase:
            raise InputError(
                component,
                "purchase",
                f"{self.size} with {_TEE_NAMES[self.tee]} is not sold as {self.purchase!r}",
                " or ".join(machine.purchase),
            )
        text = json.dumps(self.guest_configuration, sort_keys=True, separators=(",", ":"))
        if len(text.encode()) > USER_DATA_BYTES:
            raise InputError(
                component,
                "guest_configuration",
                f"is {len(text.encode())} bytes of JSON; Google Cloud takes {USER_DATA_BYTES} as a metadata value",
            )
        return Checked(self, machine, text)

    def _machine(self, component: str) -> catalog.MachineType:
        facts = catalog.load()
        place = self.placement
        if self.tee not in CONFIDENTIAL_TYPES:
            raise InputError(component, "tee", f"{self.tee!r} is not a TEE of Google Cloud", "snp or tdx")
        tee: catalog.Tee = "snp" if self.tee == "snp" else "tdx"
        try:
            machine = facts.machine_type(place.cloud, self.size)
        except catalog.UnknownFact as error:
            raise InputError(component, "size", str(error.message).split(";")[0], error.nearest) from error
        nearest = facts.nearest_machine_type(machine, region=place.location, tee=tee)
        offer = nearest.size if nearest else None
        if machine.tee != tee:
            raise InputError(component, "size", f"{self.size} has no {_TEE_NAMES[tee]}", offer)
        if place.location not in machine.regions:
            raise InputError(component, "size", f"{self.size} is not offered in {place.location}", offer)
        has = machine.gpu.name if machine.gpu and machine.gpu.cc else "none"
        if self.gpu != has:
            raise InputError(component, "gpu", f"{self.size} has the confidential GPU {has}, not {self.gpu!r}", has)
        return machine


@dataclass(frozen=True, slots=True)
class Checked:
    """Settings that the catalogue allows, in the terms of the Compute Engine API."""

    settings: MachineSettings
    machine: catalog.MachineType
    user_data: str
    """The guest's configuration as JSON."""

    @property
    def zones(self) -> tuple[str, ...]:
        """Zones of the location in which the machine comes with its TEE."""
        return self.machine.zones[self.settings.placement.location]

    @property
    def confidential_type(self) -> str:
        return CONFIDENTIAL_TYPES[self.settings.tee]

    @property
    def image(self) -> str:
        """Path of the image: one version of one image, in the project's own images."""
        settings = self.settings
        version = settings.image_version.replace(".", "-")
        return f"projects/{settings.placement.project_id}/global/images/{settings.image_name}-{version}"

    @property
    def metadata(self) -> dict[str, str]:
        """The instance's metadata: the guest's configuration, and no way in beside it."""
        return {
            "user-data": self.user_data,
            "block-project-ssh-keys": "TRUE",
            "enable-oslogin": "FALSE",
            "serial-port-enable": "FALSE",
        }

    def scheduling(self) -> dict[str, Any]:
        """Arguments of the scheduling block: a confidential machine cannot move to another host."""
        shared: dict[str, Any] = {"on_host_maintenance": self.machine.on_host_maintenance}
        match self.settings.purchase:
            case "spot":
                return shared | {
                    "provisioning_model": "SPOT",
                    "preemptible": True,
                    "automatic_restart": False,
                    "instance_termination_action": "STOP",
                }
            case "flex-start":
                return shared | {
                    "provisioning_model": "FLEX_START",
                    "automatic_restart": False,
                    "instance_termination_action": "DELETE",
                }
            case _:
                return shared | {"provisioning_model": "STANDARD", "automatic_restart": True}

    @property
    def longest_run_seconds(self) -> int | None:
        """How long a flex-start machine runs, in seconds; None for the others."""
        return LONGEST_RUN_SECONDS if self.settings.purchase == "flex-start" else None
