"""What rules ask of a resource, in words that no cloud owns.

Each question goes to the module of the resource's cloud (`policies.clouds`), the only place that knows its property
paths. A resource of a package without such a module has no answer here; RES-02 refuses it.
"""

from collections.abc import Iterable, Mapping
from functools import cache
from importlib import import_module
from typing import Final

import catalog
from policies.clouds.speaker import SILENT, Speaker
from policies.context import Declared
from policies.release.model import Way
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

VERIFIER_COMPONENT_SUFFIX = "AttestationVerifier"
REGION_COMPONENT_SUFFIX = "SovereignRegion"
COLLATERAL_COMPONENT_SUFFIX = "CollateralCache"
GUARD_COMPONENT_SUFFIX = "ResidencyGuard"
LOG_COMPONENT_SUFFIX = "AuditLog"
GATEWAY_COMPONENT_SUFFIX = "ModelGateway"

_MODULES: Final[Mapping[str, str]] = {
    "azure-native": "azure",
    "pulumi-python": "dynamic",
    "gcp": "gcp",
    "aws": "aws",
    "kubernetes": "kubernetes",
    "dsm": "fortanix",
}
"""By package, the module of `policies.clouds` that speaks for it."""


@cache
def _cloud(package: str) -> Speaker:
    """Who speaks for a package; imported when it is first asked, because a stack has one cloud."""
    if package not in _MODULES:
        return SILENT
    speaker: Speaker = import_module(f"policies.clouds.{_MODULES[package]}").SPEAKER
    return speaker


def _clouds(stack: Stack) -> Iterable[Speaker]:
    """Who speaks for the packages of the stack, each once."""
    return map(_cloud, dict.fromkeys(one.package for one in stack.resources))


def family_of(package: str) -> str | None:
    """The technology that a package provisions, as the catalogue names it: `azure` for `azure-native`."""
    return _cloud(package).family or None


def locations_of(resource: Resource) -> tuple[Property, ...]:
    """Every property that names a region; empty where the type has none or the program states none."""
    return _cloud(resource.package).locations(resource)


def grouping_of(resource: Resource) -> Property | None:
    """The manifest of which a resource makes other resources; None for anything else."""
    return _cloud(resource.package).grouping(resource)


def bundle_of(resource: Resource) -> str | None:
    """What to use in place of a resource that makes objects which no rule sees; None for anything else."""
    return _cloud(resource.package).bundle(resource)


def provider_settings_of(package: str, props: Property, declared: Declared) -> tuple[Setting | Unwanted, ...]:
    """What a provider of `package` must say to lead to the declared cloud, area and account."""
    return tuple(_cloud(package).provider_settings(props, declared))


def machine_of(resource: Resource) -> Machine | None:
    return _cloud(resource.package).machine(resource)


def disk_key_of(resource: Resource) -> DiskKey | None:
    return _cloud(resource.package).disk_key(resource)


def key_store_of(resource: Resource) -> KeyStore | None:
    return _cloud(resource.package).key_store(resource)


def key_of(resource: Resource) -> Key | None:
    return _cloud(resource.package).key(resource)


def release_ways_of(resource: Resource, key: Key) -> tuple[Way, ...]:
    """Every way to get `key`; raises `MalformedDocument` and, for an unknown document, `UnknownProperty`."""
    return _cloud(resource.package).parse_release_document(key.release_document.text or "")


def location_of_verifier(resource: Resource, host: str, cloud: catalog.Cloud) -> str | None:
    """The region of the attestation service behind `host`; None if it is none of the catalogue's."""
    return _cloud(resource.package).location_of_verifier(host, cloud)


def brokers_of(resource: Resource) -> tuple[Setting, ...]:
    """Where a guest is told to attest and to get its keys."""
    return tuple(_cloud(resource.package).brokers(resource))


def freshness_of(resource: Resource) -> tuple[Setting, ...]:
    """What keeps the results of a verifier fresh that is not Bailiwick's own."""
    return tuple(_cloud(resource.package).freshness(resource))


def private_door_of(resource: Resource) -> PrivateDoor | None:
    return _cloud(resource.package).private_door(resource)


def ways_into(resource: Resource) -> tuple[Setting | Unwanted, ...]:
    """What would make a resource reachable from the public network."""
    return tuple(_cloud(resource.package).ways_in(resource))


