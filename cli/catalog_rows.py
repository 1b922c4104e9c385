"""The catalogue's facts as rows: what stands in a table, and the same as JSON."""

import datetime
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Protocol, Self

from rich.markup import escape

from catalog import Catalog, Fact, Finding, MachineType, Region, Service
from catalog.assessment import Reason, machines_with

STYLES: Final = {"can": "green", "limited": "yellow", "cannot": "red", "unknown": "magenta"}
"""The colour of each verdict."""

_SHOWN_REGIONS: Final = 4
_FIPS: Final = re.compile(r"FIPS (140-\d) level (\d)")
_SHORT: Final[dict[Reason, str]] = {
    "dedicated-host-only": "dedicated host",
    "spot-or-flex-start-only": "spot or flex-start",
    "some-zones-only": "some zones",
    "sources-disagree": "disputed",
    "not-generally-available": "preview",
}
"""Limitations as they stand in a cell; the others are left to `explain`."""


class Row(Protocol):
    """One line of a table, and the same as JSON."""

    @classmethod
    def headings(cls) -> tuple[str, ...]: ...

    def cells(self) -> tuple[str, ...]: ...

    def document(self) -> dict[str, Any]: ...


@dataclass(frozen=True, slots=True)
class RegionRow:
    """A region, and what it has of confidential machines."""

    region: Region
    offer: str
    snp: Finding
    tdx: Finding
    gpu: Finding

    @classmethod
    def of(cls, facts: Catalog, region: Region) -> Self:
        snp, tdx = (machines_with(facts, region, tee=tee) for tee in ("snp", "tdx"))
        return cls(region, facts.cloud(region.cloud).offer, snp, tdx, machines_with(facts, region))

    @classmethod
    def headings(cls) -> tuple[str, ...]:
        return ("cloud", "region", "in", "zones", "pair", "law of", "SNP", "TDX", "GPU CC", "confidence")

    def cells(self) -> tuple[str, ...]:
        region = self.region
        zones = "?" if region.zones is None else str(len(region.zone_names or ()) or region.zone_count or 0)
        return (
            escape(region.cloud),
            escape(region.id),
            region.jurisdiction,
            zones,
            region.paired_region or "",
            _reach(region.legal_reach),
            *(_short(finding) for finding in (self.snp, self.tdx, self.gpu)),
            region.confidence,
        )

    def document(self) -> dict[str, Any]:
        keep = {"cloud", "id", "name", "country", "jurisdictions", "zone_names", "zone_count", "paired_region"}
        keep |= {"operator", "legal_reach", "restricted_access", "announced_only", "attestation_host", "note"}
        machines = {"snp": self.snp, "tdx": self.tdx, "gpu_cc": self.gpu}
        return {
            **self.region.model_dump(mode="json", include=keep),
            "offer": self.offer,
            **{
                name: {"verdict": one.verdict, "reasons": one.reasons, "says": one.says}
                for name, one in machines.items()
            },
            **provenance(self.region),
        }


@dataclass(frozen=True, slots=True)
class MachineRow:
    """A machine type, and the regions asked about in which it is offered."""

    machine: MachineType
    regions: Sequence[str]

    @classmethod
    def of(cls, machine: MachineType, regions: Sequence[str]) -> Self:
        return cls(machine, regions)

    @classmethod
    def headings(cls) -> tuple[str, ...]:
        return ("cloud", "size", "vCPU", "GiB", "TEE", "GPU", "regions", "only", "confidence")

    def cells(self) -> tuple[str, ...]:
        machine = self.machine
        gpu = machine.gpu
        shown = ", ".join(self.regions[:_SHOWN_REGIONS])
        more = len(self.regions) - _SHOWN_REGIONS
        return (
            machine.cloud,
            machine.size,
            str(machine.vcpu),
            f"{machine.memory_gib:g}",
            machine.tee or "",
            f"{gpu.count} x {gpu.name}{' CC' if gpu.cc else ' without CC'}" if gpu else "",
            (f"{shown} and {more} more" if more > 0 else shown) or "not read",
            ", ".join(self._limits()),
            machine.confidence,
        )

    def _limits(self) -> list[str]:
        """Dedicated hosts, purchase, price list and status, where they narrow the offer."""
        machine = self.machine
        host_only = [region for region in self.regions if machine.tenancy(region) == ("dedicated-host",)]
        limits = []
        if host_only:
            everywhere = len(host_only) == len(self.regions)
            limits.append("dedicated host" if everywhere else f"dedicated host in {len(host_only)} regions")
        if "on-demand" not in machine.purchase:
            limits.append(" or ".join(machine.purchase))
        if machine.offered == "priced":
            limits.append("price list")
        if machine.status != "ga":
            limits.append(machine.status)
        return limits

    def document(self) -> dict[str, Any]:
        machine = self.machine
        keep = {
            "cloud",
            "size",
            "family",
            "tee",
            "other_tees",
            "vcpu",
            "memory_gib",
            "cpu",
            "gpu",
            "offered",
            "purchase",
        }
        keep |= {"status", "local_disk", "limits", "note"}
        places = {
            region: {
                "tenancy": machine.tenancy(region),
                "zones": machine.zones.get(region),
                "disputed": region in machine.disputed,
            }
            for region in self.regions
        }
        return {**machine.model_dump(mode="json", include=keep), "regions": places, **provenance(machine)}


