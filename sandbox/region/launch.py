"""Starts a machine's image on the emulated hardware of its host."""

import hashlib
import uuid
from typing import Final

from sandbox.clouds.hardware import Machine
from sandbox.guest.device import (
    Device,
    NitroTpmDevice,
    SevGuestDevice,
    SevVtpmDevice,
    TdxGuestDevice,
    TdxVtpmDevice,
)
from sandbox.hardware import (
    EC2_FIRMWARE_MEASUREMENT,
    PARAVISOR_MEASUREMENT,
    PARAVISOR_SIGNER,
    SNP_REPORT,
    TD_REPORT,
    Chip,
    Gpu,
    Measured,
    NitroTpm,
    Platform,
    SandboxPki,
    Setup,
    SnpFirmware,
    TdxModule,
    boot,
    measured_boot,
)
from sandbox.region import images

_CHIPS_PER_ZONE: Final = 4
_HANDOFF_TABLES: Final = 0x8000000B
"""TCG event type EV_EFI_HANDOFF_TABLES2: the shape of the machine, as its host describes it to the firmware."""


class BootError(Exception):
    """The machine cannot start as a confidential guest; the message says what it lacks."""


def launch(machine: Machine, pki: SandboxPki) -> Device:
    """Start the machine's image on its host.

    A host binds the customData that it was given to the launch, except on EC2; a guest under a paravisor measures it.
    """
    image = images.find(machine.image_reference, machine.tee) if machine.tee else None
    if image is None:
        raise BootError(_lack(machine))
    gpus = (Gpu(pki.nvidia, f"{host_of(machine)}-{machine.name}"),) if machine.gpu else ()
    if isinstance(image, images.TrustDomainImage):
        return _trust_domain(machine, image, TdxModule(pki.intel, Platform(host_of(machine))), gpus)
    if machine.instance_id is not None:
        return _ec2_guest(machine, machine.instance_id, image, pki)
    return _snp_guest(machine, image, SnpFirmware(pki, Chip(host_of(machine)), machine.cloud_key), gpus)


def _trust_domain(machine: Machine, image: images.TrustDomainImage, module: TdxModule, gpus: tuple[Gpu, ...]) -> Device:
    shape = Measured(0, _HANDOFF_TABLES, f"td-hob\0{machine.size}".encode())
    if not machine.paravisor:
        config_id = hashlib.sha384(machine.custom_data or b"").digest()
        return TdxGuestDevice(
            module, module.launch(image.measurement(), (shape, *image.events()), config_id), gpus=gpus
        )
    td = module.launch(PARAVISOR_MEASUREMENT, (shape,))
    booted = boot(image.boot_events(), _setup(machine), TD_REPORT, lambda data: module.report(td, data))
    return TdxVtpmDevice(booted, module, module.quote(td, booted.report_data), gpus=gpus)


def _ec2_guest(machine: Machine, instance_id: str, image: images.Image, pki: SandboxPki) -> Device:
    """EC2 binds no customData to a launch: HOST_DATA of its reports is zeros."""
    firmware = SnpFirmware(pki, Chip(host_of(machine)), machine.cloud_key)
    guest = firmware.launch(EC2_FIRMWARE_MEASUREMENT, image.guest_policy)
    if not machine.vtpm:
        return SevGuestDevice(firmware, guest)
    pcrs = measured_boot(image.attestable_events(), secure_boot=machine.secure_boot)
    return NitroTpmDevice(firmware, guest, NitroTpm(pki.nitro, machine.location, instance_id, pcrs))


def _snp_guest(machine: Machine, image: images.Image, firmware: SnpFirmware, gpus: tuple[Gpu, ...]) -> Device:
    if not machine.paravisor:
        host_data = hashlib.sha256(machine.custom_data or b"").digest()
        guest = firmware.launch(image.measurement(), image.guest_policy, host_data)
        return SevGuestDevice(firmware, guest, gpus=gpus)
    paravisor = firmware.launch(PARAVISOR_MEASUREMENT, image.guest_policy, id_key_digest=PARAVISOR_SIGNER)
    booted = boot(image.boot_events(), _setup(machine), SNP_REPORT, lambda data: firmware.report(paravisor, data))
    return SevVtpmDevice(booted, firmware, gpus=gpus)


def _setup(machine: Machine) -> Setup:
    vm_id = str(uuid.uuid5(uuid.NAMESPACE_URL, machine.id.lower())).upper()
    return Setup(vm_id, secure_boot=machine.secure_boot, init_data=machine.custom_data or b"")


def _lack(machine: Machine) -> str:
    """Why the machine's image does not start on it."""
    image = images.find(machine.image_reference)
    if image is None:
        return f"there is no image {machine.image_reference}"
    return f"image {image.id} needs {image.tee}, and size {machine.size} has {machine.tee or 'no TEE'}"


def host_of(machine: Machine) -> str:
    """The emulated host that a machine lands on: always the same one, of a few in its zone."""
    slot = hashlib.sha256(machine.id.lower().encode()).digest()[0] % _CHIPS_PER_ZONE
    return f"{machine.location}-{machine.zone or 'any'}-{slot}"