def ways_out_of(resource: Resource) -> tuple[Setting | Unwanted, ...]:
    """What would let traffic leave around the egress rules."""
    return tuple(_cloud(resource.package).ways_out(resource))


def subnets_of(resource: Resource) -> tuple[Subnet, ...]:
    return tuple(_cloud(resource.package).subnets(resource))


def egress_guard_of(resource: Resource) -> EgressGuard | None:
    return _cloud(resource.package).egress_guard(resource)


def needs_guard(resource: Resource) -> Property | None:
    """The name of a network whose egress only a guard of its own restricts; None for anything else."""
    return _cloud(resource.package).needs_guard(resource)


def guarded_network_of(resource: Resource) -> Reference | None:
    """The network that a guard belongs to."""
    return _cloud(resource.package).guarded_network(resource)


def record_store_of(resource: Resource) -> RecordStore | None:
    return _cloud(resource.package).record_store(resource)


def audit_stream_of(resource: Resource) -> AuditStream | None:
    return _cloud(resource.package).audit_stream(resource)


def runtime_of(resource: Resource) -> Setting | None:
    """That a runtime puts machines into confidential guests."""
    return _cloud(resource.package).runtime(resource)


def side_doors_of(resource: Resource) -> tuple[Setting | Unwanted, ...]:
    """What lets somebody into a machine beside its measured boot."""
    return tuple(_cloud(resource.package).side_doors(resource))


def copies_away_of(resource: Resource) -> tuple[Setting | Unwanted, ...]:
    """What would copy data to where nobody judges it."""
    return tuple(_cloud(resource.package).copies_away(resource))


def redundancies_of(resource: Resource) -> tuple[Redundancy, ...]:
    """Where the cloud keeps copies by itself."""
    return tuple(_cloud(resource.package).redundancies(resource))


def model_deployment_of(resource: Resource) -> Setting | None:
    """That a managed model is computed in its own region."""
    return _cloud(resource.package).model_deployment(resource)


def tags_of(resource: Resource) -> Property | None:
    """Labels of a resource; None where the cloud does not label its type."""
    return _cloud(resource.package).tags(resource)


def transport_of(resource: Resource) -> tuple[Setting, ...]:
    """What keeps connections encrypted."""
    return tuple(_cloud(resource.package).transport(resource))


def managed_verifier_of(resource: Resource) -> tuple[Setting, ...]:
    """What keeps the cloud's own attestation service private."""
    return tuple(_cloud(resource.package).managed_verifier(resource))


def role_of(resource: Resource) -> Role | None:
    return _cloud(resource.package).role(resource)


def key_rights_of(stack: Stack) -> tuple[KeyRight, ...]:
    """What each principal may do with keys, as far as anything in the stack says so."""
    said = dict.fromkeys(cloud.key_rights for cloud in _clouds(stack))
    return tuple(right for key_rights in said for right in key_rights(stack))


def holder_of(resource: Resource) -> Setting | None:
    """Who gets a role: workloads, and no person."""
    return _cloud(resource.package).holder(resource)


def peerings_of(resource: Resource) -> tuple[Unwanted, ...]:
    """What joins a network to another one."""
    return tuple(_cloud(resource.package).peerings(resource))


def private_name_of(resource: Resource) -> Reference | None:
    """The private endpoint that a resource names in private DNS."""
    return _cloud(resource.package).private_name(resource)


def private_host_of(resource: Resource) -> Property | None:
    """The host that a resource of private DNS gives an address."""
    return _cloud(resource.package).private_host(resource)


def watched_apis_of(resource: Resource) -> tuple[Property, ...]:
    """The APIs of the account whose use a resource has recorded."""
    return tuple(_cloud(resource.package).watched_apis(resource))


def sources_of(resource: Resource, declared: Declared) -> tuple[Setting | Unwanted, ...]:
    """What keeps images and caches of images to places of the stack's own."""
    return tuple(_cloud(resource.package).sources(resource, declared))


def container_images_of(resource: Resource) -> tuple[Property, ...]:
    """The container images that a resource starts."""
    return tuple(_cloud(resource.package).container_images(resource))


def store_name_of(resource: Resource) -> Property | None:
    """The name of a store of objects, by which a workload asks it."""
    return _cloud(resource.package).store_name(resource)


def log_sinks_of(resource: Resource) -> tuple[LogSink | Unwanted, ...]:
    """Where a resource sends records, metrics or traces."""
    return tuple(_cloud(resource.package).log_sinks(resource))


