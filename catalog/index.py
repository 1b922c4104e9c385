"""The catalogue in memory: facts by kind, by cloud and by id, and the questions that the other rooms ask."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any, TypeVar

from catalog.errors import UnknownFact
from catalog.facts import Boundary, Cloud, Fact, Jurisdiction, Law, Operator, Region
from catalog.machines import ClusterFeature, MachineFamily, MachineRequirement, MachineType, Tee, Tenancy
from catalog.services import Application, GlobalType, Guardrail, PrivateEndpoint, ReleaseClaim, Service

_F = TypeVar("_F", bound=Fact)

VENDORS = "vendors"
"""The group of services that belong to no cloud: the processor vendors' collateral and verifiers."""


class Index(Mapping[str, _F]):
    """Facts of one kind by id; a missing id raises `UnknownFact`, which names the nearest one."""

    def __init__(self, kind: str, facts: Mapping[str, _F], *, of: str | None = None) -> None:
        self.kind = kind
        self._facts = dict(facts)
        self._of = of

    def __getitem__(self, id_: str) -> _F:
        try:
            return self._facts[id_]
        except KeyError:
            raise UnknownFact(self.kind, id_, self._facts, of=self._of) from None

    def __contains__(self, id_: object) -> bool:
        return id_ in self._facts

    def __iter__(self) -> Iterator[str]:
        return iter(self._facts)

    def __len__(self) -> int:
        return len(self._facts)


