"""The hardware of one emulated region: an HSM, hosts that boot guests, and the verifiers that run on some of them."""

import hashlib
import logging
import shutil
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import httpx

from sandbox.clouds.hardware import KeyVersion, Machine
from sandbox.guest.config import WorkloadConfig, parse
from sandbox.guest.kbs import UnreachableError
from sandbox.hardware import SandboxPki
from sandbox.provider import ProviderError
from sandbox.region import guests, images, keys
from sandbox.region.blobs import BlobStore
from sandbox.region.collateral import CollateralPublisher
from sandbox.region.custody import Custody
from sandbox.region.launch import BootError
from sandbox.region.loopback import NoRouteError
from sandbox.region.network import Network, Surroundings
from sandbox.region.outcome import GuestOutcome
from sandbox.region.patience import Patience
from sandbox.region.publisher import Publisher
from sandbox.region.records import MachineRecord, Records
from sandbox.region.verifiers import Verifiers
from sandbox.values import Value
from verifier import canonical
from verifier.broker.wrapped import WrappedKeysError
from verifier.config import ConfigurationError, VerifierConfig
from verifier.errors import VerifierError
from verifier.keystore import KeyStoreError
from verifier.log import LogError

PATIENCE_SECONDS: Final = 15.0
"""How long a guest asks again for a verifier that does not answer."""

_GUESTS_AT_ONCE: Final = 8
_LOGGER: Final = logging.getLogger(__name__)


