"""The region's network as a guest sees it: names lead to machines and to storage, and nowhere else."""

from collections.abc import Sequence
from threading import Lock
from typing import Final, Protocol

import httpx

from sandbox.clouds.hardware import Machine
from sandbox.region.blobs import BlobStore, serves
from sandbox.region.loopback import LoopbackServer, NoRouteError, RegionTransport
from sandbox.region.records import MachineRecord, Records
from sandbox.region.verifiers import Verifiers

_HTTP_SECONDS: Final = 30.0


class Surroundings(Protocol):
    """What the deployed cloud says about its network; `sandbox.clouds.opening.Cloud` says how."""

    def resolve(self, host: str, from_network_id: str) -> Sequence[str]:
        """The ids of the machines behind a name, in the balancer's order."""

    def object_url(self, location: str) -> str: ...

    def object_obstacle(self, host: str, from_network_id: str) -> str | None: ...


class Network:
    """Makes HTTP clients whose requests go where the deployed DNS zones and load balancers lead them."""

    def __init__(self, machines: Records[MachineRecord], verifiers: Verifiers, blobs: BlobStore) -> None:
        self._machines = machines
        self._verifiers = verifiers
        self._blobs = blobs
        self._blob_service: LoopbackServer | None = None
        self._lock = Lock()
        self._surroundings: Surroundings | None = None

    def attach(self, surroundings: Surroundings) -> None:
        """Let the cloud answer what a name means."""
        self._surroundings = surroundings

    def object_url(self, machine: Machine) -> str:
        """How the cloud of a machine addresses its object storage; `NoRouteError` where there is no cloud."""
        return self._connected(machine.name).object_url(machine.location)

    def client(self, machine: Machine) -> httpx.Client:
        """A new HTTP client inside the network of `machine`."""
        transport = RegionTransport(lambda host, port: self._locate(machine, host, port))
        return httpx.Client(transport=transport, trust_env=False, timeout=_HTTP_SECONDS)

    def close(self) -> None:
        """Stop the storage service."""
        with self._lock:
            if self._blob_service is not None:
                self._blob_service.stop()
            self._blob_service = None

    def _connected(self, who: str) -> Surroundings:
        if self._surroundings is None:
            raise NoRouteError(f"{who}: the region's network is not connected")
        return self._surroundings

    def _locate(self, caller: Machine, host: str, port: int) -> list[int]:
        surroundings = self._connected(host)
        if serves(surroundings.object_url(caller.location), host):
            obstacle = surroundings.object_obstacle(host, caller.network_id)
            if obstacle is not None:
                raise NoRouteError(obstacle)
            return [self._storage().port]
        if self._blobs.holds(host):
            return [self._storage().port]
        ports = [
            self._verifiers.port(machine, port)
            for machine_id in surroundings.resolve(host, caller.network_id)
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