_ByCloud = Mapping[str, Index[_F]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Every kind of fact that belongs to a cloud, by cloud and then by id."""

    regions: _ByCloud[Region]
    boundaries: _ByCloud[Boundary]
    machine_families: _ByCloud[MachineFamily]
    machine_types: _ByCloud[MachineType]
    machine_requirements: _ByCloud[MachineRequirement]
    cluster_features: _ByCloud[ClusterFeature]
    services: _ByCloud[Service]
    private_endpoints: _ByCloud[PrivateEndpoint]
    global_types: _ByCloud[GlobalType]
    applications: _ByCloud[Application]
    guardrails: _ByCloud[Guardrail]
    release_claims: _ByCloud[ReleaseClaim]


class Catalog:
    """Every fact that ships with Bailiwick. Each method raises `UnknownFact` for an id that is not there."""

    def __init__(
        self,
        *,
        jurisdictions: Index[Jurisdiction],
        laws: Index[Law],
        operators: Index[Operator],
        clouds: Index[Cloud],
        facts: Facts,
    ) -> None:
        self.jurisdictions = jurisdictions
        self.laws = laws
        self.operators = operators
        self.clouds = clouds
        self._facts = facts

    def within(self, inner: str, outer: str) -> bool:
        """Whether jurisdiction `inner` is `outer` or lies inside it: `within("DE", "EU")` is True."""
        return self.jurisdictions[outer].contains(self.jurisdictions[inner].id)

    def reached_from_abroad(self, reach: tuple[str, ...] | None, jurisdiction: str) -> bool | None:
        """Whether a legal reach leaves `jurisdiction`; None where the reach is not known."""
        if reach is None:
            return None
        return not all(self.within(area, jurisdiction) for area in reach)

    def laws_of(self, jurisdiction: str) -> tuple[Law, ...]:
        """The laws by which `jurisdiction`, or what contains it, reaches data abroad through an operator."""
        return tuple(law for law in self.laws.values() if self.within(jurisdiction, law.jurisdiction))

    def cloud(self, id_: str) -> Cloud:
        return self.clouds[id_]

    def region(self, cloud: str, id_: str) -> Region:
        return self._of(self._facts.regions, cloud)[id_]

    def regions(self, *, cloud: str | None = None, jurisdiction: str | None = None) -> tuple[Region, ...]:
        """Regions of `cloud` (of all clouds if None) inside `jurisdiction` (anywhere if None)."""
        indexes = [self._of(self._facts.regions, id_) for id_ in ([cloud] if cloud else self.clouds)]
        area = self.jurisdictions[jurisdiction] if jurisdiction else None
        return tuple(
            region
            for index in indexes
            for region in index.values()
            if area is None or area.contains(region.jurisdiction)
        )

    def pair(self, region: Region) -> Region | None:
        """The region to which `region` is paired for failover and geo-redundant copies, if any."""
        return None if region.paired_region is None else self.region(region.cloud, region.paired_region)

    def failover(self, service: Service, region: Region) -> Region | None:
        """The region that takes over for `service` of `region` in an outage; None where the service stays."""
        return self.pair(region) if service.location == "pair" and region.id not in service.unpaired else None

    def boundaries(self, cloud: str, *, region: str | None = None) -> tuple[Boundary, ...]:
        """The partners' controls that can be put over the regions of `cloud`, or over `region` of it."""
        found = self._of(self._facts.boundaries, cloud).values()
        return tuple(boundary for boundary in found if region is None or region in boundary.regions)

    def machine_families(self, cloud: str) -> Mapping[str, MachineFamily]:
        """The families of `cloud` by name, those too of which no size or no region is known."""
        return self._of(self._facts.machine_families, cloud)

    def machine_type(self, cloud: str, size: str) -> MachineType:
        return self._of(self._facts.machine_types, cloud)[size]

    def machine_types(
        self,
        cloud: str,
        *,
        region: str | None = None,
        zone: str | None = None,
        tee: Tee | None = None,
        gpu: str | None = None,
        tenancy: Tenancy | None = None,
    ) -> tuple[MachineType, ...]:
        """Machine types of `cloud` that meet every condition given.

        Offered in `region`, not known to be missing from its `zone`, with `tee`, with the GPU of this short name
        (`h100`), and keeping the TEE on this `tenancy` in `region`.
        """
        if region is not None:
            self.region(cloud, region)
        return tuple(
            machine
            for machine in self._of(self._facts.machine_types, cloud).values()
            if (tee is None or machine.tee == tee)
            and (gpu is None or (machine.gpu is not None and machine.gpu.name == gpu))
            and (region is None or region in machine.regions)
            and (region is None or zone is None or machine.in_zone(region, zone) is not False)
            and (region is None or tenancy is None or tenancy in machine.tenancy(region))
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

    def machine_requirements(self, cloud: str, *, tee: Tee | None = None) -> tuple[MachineRequirement, ...]:
        """What a machine of `cloud` needs, or must not have, to run with `tee` (with any TEE if None)."""
        found = self._of(self._facts.machine_requirements, cloud).values()
        return tuple(requirement for requirement in found if tee is None or tee in requirement.tees)

    def cluster_features(self, cloud: str) -> Mapping[str, ClusterFeature]:
        return self._of(self._facts.cluster_features, cloud)

    def service(self, cloud: str, id_: str) -> Service:
        return self._of(self._facts.services, cloud)[id_]

    def services(self, cloud: str) -> Mapping[str, Service]:
        return self._of(self._facts.services, cloud)

    @property
    def vendor_services(self) -> Mapping[str, Service]:
        """The processor vendors' own services, by id: collateral and verifiers that no cloud operates."""
        return self._facts.services[VENDORS]

    def private_endpoint(self, cloud: str, service: str) -> PrivateEndpoint:
        return self._of(self._facts.private_endpoints, cloud)[service]

    def private_endpoints(self, cloud: str) -> Mapping[str, PrivateEndpoint]:
        return self._of(self._facts.private_endpoints, cloud)

    def global_types(self, cloud: str) -> Mapping[str, GlobalType]:
        """The allowed resource types without a region of their own, by type token, each with the reason."""
        return self._of(self._facts.global_types, cloud)

    def application(self, cloud: str, id_: str) -> Application:
        return self._of(self._facts.applications, cloud)[id_]

    def guardrail(self, cloud: str, id_: str) -> Guardrail:
        return self._of(self._facts.guardrails, cloud)[id_]

    def guardrails(self, cloud: str) -> Mapping[str, Guardrail]:
        return self._of(self._facts.guardrails, cloud)

    def release_claims(self, cloud: str, *, service: str | None = None) -> tuple[ReleaseClaim, ...]:
        """The claims that a release condition of `cloud` can name, of one attestation `service` or of all."""
        found = self._of(self._facts.release_claims, cloud).values()
        return tuple(claim for claim in found if service is None or claim.service == service)

    def everything(self) -> Iterator[tuple[str, str, str, Fact]]:
        """Every fact once, as (kind, cloud or empty, id, fact); sizes are under their families."""
        by_cloud: list[_ByCloud[Any]] = [
            getattr(self._facts, field.name) for field in fields(Facts) if field.name != "machine_types"
        ]
        indexes: list[tuple[str, Index[Any]]] = [
            *(("", index) for index in (self.jurisdictions, self.laws, self.operators, self.clouds)),
            *((cloud, index) for group in by_cloud for cloud, index in group.items()),
        ]
        for cloud, index in indexes:
            for id_, fact in index.items():
                yield index.kind, cloud, id_, fact

    def _of(self, by_cloud: _ByCloud[_F], cloud: str) -> Index[_F]:
        return by_cloud[self.clouds[cloud].id]
