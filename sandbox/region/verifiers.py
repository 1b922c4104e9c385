"""The region's verifier machines: each is one HTTP service, all on the same HSM and transparency log."""

import threading
from pathlib import Path

from sandbox.clouds.hardware import Machine
from sandbox.hardware import SandboxPki, publish_collateral, publish_device_collateral
from sandbox.region.custody import Custody
from sandbox.region.loopback import LoopbackServer, NoRouteError
from verifier import nvidia
from verifier.broker import create_app
from verifier.broker.service import utc_now
from verifier.config import ConfigurationError, VerifierConfig
from verifier.keystore import KeyStoreError
from verifier.log import LogError
from verifier.tdx import CollateralStore
from verifier.trust import TrustStore


class Verifiers:
    """Services by machine id. A machine of an earlier run starts its service when somebody calls it.

    collateral: the region's own copy of what Intel publishes, which all verifiers read.
    """

    def __init__(self, custody: Custody, pki: SandboxPki, collateral: Path) -> None:
        self._custody = custody
        self._pki = pki
        self._collateral = collateral
        self._lock = threading.RLock()
        self._services: dict[str, LoopbackServer] = {}

    def start(self, machine: Machine) -> LoopbackServer:
        """Serve the machine's configuration; the service that is there already, if it is."""
        with self._lock:
            service = self._services.get(machine.id)
            if service is None:
                service = self._services[machine.id] = self._serve(machine)
            return service

    def port(self, machine: Machine, port: int) -> int:
        """The loopback port behind `port` of a machine; `NoRouteError` when nothing listens there."""
        try:
            config = VerifierConfig.from_json(machine.custom_data or b"")
            if port != config.port:
                raise NoRouteError(f"{machine.name} listens on port {config.port}, not on {port}")
            return self.start(machine).port
        except (ConfigurationError, KeyStoreError, LogError, OSError) as error:
            raise NoRouteError(f"{machine.name} does not serve: {error}") from None

    def stop(self, machine_id: str) -> None:
        """Stop the machine's service; absent is no error."""
        with self._lock:
            service = self._services.pop(machine_id, None)
        if service is not None:
            service.stop()

    def stop_all(self) -> None:
        """Stop every service."""
        for machine_id in tuple(self._services):
            self.stop(machine_id)

    def _serve(self, machine: Machine) -> LoopbackServer:
        config = VerifierConfig.from_json(machine.custom_data or b"")
        trust, crls = TrustStore.production(), []
        if "sandbox" in config.trust_anchors:  # nowhere else are the sandbox's roots known (design, D9)
            trust, crls = trust.with_sandbox(self._pki.roots), [self._pki.revocation_list()]
            publish_collateral(self._pki.intel, self._collateral)
        custody = self._custody
        app = create_app(
            config,
            custody.keystore,
            trust,
            custody.log,
            custody.wrapped,
            utc_now,
            crls,
            CollateralStore(self._collateral),
            self._device_collateral,
        )
        return LoopbackServer(app, machine.name)

    def _device_collateral(self) -> nvidia.Collateral:
        """What the stand-in for NVIDIA publishes by now: its responder knows a GPU once that was asked."""
        directory = self._collateral / "nvidia"
        publish_device_collateral(self._pki.nvidia, directory)
        return nvidia.Collateral.from_directory(directory)
