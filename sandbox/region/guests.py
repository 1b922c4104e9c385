"""Boots one workload guest: launches it on emulated hardware, lets its agent run, writes down what became of it."""

import base64
import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import httpx

from sandbox.clouds.hardware import Machine
from sandbox.guest.agent import BlobError, GuestAgent, Journal
from sandbox.guest.artefact import Artefact, ArtefactError
from sandbox.guest.config import ConfigError, WorkloadConfig, parse
from sandbox.guest.device import Device, SevGuestDevice, TdxGuestDevice
from sandbox.guest.kbs import RefusedError, UnreachableError
from sandbox.guest.keys import UnwrapError
from sandbox.hardware import Chip, Measured, PkiError, Platform, SandboxPki, SnpFirmware, TdxModule
from sandbox.region import images
from sandbox.region.outcome import ArtefactRecord, GuestOutcome, StepRecord
from sandbox.region.patience import Patience
from verifier import canonical

_CHIPS_PER_ZONE: Final = 4
_HANDOFF_TABLES: Final = 0x8000000B
"""TCG event type EV_EFI_HANDOFF_TABLES2: the shape of the machine, as its host describes it to the firmware."""


@dataclass(frozen=True, slots=True)
class Connection:
    """A new HTTP client in the guest's network, and the address of the guest's model there."""

    http: httpx.Client
    artefact_url: str


Connect = Callable[[], Connection]


class BootError(Exception):
    """The machine cannot start as a confidential guest; the message says what it lacks."""


def launch(machine: Machine, pki: SandboxPki) -> Device:
    """Start the machine's image on its host, which binds the customData that it was given to the launch."""
    image = images.find(machine.image_reference, machine.tee) if machine.tee else None
    if image is None:
        raise BootError(_lack(machine))
    custom_data = machine.custom_data or b""
    if isinstance(image, images.TrustDomainImage):
        module = TdxModule(pki.intel, Platform(_host(machine)))
        shape = Measured(0, _HANDOFF_TABLES, f"td-hob\0{machine.size}".encode())
        config_id = hashlib.sha384(custom_data).digest()
        return TdxGuestDevice(module, module.launch(image.measurement(), (shape, *image.events()), config_id))
    firmware = SnpFirmware(pki, Chip(_host(machine)))
    host_data = hashlib.sha256(custom_data).digest()
    return SevGuestDevice(firmware, firmware.launch(image.measurement(), image.guest_policy, host_data))


def _lack(machine: Machine) -> str:
    """Why the machine's image does not start on it."""
    image = images.find(machine.image_reference)
    if image is None:
        return f"there is no image {machine.image_reference}"
    return f"image {image.id} needs {image.tee}, and size {machine.size} has {machine.tee or 'no TEE'}"


def _host(machine: Machine) -> str:
    """The emulated host that a machine lands on: always the same one, of a few in its zone."""
    slot = hashlib.sha256(machine.id.lower().encode()).digest()[0] % _CHIPS_PER_ZONE
    return f"{machine.location}-{machine.zone or 'any'}-{slot}"


def boot(machine: Machine, pki: SandboxPki, connect: Connect, patience: Patience) -> GuestOutcome:
    """Run the guest to its end; a verifier that does not answer is asked again while `patience` lasts."""
    started, clock = datetime.now(UTC), time.perf_counter()
    found: dict[str, Any] = {}
    try:
        config = parse(machine.custom_data or b"")
        device = launch(machine, pki)
        found |= _identity(device)
        found |= _attest(device, config, connect, patience)
        if found["status"] == "attested" and machine.gpu:
            found |= _without_evidence(machine.gpu)
    except (ConfigError, BootError, PkiError) as error:
        found |= _failed(error)
    return GuestOutcome(
        machine=machine.name,
        machine_id=machine.id,
        image=machine.image_reference,
        started_at=started.isoformat(timespec="milliseconds"),
        seconds=round(time.perf_counter() - clock, 3),
        **found,
    )


def _without_evidence(gpu: str) -> dict[str, Any]:
    """A GPU is not emulated: its machine has a key on the evidence of its CPU, and that is not all that runs there."""
    reason = f"the CPU is attested, the {gpu.upper()} is not: no emulated GPU gives evidence, so nothing vouches for it"
    return {"status": "partly attested", "reason": reason}


def _attest(device: Device, config: WorkloadConfig, connect: Connect, patience: Patience) -> dict[str, Any]:
    """Let the agent run, and start it again while no verifier answers."""
    while True:
        journal = Journal()
        try:
            return _attempt(device, config, connect, journal)
        except UnreachableError as error:
            if not patience.pause():
                return _journal(journal) | _failed(error)


def _attempt(device: Device, config: WorkloadConfig, connect: Connect, journal: Journal) -> dict[str, Any]:
    """One run of the agent, as members of the outcome."""
    try:
        connection = connect()
        with connection.http as http:
            artefact = GuestAgent(device, config, http, connection.artefact_url).run(journal)
    except RefusedError as error:
        journal.keep(error.receipt)
        return _journal(journal) | {"status": "refused", "reason": error.reason}
    except (BlobError, ArtefactError, UnwrapError) as error:
        return _journal(journal) | _failed(error)
    return _journal(journal) | {"status": "attested", "artefact": _artefact(artefact, connection.artefact_url)}


def _failed(error: Exception) -> dict[str, Any]:
    return {"status": "failed", "reason": str(error)}


def _identity(device: Device) -> dict[str, Any]:
    return {
        "measurement": device.measurement.hex(),
        "certificates": {name: _text(der) for name, der in device.certificates().items()},
    }


def _journal(journal: Journal) -> dict[str, Any]:
    return {
        "nonce": journal.nonce,
        "token": journal.token,
        "claims": _claims(journal.token) if journal.token else None,
        "report": _text(journal.report) if journal.report else None,
        "receipts": tuple(journal.receipts),
        "steps": tuple(StepRecord(name=step.name, seconds=step.seconds) for step in journal.steps),
    }


def _claims(token: str) -> dict[str, Any]:
    """The content of a JWT, for display; whoever relies on it verifies the token."""
    payload = token.split(".")[1]
    return canonical.parse_object(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


def _artefact(artefact: Artefact, url: str) -> ArtefactRecord:
    return ArtefactRecord(
        model=artefact.model,
        blob=url,
        sha256=artefact.sha256,
        bytes=len(artefact.plaintext),
        decrypted=True,
    )


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