class Region:
    """Implements `sandbox.clouds.hardware.Hardware` on this machine, with its state under `data_dir`.

    Thread-safe. Guests find their verifier and their model through the cloud that `attach` is given. `close` it at the
    end.

    data_dir: `.bailiwick/region/<stack>`. hardware_dir: the keys of the emulated chips, which a project's stacks
    share; None is `.bailiwick/hardware`. warn: hears what a person must be told, such as an HSM that is none.
    custody: the HSM, the log and the wrapped keys, for evidence export.
    """

    def __init__(
        self,
        data_dir: Path,
        stack: str,
        hardware_dir: Path | None = None,
        *,
        patience: float = PATIENCE_SECONDS,
        warn: Callable[[str], None] = _LOGGER.warning,
    ) -> None:
        self._data_dir = data_dir
        self._patience = patience
        self._pki = SandboxPki(hardware_dir or data_dir.parents[1] / "hardware")
        self._machines = Records(data_dir / "machines", MachineRecord)
        self._outcomes = Records(data_dir / "guests", GuestOutcome)
        self.custody = Custody(data_dir, stack, warn)
        blobs = BlobStore(data_dir / "blobs")
        self._publisher = Publisher(self.custody, blobs)
        vendors = CollateralPublisher(self._pki, lambda: self.custody.keystore, blobs, data_dir / "collateral-store")
        self._verifiers = Verifiers(self.custody, self._pki, data_dir / "collateral", vendors, self.client)
        self._network = Network(self._machines, self._verifiers, blobs)
        self._lock = threading.RLock()
        self._stop = threading.Event()
        self._pool = ThreadPoolExecutor(_GUESTS_AT_ONCE, thread_name_prefix="guest")
        self._running: dict[str, Future[None]] = {}

    def attach(self, surroundings: Surroundings) -> None:
        """Connect the region to the cloud that knows which machines a name leads to, and who reaches its storage."""
        self._network.attach(surroundings)

    def image(self, reference_id: str) -> dict[str, Value] | None:
        """Facts of a gallery image version; None when the gallery has no such image."""
        found = images.find(reference_id)
        if found is None:
            return None
        return {"name": found.name, "version": found.version, "securityTypes": list(found.security_types)}

    def create_key(self, vault: str, name: str, properties: Mapping[str, Value]) -> KeyVersion:  # noqa: ARG002
        """Make a vault key in the region's one HSM, or find it: a key's name is enough."""
        try:
            return keys.create(self.custody.keystore, name)
        except KeyStoreError as error:
            raise ProviderError(f"KeyCreationFailed: key {name} of vault {vault}: {error}") from None

    def destroy_key(self, vault: str, name: str) -> None:
        """Destroy a vault key, and with it the use of every data key that it wrapped."""
        try:
            keys.destroy(self.custody.keystore, name)
        except KeyStoreError as error:
            raise ProviderError(f"KeyPurgeFailed: key {name} of vault {vault}: {error}") from None

    def boot(self, machine: Machine) -> None:
        """Switch a machine on: a verifier serves when this returns, a workload guest goes on in the background."""
        record = MachineRecord(machine=machine)
        self._verifiers.stop(machine.id)
        if record.role == "verifier":
            self._start_verifier(machine)
        with self._lock:
            self._running.pop(machine.id, None)
            self._outcomes.remove(machine.name)
            self._remember(record)
            if record.role == "workload":
                self._start_guest(machine)

    def power_off(self, machine_id: str) -> None:
        """Switch a machine off and forget it and what became of its guest."""
        name = machine_id.rsplit("/", 1)[-1]
        with self._lock:
            self._running.pop(machine_id, None)
            self._machines.remove(name)
            self._outcomes.remove(name)
        self._verifiers.stop(machine_id)

    def settle(self, timeout: float) -> list[GuestOutcome]:
        """Wait up to `timeout` seconds for the guests, and say what became of each.

        A guest that has no key by an earlier call, or an earlier run, tries again first; so does one that has it under
        another configuration of the verifiers, as a verdict under an older policy is none under the newer.
        """
        self._restart_guests()
        with self._lock:
            running = dict(self._running)
        wait(running.values(), timeout)
        late = {machine_id for machine_id, future in running.items() if not future.done()}
        with self._lock:
            for machine_id in running.keys() - late:
                self._running.pop(machine_id, None)
                running[machine_id].result()
            settled = self.outcomes()
            machines = [record.machine for record in self._machines.all()]
        return settled + [_late(machine, timeout) for machine in machines if machine.id in late]

    def outcomes(self) -> list[GuestOutcome]:
        """What became of the guests, by name; a guest that is still busy is not among them."""
        return self._outcomes.all()

    def client(self, machine: Machine) -> httpx.Client:
        """A new HTTP client inside the network of `machine`."""
        return self._network.client(machine)

    def verifier_configurations(self) -> list[dict[str, Any]]:
        """What each verifier machine was told to do, by machine name: the customData that it serves."""
        verifiers = (record for record in self._machines.all() if record.role == "verifier")
        return [canonical.parse_object(record.machine.custom_data or b"") for record in verifiers]

    def hardware_root(self) -> str:
        """The root certificates (PEM) of the emulated hardware, one for each vendor."""
        return self._pki.roots.decode("ascii")

    def close(self) -> None:
        """Stop guests and services; what is on disk stays."""
        self._stop.set()
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._verifiers.stop_all()
        self._network.close()
        self.custody.close()

    def erase(self) -> None:
        """Destroy the region's keys and delete all that it kept, its log included."""
        self.close()
        for part in ("machines", "guests", "blobs", "collateral", "collateral-store", "wrapped", "log", "hsm"):
            shutil.rmtree(self._data_dir / part, ignore_errors=True)

    def _start_verifier(self, machine: Machine) -> None:
        try:
            self._verifiers.start(machine)
        except (ConfigurationError, KeyStoreError, LogError, VerifierError, OSError) as error:
            raise ProviderError(f"OSProvisioningClientError: {error}") from None

    def _remember(self, record: MachineRecord) -> None:
        try:
            self._machines.put(record.machine.name, record)
        except OSError as error:
            raise ProviderError(f"AllocationFailed: {record.machine.name}: {error}; free disk space") from None

    def _start_guest(self, machine: Machine) -> None:
        with self._lock:
            if machine.id not in self._running:
                self._running[machine.id] = self._pool.submit(self._run_guest, machine)

    def _restart_guests(self) -> None:
        with self._lock:
            told = self._verifiers_told()
            attested = {it.machine_id for it in self.outcomes() if it.artefact is not None and it.verifiers == told}
            for record in self._machines.all():
                if record.role == "workload" and record.machine.id not in attested:
                    self._start_guest(record.machine)

    def _run_guest(self, machine: Machine) -> None:
        patience = Patience(self._patience, self._stop)
        outcome = guests.boot(machine, self._pki, lambda: self._connect(machine), patience)
        with self._lock:
            record = self._machines.get(machine.name)
            if record is not None and record.machine == machine and not self._stop.is_set():
                self._outcomes.put(machine.name, outcome)

    def _connect(self, machine: Machine) -> guests.Connection:
        """The guest's way into the network; by now its model is published, if a broker is to release its key.

        Before there is a verifier nobody can know under which key to publish, so the guest is told to come again.
        """
        config = parse(machine.custom_data or b"")
        if not any(record.role == "verifier" for record in self._machines.all()):
            raise UnreachableError(f"verifier unreachable at {config.verifier}: the region has no verifier machine")
        try:
            url = config.artefact.url(self._network.object_url(machine))
        except NoRouteError as error:
            raise UnreachableError(f"model unreachable: {error}") from None
        self._publish(config, url)
        if machine.gpu:
            self._publish_collateral()
        return guests.Connection(self.client(machine), url, self._verifiers_told())

    def _verifiers_told(self) -> str:
        """SHA-256 of what the verifiers are told to do: the same for any number of them that are told the same."""
        told = {record.machine.custom_data or b"" for record in self._machines.all() if record.role == "verifier"}
        return hashlib.sha256(b"".join(hashlib.sha256(data).digest() for data in sorted(told))).hexdigest()

    def _publish(self, config: WorkloadConfig, url: str) -> None:
        try:
            kek = self._kek_of(config.resource)
            if kek is not None:
                self._publisher.publish(config, url, kek)
        except (ConfigurationError, KeyStoreError, WrappedKeysError, OSError) as error:
            raise BootError(f"model {config.model} cannot be published: {error}") from None

    def _publish_collateral(self) -> None:
        """What the vendor of the GPU says of it by now: for the region's cache, if there is one."""
        try:
            for record in self._machines.all():
                if record.role == "verifier":
                    self._verifiers.publish(VerifierConfig.from_json(record.machine.custom_data or b""))
        except (ConfigurationError, KeyStoreError, VerifierError, OSError) as error:
            raise BootError(f"the collateral cache cannot be filled: {error}") from None

    def _kek_of(self, resource: str) -> str | None:
        """The key under which the region's verifiers expect the data key at a KBS path."""
        for record in self._machines.all():
            if record.role == "verifier":
                found = VerifierConfig.from_json(record.machine.custom_data or b"").resource(resource)
                if found is not None:
                    return found.kek
        return None


def _late(machine: Machine, timeout: float) -> GuestOutcome:
    return GuestOutcome(
        machine=machine.name,
        machine_id=machine.id,
        image=machine.image_reference,
        status="failed",
        reason=f"the guest is still booting after {timeout:g} s",
        started_at=datetime.now(UTC).isoformat(timespec="milliseconds"),
    )
