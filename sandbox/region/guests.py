"""Boots one workload guest: launches it on emulated hardware, lets its agent run, writes down what became of it."""

import base64
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx

from sandbox.clouds.hardware import Machine
from sandbox.guest.agent import BlobError, GuestAgent, Journal
from sandbox.guest.artefact import Artefact, ArtefactError
from sandbox.guest.config import ConfigError, WorkloadConfig, parse
from sandbox.guest.device import Device
from sandbox.guest.kbs import RefusedError, UnreachableError
from sandbox.guest.keys import UnwrapError
from sandbox.hardware import PkiError, SandboxPki
from sandbox.region.launch import BootError, launch
from sandbox.region.outcome import ArtefactRecord, GuestOutcome, StepRecord
from sandbox.region.patience import Patience
from verifier import canonical


@dataclass(frozen=True, slots=True)
class Connection:
    """A new HTTP client in the guest's network, its model's address there, and what its verifiers are told to do."""

    http: httpx.Client
    artefact_url: str
    verifiers: str


Connect = Callable[[], Connection]


def boot(machine: Machine, pki: SandboxPki, connect: Connect, patience: Patience) -> GuestOutcome:
    """Run the guest to its end; a verifier that does not answer is asked again while `patience` lasts."""
    started, clock = datetime.now(UTC), time.perf_counter()
    found: dict[str, Any] = {}
    try:
        config = parse(machine.custom_data or b"")
        device = launch(machine, pki)
        found |= _identity(device)
        found |= _attest(device, config, connect, patience)
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
    opened = _artefact(artefact, connection.artefact_url)
    return _journal(journal) | {"status": "attested", "artefact": opened, "verifiers": connection.verifiers}


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
