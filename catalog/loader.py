"""Reads `catalog/data` and checks it against the schema and against itself.

Each file has a `date` (the day its sources were read), one list of facts named for their kind, and optionally
`defaults` that hold for each fact of the file. Sources are named by id and stand once, in `sources.yaml`.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError

from catalog.errors import BadCatalog
from catalog.facts import (
    Application,
    Cloud,
    Fact,
    GlobalType,
    Jurisdiction,
    MachineFamily,
    MachineType,
    PrivateEndpoint,
    Region,
    Service,
    Source,
)
from catalog.index import Catalog, Index

DATA = Path(__file__).parent / "data"

_Loader: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_F = TypeVar("_F", bound=Fact)


@cache
def load() -> Catalog:
    """The catalogue that ships with Bailiwick, read once per process."""
    return load_from(DATA)


def load_from(directory: Path) -> Catalog:
    """Read a catalogue from `directory`; raises `BadCatalog` naming the file and the fact at fault."""
    reader = _Reader(directory)
    jurisdictions = _with_members(reader.facts("jurisdictions", Jurisdiction))
    clouds = {cloud.id: cloud for cloud in reader.facts("clouds", Cloud)}
    machine_types = _sizes(reader.facts("machine_families", MachineFamily))
    services = _operated(reader.facts("services", Service), clouds)
    endpoints = reader.facts("private_endpoints", PrivateEndpoint)
    global_types = reader.facts("global_types", GlobalType)
    applications = reader.facts("applications", Application)
    catalog = Catalog(
        jurisdictions=Index("jurisdiction", jurisdictions),
        clouds=Index("cloud", clouds),
        regions=_by_cloud("region", clouds, _placed(reader.facts("regions", Region), jurisdictions), "id"),
        machine_types=_by_cloud("machine type", clouds, machine_types, "size"),
        services=_by_cloud("service", clouds, services, "id"),
        private_endpoints=_by_cloud("private endpoint", clouds, endpoints, "service"),
        global_types=_by_cloud("global type", clouds, global_types, "type"),
        applications=_by_cloud("application", clouds, applications, "id"),
    )
    _check_references(catalog)
    return catalog


class _Reader:
    """The data files as documents, and their facts as models."""

    def __init__(self, directory: Path) -> None:
        self._documents: list[tuple[str, dict[str, Any]]] = []
        for path in sorted(directory.rglob("*.yaml")):
            name = path.relative_to(directory).as_posix()
            try:
                document = yaml.load(path.read_bytes(), Loader=_Loader)  # noqa: S506 - a safe loader either way
            except yaml.YAMLError as error:
                raise BadCatalog(f"{name}: not YAML: {' '.join(str(error).split())}") from error
            if not isinstance(document, dict):
                raise BadCatalog(f"{name}: must be a mapping")
            self._documents.append((name, document))
        self._sources = {
            id_: Source(id=id_, text=said)
            for _, document in self._documents
            for id_, said in document.get("sources", {}).items()
        }

    def facts(self, kind: str, model: type[_F]) -> list[_F]:
        return [
            self._fact(f"{name}: {kind}[{position}]", {**common, **entry}, model)
            for name, document in self._documents
            for common in [_common(document)]
            for position, entry in enumerate(document.get(kind, []))
        ]

    def _fact(self, where: str, entry: dict[str, Any], model: type[_F]) -> _F:
        cited = entry.get("source") or []
        missing = [id_ for id_ in cited if id_ not in self._sources]
        if missing:
            raise BadCatalog(f"{where}: source '{missing[0]}' is not in sources.yaml")
        try:
            return model.model_validate({**entry, "source": tuple(self._sources[id_] for id_ in cited)})
        except ValidationError as error:
            first = error.errors()[0]
            path = ".".join(str(part) for part in first["loc"])
            raise BadCatalog(f"{where}: {path}: {first['msg']}") from error


def _common(document: dict[str, Any]) -> dict[str, Any]:
    """What holds for each fact of a file that does not say otherwise."""
    return {"date": document.get("date"), "confidence": "high", **document.get("defaults", {})}


def _by_cloud(kind: str, clouds: Mapping[str, Cloud], facts: Iterable[_F], key: str) -> dict[str, Index[_F]]:
    """The facts grouped by cloud, each group indexed by the attribute `key`; refuses duplicates."""
    grouped: dict[str, dict[str, _F]] = {cloud: {} for cloud in clouds}
    for fact in facts:
        cloud, id_ = getattr(fact, "cloud", ""), getattr(fact, key)
        _require(cloud in grouped, f"{kind} '{id_}'", cloud)
        if id_ in grouped[cloud]:
            raise BadCatalog(f"{kind} '{id_}' of cloud {cloud} is there twice")
        grouped[cloud][id_] = fact
    return {cloud: Index(kind, group, of=cloud) for cloud, group in grouped.items()}


def _with_members(flat: list[Jurisdiction]) -> dict[str, Jurisdiction]:
    by_id = {jurisdiction.id: jurisdiction for jurisdiction in flat}
    members: dict[str, set[str]] = {id_: set() for id_ in by_id}
    for id_ in by_id:
        for outer in _outwards(id_, by_id):
            members[outer].add(id_)
    return {
        id_: jurisdiction.model_copy(update={"members": frozenset(members[id_])}) for id_, jurisdiction in by_id.items()
    }


def _outwards(id_: str, by_id: Mapping[str, Jurisdiction]) -> Iterator[str]:
    """`id_` and everything that contains it, nearest first."""
    seen = [id_]
    for current in seen:
        yield current
        for outer in by_id[current].within:
            if outer not in by_id:
                raise BadCatalog(f"jurisdiction '{current}': within '{outer}', which is not in the catalogue")
            if outer not in seen:
                seen.append(outer)


def _placed(regions: Iterable[Region], jurisdictions: Mapping[str, Jurisdiction]) -> Iterator[Region]:
    """The regions, each with all the jurisdictions that it lies in."""
    for region in regions:
        _require(region.jurisdiction in jurisdictions, f"region '{region.id}'", region.jurisdiction)
        outwards = tuple(_outwards(region.jurisdiction, jurisdictions))
        yield region.model_copy(update={"jurisdictions": outwards})


def _sizes(families: Iterable[MachineFamily]) -> Iterator[MachineType]:
    for family in families:
        shared = {name: getattr(family, name) for name in MachineType.model_fields if hasattr(family, name)}
        for size in family.sizes:
            yield MachineType.model_validate({**shared, **size.model_dump()})


def _operated(services: Iterable[Service], clouds: Mapping[str, Cloud]) -> Iterator[Service]:
    """The services, each with its operator: the cloud's where the data names no other."""
    for service in services:
        cloud = clouds.get(service.cloud)
        if service.operator or cloud is None:
            yield service
        else:
            operator = {"operator": cloud.operator, "operator_jurisdiction": cloud.operator_jurisdiction}
            yield service.model_copy(update=operator)


def _check_references(catalog: Catalog) -> None:
    """Every id that a fact names must be there; raises `BadCatalog` at the first that is not."""
    areas = catalog.jurisdictions
    for cloud in catalog.clouds.values():
        _require(cloud.operator_jurisdiction in areas, f"cloud '{cloud.id}'", cloud.operator_jurisdiction)
        regions = {region.id for region in catalog.regions(cloud=cloud.id)}
        for region in catalog.regions(cloud=cloud.id):
            if region.paired_region is not None:
                _require(region.paired_region in regions, f"region '{region.id}'", region.paired_region)
        for machine in catalog.machine_types(cloud.id):
            for offered in machine.regions:
                _require(offered in regions, f"machine type '{machine.size}'", offered)
        endpoints = catalog.private_endpoints(cloud.id)
        for service in catalog.services(cloud.id).values():
            where = f"service '{service.id}'"
            _require(service.operator_jurisdiction in areas, where, service.operator_jurisdiction)
            if service.private_endpoint is not None:
                _require(service.private_endpoint in endpoints, where, service.private_endpoint)


def _require(present: bool, where: str, value: str) -> None:
    if not present:
        raise BadCatalog(f"{where}: names '{value}', which is not in the catalogue")
