"""What a cloud's module answers, and the silence of one that has no answer.

RES-02 and RES-03 refuse the resources and the provider of a package that no module knows, so that silence is never a
pass.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import catalog
from policies.context import Declared
from policies.release.model import MalformedDocument, Way
from policies.subject import Property, Resource, Stack
from policies.terms import (
    AuditStream,
    DiskKey,
    EgressGuard,
    Key,
    KeyRight,
    KeyStore,
    LogSink,
    Machine,
    ModelSource,
    Origin,
    PrivateDoor,
    ProvenanceDemand,
    RecordStore,
    Redundancy,
    Reference,
    ReleaseDocument,
    Role,
    Setting,
    Subnet,
    Unwanted,
)


def _nothing(*_: object) -> None:
    return None


def _no_parts(*_: object) -> tuple[()]:
    return ()


def _no_language(_: str) -> tuple[Way, ...]:
    raise MalformedDocument("", "is in a language that no module knows")


@dataclass(frozen=True, slots=True, kw_only=True)
class Speaker:
    """One answer for each question of `policies.vocabulary`; what a cloud does not have keeps the silent answer."""

    family: str = ""
    """The `provider` of its clouds in the catalogue; none for a service that is no cloud."""
    locations: Callable[[Resource], tuple[Property, ...]] = _no_parts
    grouping: Callable[[Resource], Property | None] = _nothing
    bundle: Callable[[Resource], str | None] = _nothing
    provider_settings: Callable[[Property, Declared], Iterable[Setting | Unwanted]] = _no_parts
    location_of_verifier: Callable[[str, catalog.Cloud], str | None] = _nothing
    parse_release_document: Callable[[str], tuple[Way, ...]] = _no_language
    machine: Callable[[Resource], Machine | None] = _nothing
    disk_key: Callable[[Resource], DiskKey | None] = _nothing
    key_store: Callable[[Resource], KeyStore | None] = _nothing
    key: Callable[[Resource], Key | None] = _nothing
    private_door: Callable[[Resource], PrivateDoor | None] = _nothing
    ways_in: Callable[[Resource], Iterable[Setting | Unwanted]] = _no_parts
    ways_out: Callable[[Resource], Iterable[Setting | Unwanted]] = _no_parts
    subnets: Callable[[Resource], Iterable[Subnet]] = _no_parts
    egress_guard: Callable[[Resource], EgressGuard | None] = _nothing
    needs_guard: Callable[[Resource], Property | None] = _nothing
    guarded_network: Callable[[Resource], Reference | None] = _nothing
    record_store: Callable[[Resource], RecordStore | None] = _nothing
    audit_stream: Callable[[Resource], AuditStream | None] = _nothing
    runtime: Callable[[Resource], Setting | None] = _nothing
    side_doors: Callable[[Resource], Iterable[Setting | Unwanted]] = _no_parts
    copies_away: Callable[[Resource], Iterable[Setting | Unwanted]] = _no_parts
    redundancies: Callable[[Resource], Iterable[Redundancy]] = _no_parts
    model_deployment: Callable[[Resource], Setting | None] = _nothing
    tags: Callable[[Resource], Property | None] = _nothing
    transport: Callable[[Resource], Iterable[Setting]] = _no_parts
    managed_verifier: Callable[[Resource], Iterable[Setting]] = _no_parts
    role: Callable[[Resource], Role | None] = _nothing
    key_rights: Callable[[Stack], Iterable[KeyRight]] = _no_parts
    pool_grants: Callable[[Stack], Iterable[tuple[Resource, ReleaseDocument]]] = _no_parts
    holder: Callable[[Resource], Setting | None] = _nothing
    peerings: Callable[[Resource], Iterable[Unwanted]] = _no_parts
    private_name: Callable[[Resource], Reference | None] = _nothing
    private_host: Callable[[Resource], Property | None] = _nothing
    watched_apis: Callable[[Resource], Iterable[Property]] = _no_parts
    sources: Callable[[Resource, Declared], Iterable[Setting | Unwanted]] = _no_parts
    container_images: Callable[[Resource], Iterable[Property]] = _no_parts
    store_name: Callable[[Resource], Property | None] = _nothing
    log_sinks: Callable[[Resource], Iterable[LogSink | Unwanted]] = _no_parts
    content_logs: Callable[[Resource], Iterable[Setting | Unwanted]] = _no_parts
    migration: Callable[[Resource], Iterable[Setting]] = _no_parts
    service_keys: Callable[[Resource], Iterable[Property]] = _no_parts
    own_hardware: Callable[[Resource], Iterable[Origin | Setting | Unwanted]] = _no_parts
    key_places: Callable[[Resource], Iterable[Setting | Unwanted]] = _no_parts
    quorums: Callable[[Resource], Iterable[Property]] = _no_parts
    release_documents: Callable[[Resource], Iterable[ReleaseDocument]] = _no_parts
    managed_models: Callable[[Resource], Iterable[Unwanted]] = _no_parts
    freshness: Callable[[Resource], Iterable[Setting]] = _no_parts
    brokers: Callable[[Resource], Iterable[Setting]] = _no_parts
    callers: Callable[[Resource], Iterable[Setting | Unwanted]] = _no_parts
    model_sources: Callable[[Resource], Iterable[ModelSource]] = _no_parts
    provenance_demands: Callable[[Resource], Iterable[ProvenanceDemand]] = _no_parts


SILENT = Speaker()
"""The answers for a package that no module here knows."""