@dataclass(frozen=True, slots=True)
class ServiceRow:
    """A service; `offered` says whether it is in each region of its cloud, or in the one asked about."""

    service: Service
    endpoints: dict[str, str]
    private: str
    offered: dict[str, bool | None]

    @classmethod
    def of(cls, facts: Catalog, service: Service, region: str | None) -> Self:
        in_cloud = service.cloud in facts.clouds
        cloud = facts.cloud(service.cloud) if in_cloud else None
        names = (
            {"{dns}": cloud.dns.get("api", "{dns}"), "{prefix}": cloud.endpoint_prefix or "{prefix}"} if cloud else {}
        )
        names |= {"{region}": region} if region else {}
        private = ""
        if service.private_endpoint:
            private = _filled(facts.private_endpoint(service.cloud, service.private_endpoint).target, names)
        endpoints = {name: _filled(host, names) for name, host in service.endpoints.items()}
        places = [region] if region else [place.id for place in facts.regions(cloud=service.cloud)] if in_cloud else []
        return cls(service, endpoints, private, {place: service.offered_in(place) for place in places})

    @classmethod
    def headings(cls) -> tuple[str, ...]:
        return ("cloud", "service", "kind", "in", "offered", "law of", "FIPS", "keys to", "endpoint, private name")

    def cells(self) -> tuple[str, ...]:
        service = self.service
        releases = ", ".join(service.releases_to) if service.key_release else ""
        names = [name for name in (next(iter(self.endpoints.values()), ""), self.private) if name]
        return (
            service.cloud,
            f"{escape(service.id)}{'' if service.status == 'ga' else f' ({service.status})'}",
            service.kind,
            service.location,
            self._offered(),
            _reach(service.legal_reach),
            escape(self._fips()),
            releases,
            escape("\n".join(names)),
        )

    def document(self) -> dict[str, Any]:
        drop = {"source", "date", "confidence", "regions", "absent", "elsewhere", "unpaired", "endpoints"}
        dumped = self.service.model_dump(mode="json", exclude=drop, exclude_none=True)
        own = {"endpoints": self.endpoints, "private_target": self.private, "offered": self.offered}
        return {**dumped, **own, **provenance(self.service)}

    def _offered(self) -> str:
        """Yes, no or unknown where all regions agree, else in how many it is known to be."""
        answers = set(self.offered.values())
        if len(answers) == 1:
            return {True: "yes", False: "no", None: "?"}[answers.pop()]
        return f"{sum(here is True for here in self.offered.values())} of {len(self.offered)}" if answers else ""

    def _fips(self) -> str:
        text = self.service.fips or ""
        found = _FIPS.search(text)
        return f"{found[1]} L{found[2]}" if found else text


@dataclass(frozen=True, slots=True)
class FactRow:
    """How old a fact is and how far to trust it."""

    kind: str
    cloud: str
    id: str
    age_days: int
    confidence: str
    sources: tuple[str, ...]
    note: str | None

    @classmethod
    def of(cls, kind: str, cloud: str, id_: str, fact: Fact, today: datetime.date) -> Self:
        sources = tuple(source.id for source in fact.source)
        return cls(kind, cloud, id_, (today - fact.date).days, fact.confidence, sources, fact.note)

    @classmethod
    def headings(cls) -> tuple[str, ...]:
        return ("days", "confidence", "kind", "cloud", "fact", "sources")

    def cells(self) -> tuple[str, ...]:
        return (str(self.age_days), self.confidence, self.kind, self.cloud, escape(self.id), ", ".join(self.sources))

    def document(self) -> dict[str, Any]:
        return asdict(self)


def provenance(fact: Fact) -> dict[str, Any]:
    return {
        "source": {source.id: source.text for source in fact.source},
        "date": fact.date.isoformat(),
        "confidence": fact.confidence,
    }


def _short(finding: Finding) -> str:
    """A verdict in a cell: yes, no, unknown, or what limits it."""
    limits = [_SHORT[reason] for reason in finding.reasons if reason in _SHORT]
    text = {"can": "yes", "cannot": "no", "unknown": "?"}.get(finding.verdict, ", ".join(limits))
    return f"[{STYLES[finding.verdict]}]{text}[/]"


def _reach(reach: tuple[str, ...] | None) -> str:
    return "?" if reach is None else ", ".join(reach)


def _filled(text: str, names: dict[str, str]) -> str:
    for name, value in names.items():
        text = text.replace(name, value)
    return text
