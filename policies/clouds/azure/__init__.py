"""Azure's resource types in the words of the rules (`pulumi-azure-native`, API versions of 3.29)."""

from policies.clouds.azure.access import holder, role
from policies.clouds.azure.data import (
    copies_away,
    managed_verifier,
    model_deployment,
    redundancies,
    store_name,
    tags,
    transport,
)
from policies.clouds.azure.keys import disk_key, key, key_places, key_store, own_hardware, private_door, service_keys
from policies.clouds.azure.logs import audit_stream, log_sinks, record_store
from policies.clouds.azure.machines import machine, side_doors
from policies.clouds.azure.models import callers, content_logs, managed_models
from policies.clouds.azure.network import (
    egress_guard,
    guarded_network,
    needs_guard,
    peerings,
    private_name,
    subnets,
    ways_in,
    ways_out,
)
from policies.clouds.azure.places import location_of_verifier, locations, provider_settings
from policies.clouds.azure.supply import container_images, sources
from policies.clouds.unspoken import (
    migration,
    model_sources,
    private_host,
    provenance_demands,
    quorums,
    release_documents,
    runtime,
    watched_apis,
)
from policies.release.azure import parse as parse_release_document

CLOUD_FAMILY = "azure"

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
