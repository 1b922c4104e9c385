"""Builds the catalogue: the shipped facts, what a customer states of sites of its own, and what follows from both."""

import gc
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeVar

from catalog.checks import check_references, require
from catalog.documents import Documents
from catalog.errors import BadCatalog
from catalog.facts import Boundary, Cloud, Fact, Jurisdiction, Law, Operator, Region
from catalog.index import VENDORS, Catalog, Facts, Index
from catalog.machines import ClusterFeature, MachineFamily, MachineRequirement, MachineType
from catalog.services import Application, GlobalType, Guardrail, PrivateEndpoint, ReleaseClaim, Service

DATA: Final = Path(__file__).parent / "data"

STATED_FACTS: Final = "BAILIWICK_FACTS"
"""Environment variable: a directory of data files with the customer's own facts."""

_F = TypeVar("_F", bound=Fact)
_Named = TypeVar("_Named", Jurisdiction, Law, Operator, Cloud)
_Operated = TypeVar("_Operated", Cloud, Region, Service)


@cache
def load() -> Catalog:
    """The catalogue that ships with Bailiwick, with the customer's own facts; read once per process."""
    stated = stated_facts(Path.cwd())
    return load_from(DATA, stated=stated)


def stated_facts(start: Path) -> Path | None:
    """The directory with what the customer states of sites of its own, or None.

    `BAILIWICK_FACTS` if set, else `stacks/facts` of the project (the nearest `Pulumi.yaml`) at or above `start`.

    Raises:
        BadCatalog: `BAILIWICK_FACTS` does not name a directory.
    """
    if named := os.environ.get(STATED_FACTS):
        if not Path(named).is_dir():
            raise BadCatalog(f"{STATED_FACTS}: {named} is not a directory")
        return Path(named)
    for folder in (start, *start.parents):
        if (folder / "Pulumi.yaml").is_file():
            found = folder / "stacks" / "facts"
            return found if found.is_dir() else None
    return None


def load_from(directory: Path, *, stated: Path | None = None) -> Catalog:
    """Read a catalogue from `directory`, and from `stated` the facts of a customer's own sites.

    Raises:
        BadCatalog: a fact breaks the schema or contradicts another, or `stated` speaks of an operator's cloud.
    """
    with _collector_paused():
        return _build(directory, stated)


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Nothing that loading makes is garbage before its end: looking for some takes a third of the time."""
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()


def _build(directory: Path, stated: Path | None) -> Catalog:
    documents = Documents(*(folder for folder in (directory, stated) if folder))
    jurisdictions = _with_members(_by_id("jurisdiction", documents.facts("jurisdictions", Jurisdiction)))
    operators = _with_reach(_by_id("operator", documents.facts("operators", Operator)), jurisdictions)
    clouds = {
        id_: _operated(cloud, cloud.operator_id, operators)
        for id_, cloud in _by_id("cloud", documents.facts("clouds", Cloud)).items()
    }
    if stated:
        _only_own_sites(Documents(stated), clouds)
    families = documents.facts("machine_families", MachineFamily)

    def by_cloud(kind: str, list_: str, model: type[_F], key: str = "id") -> dict[str, Index[_F]]:
        return _by_cloud(kind, clouds, documents.facts(list_, model), key)

    catalog = Catalog(
        jurisdictions=Index("jurisdiction", jurisdictions),
        laws=Index("law", _by_id("law", documents.facts("laws", Law))),
        operators=Index("operator", operators),
        clouds=Index("cloud", clouds),
        facts=Facts(
            regions=_by_cloud("region", clouds, _placed(documents, jurisdictions, clouds, operators), "id"),
            boundaries=by_cloud("boundary", "boundaries", Boundary),
            machine_families=_by_cloud("machine family", clouds, families, "family"),
            machine_types=_by_cloud("machine type", clouds, _sizes(families), "size"),
            machine_requirements=by_cloud("machine requirement", "machine_requirements", MachineRequirement),
            cluster_features=by_cloud("cluster feature", "cluster_features", ClusterFeature),
            services=_by_cloud("service", clouds, _served(documents, clouds, operators), "id"),
            private_endpoints=by_cloud("private endpoint", "private_endpoints", PrivateEndpoint, "service"),
            global_types=by_cloud("global type", "global_types", GlobalType, "type"),
            applications=by_cloud("application", "applications", Application),
            guardrails=by_cloud("guardrail", "guardrails", Guardrail),
            release_claims=by_cloud("release claim", "release_claims", ReleaseClaim),
        ),
    )
    check_references(catalog)
    return catalog


def _only_own_sites(stated: Documents, clouds: Mapping[str, Cloud]) -> None:
    """A customer states facts of its own sites; what an operator offers is not the customer's to state."""
    own = sorted(id_ for id_, cloud in clouds.items() if cloud.offer == "customer")
    for cloud, where in stated.clouds_named().items():
        if cloud not in own:
            raise BadCatalog(f"{where}: facts of cloud '{cloud}' cannot be stated here, only of {', '.join(own)}")


