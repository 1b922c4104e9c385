"""The catalogue in memory: facts by kind, by cloud and by id, and the questions that the other rooms ask."""

from collections.abc import Iterator, Mapping
from typing import TypeVar

from catalog.errors import UnknownFact
from catalog.facts import (
    Application,
    Cloud,
    Fact,
    GlobalType,
    Jurisdiction,
    MachineType,
    PrivateEndpoint,
    Region,
    Service,
    Tee,
)

_F = TypeVar("_F", bound=Fact)


class Index(Mapping[str, _F]):
    """Facts of one kind by id; a missing id raises `UnknownFact`, which names the nearest one."""

    def __init__(self, kind: str, facts: Mapping[str, _F], *, of: str | None = None) -> None:
        self._kind = kind
        self._facts = dict(facts)
        self._of = of

    def __getitem__(self, id_: str) -> _F:
        try:
            return self._facts[id_]
        except KeyError:
            raise UnknownFact(self._kind, id_, self._facts, of=self._of) from None

    def __contains__(self, id_: object) -> bool:
        return id_ in self._facts

    def __iter__(self) -> Iterator[str]:
        return iter(self._facts)

    def __len__(self) -> int:
        return len(self._facts)


_ByCloud = Mapping[str, Index[_F]]


class Catalog:
    """Every fact that ships with Bailiwick. Each method raises `UnknownFact` for an id that is not there."""

    def __init__(
        self,
        *,
        jurisdictions: Index[Jurisdiction],
        clouds: Index[Cloud],
        regions: _ByCloud[Region],
        machine_types: _ByCloud[MachineType],
        services: _ByCloud[Service],
        private_endpoints: _ByCloud[PrivateEndpoint],
        global_types: _ByCloud[GlobalType],
        applications: _ByCloud[Application],
    ) -> None:
        self.jurisdictions = jurisdictions
        self.clouds = clouds
        self._regions = regions
        self._machine_types = machine_types
        self._services = services
        self._private_endpoints = private_endpoints
        self._global_types = global_types
        self._applications = applications

    def within(self, inner: str, outer: str) -> bool:
        """Whether jurisdiction `inner` is `outer` or lies inside it: `within("DE", "EU")` is True."""
        return self.jurisdictions[outer].contains(self.jurisdictions[inner].id)

    def cloud(self, id_: str) -> Cloud:
        return self.clouds[id_]

    def region(self, cloud: str, id_: str) -> Region:
        return self._of(self._regions, cloud)[id_]

    def regions(self, *, cloud: str | None = None, jurisdiction: str | None = None) -> tuple[Region, ...]:
        """Regions of `cloud` (of all clouds if None) inside `jurisdiction` (anywhere if None)."""
        indexes = [self._of(self._regions, id_) for id_ in ([cloud] if cloud else self.clouds)]
        area = self.jurisdictions[jurisdiction] if jurisdiction else None
        return tuple(
            region
            for index in indexes
            for region in index.values()
            if area is None or area.contains(region.jurisdiction)
        )

    def machine_type(self, cloud: str, size: str) -> MachineType:
        return self._of(self._machine_types, cloud)[size]

    def machine_types(
        self, cloud: str, *, region: str | None = None, tee: Tee | None = None
    ) -> tuple[MachineType, ...]:
        """Machine types of `cloud`, offered in `region` and with `tee`, where these are given."""
        if region is not None:
            self.region(cloud, region)
        return tuple(
            machine
            for machine in self._of(self._machine_types, cloud).values()
            if (region is None or region in machine.regions) and (tee is None or machine.tee == tee)
        )

    def nearest_machine_type(self, like: MachineType, *, region: str, tee: Tee | None) -> MachineType | None:
        """The machine type with `tee` in `region` whose shape is nearest to `like`; None where there is none.

        With a GPU where `like` has one, then nearest in vCPUs and memory; of equals the one that is generally
        available and has a local disk where `like` has one.
        """

        def distance(machine: MachineType) -> tuple[bool, int, float, bool, bool, str]:
            return (
                (machine.gpu is None) != (like.gpu is None),
                abs(machine.vcpu - like.vcpu),
                abs(machine.memory_gib - like.memory_gib),
                machine.status != "ga",
                machine.local_disk != like.local_disk,
                machine.size,
            )

        return min(self.machine_types(like.cloud, region=region, tee=tee), key=distance, default=None)

    def service(self, cloud: str, id_: str) -> Service:
        return self._of(self._services, cloud)[id_]

    def services(self, cloud: str) -> Mapping[str, Service]:
        return self._of(self._services, cloud)

    def private_endpoint(self, cloud: str, service: str) -> PrivateEndpoint:
        return self._of(self._private_endpoints, cloud)[service]

    def private_endpoints(self, cloud: str) -> Mapping[str, PrivateEndpoint]:
        return self._of(self._private_endpoints, cloud)

    def global_types(self, cloud: str) -> Mapping[str, GlobalType]:
        """The allowed resource types without a region of their own, by type token, each with the reason."""
        return self._of(self._global_types, cloud)

    def application(self, cloud: str, id_: str) -> Application:
        return self._of(self._applications, cloud)[id_]

    def _of(self, by_cloud: _ByCloud[_F], cloud: str) -> Index[_F]:
        return by_cloud[self.clouds[cloud].id]
