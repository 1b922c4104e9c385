"""`bailiwick catalog`: what the catalogue knows of regions, machines and services, and how well it knows it."""

import datetime
from collections.abc import Iterable
from typing import Annotated, TypeVar, get_args

import typer

import catalog as facts_room
from catalog import Catalog, Fact, MachineType, Region, Service, Tee, Tenancy, UnknownFact, nearest
from catalog.assessment import machines_with
from cli import catalog_view as view
from cli.catalog_rows import FactRow, MachineRow, RegionRow, ServiceRow
from cli.console import open_console
from cli.errors import CliError

app = typer.Typer(add_completion=False, no_args_is_help=True)

_Choice = TypeVar("_Choice", bound=str)

CloudOption = Annotated[str | None, typer.Option(help="only this cloud, for example azure, aws-eusc or gcp")]
AreaOption = Annotated[str | None, typer.Option("--jurisdiction", help="only regions inside it, for example EU or DE")]
TeeOption = Annotated[str | None, typer.Option(help="only with this TEE: snp, tdx, ...")]
GpuOption = Annotated[str | None, typer.Option(help="only with this GPU, for example h100")]
JsonOption = Annotated[bool, typer.Option("--json", help="print JSON instead of a table")]


@app.callback()
def catalog() -> None:
    """What is known of regions, machines and services, with sources."""


@app.command()
def regions(
    cloud: CloudOption = None,
    jurisdiction: AreaOption = None,
    tee: TeeOption = None,
    gpu: GpuOption = None,
    as_json: JsonOption = False,
) -> None:
    """Regions: where they are, whose law reaches them, and which confidential machines they have.

    With --gpu, only regions that offer it in confidential-computing mode.
    """
    facts = _load()
    wanted, model = _tee(tee), _gpu(facts, gpu)
    found = [
        region
        for region in facts.regions(cloud=cloud, jurisdiction=jurisdiction)
        if (wanted is None and model is None)
        or machines_with(facts, region, tee=wanted, gpu=model).verdict in ("can", "limited")
    ]
    rows = [RegionRow.of(facts, region) for region in found]
    view.show(open_console(), rows, "regions", as_json=as_json)


@app.command()
def machines(
    cloud: CloudOption = None,
    region: Annotated[str | None, typer.Option(help="only those offered in this region; needs --cloud")] = None,
    zone: Annotated[str | None, typer.Option(help="only those not known to be missing there; needs --region")] = None,
    jurisdiction: AreaOption = None,
    tee: TeeOption = None,
    gpu: GpuOption = None,
    tenancy: Annotated[str | None, typer.Option(help="shared or dedicated-host; needs --region")] = None,
    as_json: JsonOption = False,
) -> None:
    """Machine types: size, TEE, GPU, and where and how they are offered."""
    facts = _load()
    wanted, model, host = _tee(tee), _gpu(facts, gpu), _one_of("tenancy", tenancy, get_args(Tenancy))
    if region is not None and cloud is None:
        raise CliError(f"--region {region} needs --cloud: the same id can stand in two clouds")
    if region is None and (zone is not None or host is not None):
        raise CliError(f"--{'zone' if zone else 'tenancy'} needs --cloud and --region")
    if zone is not None and cloud is not None and region is not None:
        _check_zone(facts.region(cloud, region), zone)
    inside = {(place.cloud, place.id) for place in facts.regions(cloud=cloud, jurisdiction=jurisdiction)}
    found: list[MachineType] = [
        machine
        for id_ in ([cloud] if cloud else facts.clouds)
        for machine in facts.machine_types(id_, region=region, zone=zone, tee=wanted, gpu=model, tenancy=host)
        if jurisdiction is None or any((id_, place) in inside for place in machine.regions)
    ]
    rows = [
        MachineRow.of(machine, [place for place in sorted(machine.regions) if (machine.cloud, place) in inside])
        for machine in found
    ]
    view.show(open_console(), rows, "machine types", as_json=as_json)


