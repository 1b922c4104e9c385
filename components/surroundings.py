"""What the catalogue says about the place where a region is: whence the edges of its jurisdiction graph."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import catalog
from components.graph import Carries, Dependency, Kind

_VENDOR_SERVICES: Mapping[str, Sequence[str]] = {
    "snp": ("amd-kds",),
    "tdx": ("intel-pcs",),
    "h100": ("nvidia-rim", "nvidia-ocsp"),
}
"""Where a verifier without a cache gets the collateral of each TEE and GPU."""


@dataclass(frozen=True, slots=True)
class Guest:
    """A confidential machine, or a group of them, as the jurisdiction graph shows it."""

    name: str
    image: str
    """`<name>-<version>`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionEndpoints:
    """Where those parts of a region are reached that every cloud's region has; each cloud adds its own."""

    location: str
    domain: str
    """The region's private DNS domain."""
    verifier_url: str
    key_service: str
    """Key service, as the catalogue names it."""
    guests: Sequence[Guest]
    """The confidential machines and groups, the verifier's among them."""
    clusters: Sequence[str]
    """Names of the Kubernetes clusters that the region creates."""
    collateral_url: str | None
    """URL of the collateral cache; None where the region has none."""
    hardware: Sequence[str]
    """TEEs and GPUs of the machines, as the catalogue names them."""


class Surroundings:
    """One location of one cloud, and the dependencies that a region there has."""

    def __init__(self, cloud: str, location: str) -> None:
        self._facts = catalog.load()
        self._cloud = self._facts.cloud(cloud)
        self._region = self._facts.region(cloud, location)

    def residence(self, service_id: str) -> str:
        """The narrowest jurisdiction in which a service, used from here, does its work.

        A service that falls back to the paired region is in what both regions have in common, or in the pair's
        jurisdiction where that is nothing. A service that names no place is where its operator is.
        """
        service, region = self._service(service_id), self._region
        if service.location == "global":
            return service.operator_jurisdiction
        pair = self._facts.failover(service, region)
        if pair is None:
            return region.jurisdiction
        return next((area for area in region.jurisdictions if area in pair.jurisdictions), pair.jurisdiction)

    def part(self, kind: Kind, name: str, endpoint: str, carries: Carries) -> Dependency:
        """Something that runs on a machine or a network of the region itself."""
        return Dependency(
            kind=kind,
            name=name,
            endpoint=endpoint,
            location=self._region.id,
            operator=self._region.operator,
            jurisdiction=self._region.jurisdiction,
            legal_reach=self._region.legal_reach or (self._region.operator_jurisdiction,),
            carries=carries,
            source=_cited(self._region),
        )

    def service(self, kind: Kind, service_id: str, endpoint: str, carries: Carries) -> Dependency:
        """Something that a service of the cloud, or of a processor vendor, does."""
        fact = self._service(service_id)
        return Dependency(
            kind=kind,
            name=fact.name,
            endpoint=endpoint,
            location=fact.location if fact.location == "global" else self._region.id,
            operator=fact.operator,
            jurisdiction=self.residence(service_id),
            legal_reach=fact.legal_reach or (fact.operator_jurisdiction,),
            carries=carries,
            source=_cited(fact),
        )

    def attested(self, verifier_url: str, guests: Sequence[Guest], image: Callable[[str], str]) -> list[Dependency]:
        """The verifier, the machines and what they boot; nothing where the region has none. image: where one is."""
        if not guests:
            return []
        return [
            self.part(Kind.VERIFIER, "verifier", verifier_url, Carries.KEYS),
            *(self.part(Kind.COMPUTE, guest.name, guest.name, Carries.CONTENT) for guest in guests),
            *(
                self.part(Kind.IMAGES, name, image(name), Carries.CONTENT)
                for name in sorted({guest.image for guest in guests})
            ),
        ]

    def vendors(self, hardware: Sequence[str]) -> list[Dependency]:
        """Where a verifier without a cache gets what a guest does not send along: the vendors of its hardware."""
        return [
            self.service(Kind.COLLATERAL, id_, f"https://{self.endpoints(id_)[0]}", Carries.EVIDENCE)
            for part in hardware
            for id_ in _VENDOR_SERVICES[part]
        ]

    def host(self, service_id: str, kind: str, name: str = "") -> str:
        """Host name of a service's endpoint of this kind, for a resource of this name."""
        template = self._service(service_id).endpoints[kind]
        return template.format(name=name, workspace=name, region=self._region.id)

    def endpoints(self, service_id: str) -> list[str]:
        """Host names of a service, the one that is asked first first."""
        return list(self._service(service_id).endpoints.values())

    def _service(self, service_id: str) -> catalog.Service:
        own = self._facts.services(self._cloud.id)
        return own[service_id] if service_id in own else self._facts.vendor_services[service_id]


def _cited(fact: catalog.Fact) -> str:
    """The fact's sources and the day they were read."""
    return f"{', '.join(source.id for source in fact.source)} ({fact.date.isoformat()})"
