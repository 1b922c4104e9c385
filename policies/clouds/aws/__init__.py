"""AWS's resource types in the words of the rules (`pulumi-aws` 7)."""

from policies.clouds.aws.access import holder, role
from policies.clouds.aws.data import audit_stream, copies_away, log_sinks, record_store, store_name, tags
from policies.clouds.aws.keys import (
    key,
    key_places,
    key_store,
    own_hardware,
    release_documents,
    service_keys,
    watched_apis,
)
from policies.clouds.aws.machines import machine, side_doors
from policies.clouds.aws.models import callers, content_logs, managed_models, model_deployment
from policies.clouds.aws.network import (
    egress_guard,
    peerings,
    private_door,
    private_host,
    subnets,
    transport,
    ways_in,
    ways_out,
)
from policies.clouds.aws.places import locations, provider_settings
from policies.clouds.aws.supply import container_images, sources
from policies.clouds.unspoken import (
    disk_key,
    guarded_network,
    location_of_verifier,
    managed_verifier,
    migration,
    model_sources,
    needs_guard,
    parse_release_document,
    private_name,
    provenance_demands,
    quorums,
    redundancies,
    runtime,
)

CLOUD_FAMILY = "aws"

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