@app.command()
def services(
    cloud: Annotated[str | None, typer.Option(help="only this cloud, or vendors for those of no cloud")] = None,
    region: Annotated[str | None, typer.Option(help="say whether it is in this region; needs --cloud")] = None,
    jurisdiction: Annotated[str | None, typer.Option(help="only with an operator that no law outside reaches")] = None,
    kind: Annotated[str | None, typer.Option(help="only of this kind: key, attestation, collateral, ...")] = None,
    tee: Annotated[str | None, typer.Option(help="only those that take the evidence of this TEE by themselves")] = None,
    as_json: JsonOption = False,
) -> None:
    """Key, attestation, identity and storage services, with operators, endpoints and private names."""
    facts = _load()
    wanted = _tee(tee)
    groups = {id_: facts.services(id_) for id_ in facts.clouds} | {"vendors": facts.vendor_services}
    if cloud is not None and cloud not in groups:
        raise UnknownFact("cloud", cloud, groups)
    everything = [service for id_ in ([cloud] if cloud else groups) for service in groups[id_].values()]
    only = _one_of(
        "kind", kind, sorted({service.kind for services in groups.values() for service in services.values()})
    )
    if region is not None:
        if cloud in (None, "vendors"):
            raise CliError(f"--region {region} needs --cloud with the cloud of the region")
        facts.region(str(cloud), region)
    found: list[Service] = [
        service
        for service in everything
        if (only is None or service.kind == only)
        and (wanted is None or wanted in service.releases_to)
        and (jurisdiction is None or facts.reached_from_abroad(service.legal_reach, jurisdiction) is False)
        and (region is None or service.offered_in(region) is not False)
    ]
    view.show(open_console(), [ServiceRow.of(facts, one, region) for one in found], "services", as_json=as_json)


@app.command()
def explain(
    cloud: Annotated[str, typer.Argument(help="a cloud of the catalogue", metavar="CLOUD")],
    region: Annotated[str, typer.Argument(help="a region of it", metavar="REGION")],
    jurisdiction: Annotated[
        str | None, typer.Option(help="what the stack must stay in; default: the region's own")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """What a sovereign stack can and cannot have in a region, why, and who says so."""
    assessment = facts_room.assess(_load(), cloud, region, jurisdiction=jurisdiction)
    view.show_assessment(open_console(), assessment, as_json=as_json)


@app.command()
def stale(
    older_than: Annotated[str, typer.Option(metavar="DAYS", help="only facts last checked longer ago")] = "0",
    confidence: Annotated[str | None, typer.Option(help="only facts of this confidence: high, medium or low")] = None,
    as_json: JsonOption = False,
) -> None:
    """Facts by age and confidence: what to check again first."""
    if not older_than.isdecimal():
        raise CliError(f"--older-than {older_than}: must be a number of days, for example 90")
    level = _one_of("confidence", confidence, ("high", "medium", "low"))
    today = datetime.datetime.now(tz=datetime.UTC).date()
    rows = [
        FactRow.of(kind, cloud, id_, fact, today)
        for kind, cloud, id_, fact in _by_urgency(_load().everything())
        if (today - fact.date).days >= int(older_than) and level in (None, fact.confidence)
    ]
    view.show_stale(open_console(), rows, as_json=as_json)


def _load() -> Catalog:
    try:
        return facts_room.load()
    except facts_room.BadCatalog as error:
        raise CliError(str(error)) from error


def _by_urgency(facts: Iterable[tuple[str, str, str, Fact]]) -> list[tuple[str, str, str, Fact]]:
    order = ("low", "medium", "high")
    return sorted(facts, key=lambda one: (one[3].date, order.index(one[3].confidence), one[:3]))


def _check_zone(region: Region, zone: str) -> None:
    known = region.zone_names or ()
    if known and zone not in known:
        raise CliError(f"unknown zone '{zone}' of {region.id}: its zones are {', '.join(known)}")


def _tee(given: str | None) -> Tee | None:
    return _one_of("tee", given, get_args(Tee))


def _gpu(facts: Catalog, given: str | None) -> str | None:
    families = (family for cloud in facts.clouds for family in facts.machine_families(cloud).values())
    return _one_of("gpu", given, sorted({family.gpu.name for family in families if family.gpu}))


def _one_of(option: str, given: str | None, known: Iterable[_Choice]) -> _Choice | None:
    """The value of `known` that is `given`. Raises `CliError`, with the nearest, for another."""
    choices = tuple(known)
    if given is None:
        return None
    for choice in choices:
        if choice == given.casefold():
            return choice
    near = nearest(given, choices)
    hint = f"; nearest: {near}" if near else ""
    raise CliError(f"--{option} {given}: must be one of {', '.join(choices)}{hint}")
