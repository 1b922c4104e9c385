"""The region's network as a guest sees it: names lead to machines and to storage, and nowhere else."""

from collections.abc import Callable, Sequence
from threading import Lock
from typing import Final

import httpx

from sandbox.clouds.hardware import Machine
from sandbox.region.blobs import HOST_SUFFIX, BlobStore
from sandbox.region.loopback import LoopbackServer, NoRouteError, RegionTransport
from sandbox.region.records import MachineRecord, Records
from sandbox.region.verifiers import Verifiers

_HTTP_SECONDS: Final = 30.0

Resolver = Callable[[str, str], Sequence[str]]
"""Host name, id of the network that asks → ids of the machines behind the name, in the balancer's order."""


class Network:
    """Makes HTTP clients whose requests go where the deployed DNS zones and load balancers lead them."""

    def __init__(self, machines: Records[MachineRecord], verifiers: Verifiers, blobs: BlobStore) -> None:
        self._machines = machines
        self._verifiers = verifiers
        self._blobs = blobs
        self._blob_service: LoopbackServer | None = None
        self._lock = Lock()
        self._resolve: Resolver | None = None

    def attach(self, resolver: Resolver) -> None:
        """Let `resolver` answer what a name means."""
        self._resolve = resolver

    def client(self, machine: Machine) -> httpx.Client:
        """A new HTTP client inside the network of `machine`."""
        transport = RegionTransport(lambda host, port: self._locate(machine.network_id, host, port))
        return httpx.Client(transport=transport, trust_env=False, timeout=_HTTP_SECONDS)

    def close(self) -> None:
        """Stop the storage service."""
        with self._lock:
            if self._blob_service is not None:
                self._blob_service.stop()
            self._blob_service = None

    def _locate(self, network_id: str, host: str, port: int) -> list[int]:
        if host.endswith(HOST_SUFFIX):
            return [self._storage().port]
        if self._resolve is None:
            raise NoRouteError(f"{host}: the region's network is not connected")
        ports = [
            self._verifiers.port(machine, port)
            for machine_id in self._resolve(host, network_id)
            if (machine := self._machine(machine_id)) is not None
        ]
        if not ports:
            raise NoRouteError(
                f"{host} leads to no running machine: check its A record, the zone's link to the guest's network, "
                "and the load balancer's backend pool"
            )
        return ports

    def _machine(self, machine_id: str) -> Machine | None:
        record = self._machines.get(machine_id.rsplit("/", 1)[-1])
        return record.machine if record else None

    def _storage(self) -> LoopbackServer:
        with self._lock:
            if self._blob_service is None:
                self._blob_service = self._blobs.serve()
            return self._blob_service