def content_logs_of(resource: Resource) -> tuple[Setting | Unwanted, ...]:
    """What keeps prompts, answers and keys out of logs."""
    return tuple(_cloud(resource.package).content_logs(resource))


def migration_of(resource: Resource) -> tuple[Setting, ...]:
    """What keeps a running machine on its host, and machines out of it."""
    return tuple(_cloud(resource.package).migration(resource))


def service_keys_of(resource: Resource) -> tuple[Property, ...]:
    """The customer's keys with which the cloud's services encrypt, where they may be stated."""
    return tuple(_cloud(resource.package).service_keys(resource))


def own_hardware_of(resource: Resource) -> tuple[Origin | Setting | Unwanted, ...]:
    """That keys are in an HSM of one's own, or outside the cloud."""
    return tuple(_cloud(resource.package).own_hardware(resource))


def key_places_of(resource: Resource) -> tuple[Setting | Unwanted, ...]:
    """What keeps a key in one region."""
    return tuple(_cloud(resource.package).key_places(resource))


def quorums_of(resource: Resource) -> tuple[Property, ...]:
    """How many must agree before a key is exported, or its rules changed."""
    return tuple(_cloud(resource.package).quorums(resource))


def release_documents_of(resource: Resource) -> tuple[ReleaseDocument, ...]:
    """The policies that say to whom keys may be released, beside those that a key carries itself."""
    return tuple(_cloud(resource.package).release_documents(resource))


def pool_grants_of(stack: Stack) -> tuple[tuple[Resource, ReleaseDocument], ...]:
    """Who of a workload identity pool gets a role, with what the pool asks of them, and which resource says so."""
    return tuple(grant for cloud in _clouds(stack) for grant in cloud.pool_grants(stack))


def managed_models_of(resource: Resource) -> tuple[Unwanted, ...]:
    """Models that the cloud runs on machines which prove nothing to the stack's verifier."""
    return tuple(_cloud(resource.package).managed_models(resource))


def callers_of(resource: Resource) -> tuple[Setting | Unwanted, ...]:
    """That whoever calls a model proves an identity."""
    return tuple(_cloud(resource.package).callers(resource))


def model_sources_of(resource: Resource) -> tuple[ModelSource, ...]:
    return tuple(_cloud(resource.package).model_sources(resource))


def provenance_demands_of(resource: Resource) -> tuple[ProvenanceDemand, ...]:
    return tuple(_cloud(resource.package).provenance_demands(resource))


def is_verifier(resource: Resource) -> bool:
    """Whether `resource` is the component that holds the region's attestation verifier."""
    return resource.is_component and resource.type.endswith(VERIFIER_COMPONENT_SUFFIX)


def released_by_broker(resource: Resource) -> tuple[Property, ...]:
    """The keys that the region's own broker releases, as the verifier's component states them."""
    return resource.props.at("guestConfiguration", "resources").items() if is_verifier(resource) else ()


def is_region(resource: Resource) -> bool:
    """Whether `resource` is the component that states the jurisdiction graph."""
    return resource.is_component and resource.type.endswith(REGION_COMPONENT_SUFFIX)


def is_collateral_cache(resource: Resource) -> bool:
    """Whether `resource` is the component that keeps the vendors' collateral in the region."""
    return resource.is_component and resource.type.endswith(COLLATERAL_COMPONENT_SUFFIX)


def is_guard(resource: Resource) -> bool:
    """Whether `resource` is the component that has the cloud itself hold residency."""
    return resource.is_component and resource.type.endswith(GUARD_COMPONENT_SUFFIX)


def is_audit_log(resource: Resource) -> bool:
    """Whether `resource` is the component that keeps the region's records."""
    return resource.is_component and resource.type.endswith(LOG_COMPONENT_SUFFIX)


def is_gateway(resource: Resource) -> bool:
    """Whether `resource` is the component that answers for the region's models."""
    return resource.is_component and resource.type.endswith(GATEWAY_COMPONENT_SUFFIX)


def weakness_of(resource: Resource, argument: str) -> Property | None:
    """An argument that weakens one of Bailiwick's own components, if `resource` is one that has been given it."""
    if not resource.is_component:
        return None
    stated = resource.props.at(argument)
    return stated if stated.unknown or stated.flag else None