def _by_cloud(kind: str, clouds: Mapping[str, Cloud], facts: Iterable[_F], key: str) -> dict[str, Index[_F]]:
    """The facts grouped by cloud, each group indexed by the attribute `key`; refuses duplicates."""
    grouped: dict[str, dict[str, _F]] = {cloud: {} for cloud in (*clouds, VENDORS)}
    for fact in facts:
        cloud, id_ = getattr(fact, "cloud", ""), getattr(fact, key)
        require(cloud in grouped, f"{kind} '{id_}'", cloud)
        if id_ in grouped[cloud]:
            raise BadCatalog(f"{kind} '{id_}' of cloud {cloud} is there twice")
        grouped[cloud][id_] = fact
    return {cloud: Index(kind, group, of=cloud) for cloud, group in grouped.items()}


def _by_id(kind: str, facts: Iterable[_Named]) -> dict[str, _Named]:
    """The facts by id; refuses duplicates, so that no file can change what another one says."""
    by_id: dict[str, _Named] = {}
    for fact in facts:
        if fact.id in by_id:
            raise BadCatalog(f"{kind} '{fact.id}' is there twice")
        by_id[fact.id] = fact
    return by_id


def _with_members(by_id: Mapping[str, Jurisdiction]) -> dict[str, Jurisdiction]:
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
            require(outer in by_id, f"jurisdiction '{current}': within", outer)
            if outer not in seen:
                seen.append(outer)


def _with_reach(by_id: Mapping[str, Operator], jurisdictions: Mapping[str, Jurisdiction]) -> dict[str, Operator]:
    """The operators, each with every jurisdiction that reaches it: its own, and those of its parents."""
    reached: dict[str, Operator] = {}
    for id_, operator in by_id.items():
        chain, reach = [id_], list[str | None]()
        for current in chain:
            require(current in by_id, f"operator '{id_}'", current)
            area = by_id[current].jurisdiction
            require(area is None or area in jurisdictions, f"operator '{current}'", area or "")
            reach.append(area)
            chain += [parent for parent in by_id[current].parents if parent not in chain]
        known = tuple(dict.fromkeys(area for area in reach if area is not None))
        complete = None not in reach
        reached[id_] = operator.model_copy(update={"legal_reach": known if complete else None})
    return reached


def _operated(fact: _Operated, operator_id: str, operators: Mapping[str, Operator]) -> _Operated:
    require(operator_id in operators, f"'{fact.id}'", operator_id)
    operator = operators[operator_id]
    return fact.model_copy(
        update={
            "operator_id": operator.id,
            "operator": operator.name,
            "operator_jurisdiction": operator.jurisdiction or "",
            "legal_reach": operator.legal_reach,
        }
    )


def _placed(
    documents: Documents,
    jurisdictions: Mapping[str, Jurisdiction],
    clouds: Mapping[str, Cloud],
    operators: Mapping[str, Operator],
) -> Iterator[Region]:
    """The regions, each with all the jurisdictions that it lies in and with its operator."""
    outwards = {id_: tuple(_outwards(id_, jurisdictions)) for id_ in jurisdictions}
    for region in documents.facts("regions", Region):
        require(region.jurisdiction in jurisdictions, f"region '{region.id}'", region.jurisdiction)
        require(region.cloud in clouds, f"region '{region.id}'", region.cloud)
        placed = region.model_copy(update={"jurisdictions": outwards[region.jurisdiction]})
        yield _operated(placed, region.operator_id or clouds[region.cloud].operator_id, operators)


def _sizes(families: Iterable[MachineFamily]) -> Iterator[MachineType]:
    """The sizes of the families; a family's values were validated with it."""
    for family in families:
        values: dict[str, Any] = {name: getattr(family, name) for name in MachineFamily.model_fields if name != "sizes"}
        for size in family.sizes:
            values |= {"size": size.size, "vcpu": size.vcpu, "memory_gib": size.memory_gib}
            yield MachineType.model_construct(**values)


def _served(documents: Documents, clouds: Mapping[str, Cloud], operators: Mapping[str, Operator]) -> Iterator[Service]:
    """The services, each with its operator: the cloud's where the data names no other."""
    for service in documents.facts("services", Service):
        operator_id = service.operator_id
        if operator_id is None:
            require(service.cloud in clouds, f"service '{service.id}'", service.cloud)
            operator_id = clouds[service.cloud].operator_id
        yield _operated(service, operator_id, operators)
