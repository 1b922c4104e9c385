"""The region's verifier machines: each is one HTTP service, all on the same HSM and transparency log."""

import threading
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

import httpx

from sandbox.clouds.hardware import Machine
from sandbox.hardware import SandboxPki, publish_collateral, publish_device_collateral
from sandbox.region.collateral import CollateralPublisher
from sandbox.region.custody import Custody
from sandbox.region.loopback import LoopbackServer, NoRouteError
from verifier import nvidia
from verifier.broker import create_app
from verifier.broker.service import utc_now
from verifier.collateral.cached import Cache
from verifier.collateral.live import DeviceCollateral, QuoteCollateral, RevocationLists
from verifier.collateral.source import Reader
from verifier.config import CollateralCache, ConfigurationError, VerifierConfig
from verifier.errors import VerifierError
from verifier.keystore import KeyStoreError
from verifier.log import LogError
from verifier.signer import load_public_key
from verifier.tdx import CollateralSource, CollateralStore
from verifier.trust import TrustStore

Connect = Callable[[Machine], httpx.Client]
Sources = tuple[Sequence[bytes], CollateralSource, nvidia.CollateralSource, Reader | None]
"""Where a verifier's collateral comes from, as `create_app` takes it: AMD's CRLs, Intel's, NVIDIA's, and all of it."""


class Verifiers:
    """Services by machine id. A machine of an earlier run starts its service when somebody calls it.

    collateral: the region's own copy of what the vendors publish, for verifiers whose region has no cache of it; with
    one, they read that through the network: `connect` makes a machine's HTTP client, publisher fills the cache.
    """

    def __init__(
        self, custody: Custody, pki: SandboxPki, collateral: Path, publisher: CollateralPublisher, connect: Connect
    ) -> None:
        self._custody = custody
        self._pki = pki
        self._collateral = collateral
        self._publisher = publisher
        self._connect = connect
        self._lock = threading.RLock()
        self._services: dict[str, LoopbackServer] = {}
        self._clients: dict[str, httpx.Client] = {}

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
        except (ConfigurationError, KeyStoreError, LogError, VerifierError, OSError) as error:
            raise NoRouteError(f"{machine.name} does not serve: {error}") from None

    def stop(self, machine_id: str) -> None:
        """Stop the machine's service; absent is no error."""
        with self._lock:
            service, client = self._services.pop(machine_id, None), self._clients.pop(machine_id, None)
        if service is not None:
            service.stop()
        if client is not None:
            client.close()

    def stop_all(self) -> None:
        """Stop every service."""
        for machine_id in tuple(self._services):
            self.stop(machine_id)

    def publish(self, config: VerifierConfig) -> None:
        """Bring the cache of a verifier's region up to date, if the region is an emulated one with a cache."""
        if config.collateral is not None and "sandbox" in config.trust_anchors:
            self._publisher.publish(config.collateral.url)

    def _serve(self, machine: Machine) -> LoopbackServer:
        config, custody = VerifierConfig.from_json(machine.custom_data or b""), self._custody
        trust = TrustStore.production()
        if "sandbox" in config.trust_anchors:  # nowhere else are the sandbox's roots known (design, D9)
            trust = trust.with_sandbox(self._pki.roots)
        named = config.collateral
        sources = self._embedded(config) if named is None else self._cached(config, named, machine)
        app = create_app(config, custody.keystore, trust, custody.log, custody.wrapped, utc_now, *sources)
        return LoopbackServer(app, machine.name)

    def _cached(self, config: VerifierConfig, named: CollateralCache, machine: Machine) -> Sources:
        """What the region's cache holds, read each time: a GPU may have been asked for the first time."""
        self.publish(config)
        http = self._clients[machine.id] = self._connect(machine)
        signers = [load_public_key(key) for key in named.signers]
        cache = Cache(named.url, http, utc_now, refresh=timedelta(), signers=signers)
        return RevocationLists(cache), QuoteCollateral(cache, utc_now), DeviceCollateral(cache), cache

    def _embedded(self, config: VerifierConfig) -> Sources:
        """What the emulated verifier's image brings along, for a region without a cache."""
        if "sandbox" not in config.trust_anchors:
            return (), CollateralStore(None), nvidia.Collateral, None
        publish_collateral(self._pki.intel, self._collateral)
        return [self._pki.revocation_list()], CollateralStore(self._collateral), self._device_collateral, None

    def _device_collateral(self) -> nvidia.Collateral:
        """What the stand-in for NVIDIA publishes by now: its responder knows a GPU once that was asked."""
        directory = self._collateral / "nvidia"
        publish_device_collateral(self._pki.nvidia, directory)
        return nvidia.Collateral.from_directory(directory)
