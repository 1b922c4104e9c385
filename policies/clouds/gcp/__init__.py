"""Google Cloud's resource types in the words of the rules (`pulumi-gcp` 10)."""

from policies.clouds.gcp.data import (
    audit_stream,
    copies_away,
    log_sinks,
    managed_verifier,
    model_deployment,
    record_store,
    redundancies,
    store_name,
    tags,
    transport,
    watched_apis,
)
from policies.clouds.gcp.keys import (
    disk_key,
    holder,
    key,
    key_places,
    key_store,
    own_hardware,
    parse_release_document,
    role,
    service_keys,
)
from policies.clouds.gcp.machines import machine, migration, side_doors
from policies.clouds.gcp.models import callers, content_logs, managed_models
from policies.clouds.gcp.network import (
    egress_guard,
    guarded_network,
    needs_guard,
    peerings,
    private_door,
    private_host,
    private_name,
    subnets,
    ways_in,
    ways_out,
)
from policies.clouds.gcp.places import location_of_verifier, locations, provider_settings
from policies.clouds.gcp.pools import pool_grants, release_documents
from policies.clouds.gcp.supply import container_images, sources
from policies.clouds.unspoken import model_sources, provenance_demands, quorums, runtime

CLOUD_FAMILY = "gcp"

__all__ = [
    "CLOUD_FAMILY",
    "audit_stream",
    "callers",
    "container_images",
    "content_logs",
    "copies_away",
    "disk_key",
    "egress_guard",
    "guarded_network",
    "holder",
    "key",
    "key_places",
    "key_store",
    "location_of_verifier",
    "locations",
    "log_sinks",
    "machine",
    "managed_models",
    "managed_verifier",
    "migration",
    "model_deployment",
    "model_sources",
    "needs_guard",
    "own_hardware",
    "parse_release_document",
    "peerings",
    "pool_grants",
    "private_door",
    "private_host",
    "private_name",
    "provenance_demands",
    "provider_settings",
    "quorums",
    "record_store",
    "redundancies",
    "release_documents",
    "role",
    "runtime",
    "service_keys",
    "side_doors",
    "sources",
    "store_name",
    "subnets",
    "tags",
    "transport",
    "watched_apis",
    "ways_in",
    "ways_out",
]
