"""Google Cloud's resource types in the words of the rules (`pulumi-gcp` 10)."""

from policies.clouds.gcp.data import (
    audit_stream,
    copies_away,
    managed_verifier,
    model_deployment,
    record_store,
    redundancies,
    tags,
    transport,
)
from policies.clouds.gcp.keys import disk_key, holder, key, key_store, parse_release_document, role
from policies.clouds.gcp.machines import machine, side_doors
from policies.clouds.gcp.network import (
    egress_guard,
    guarded_network,
    needs_guard,
    peerings,
    private_door,
    private_name,
    subnets,
    ways_in,
    ways_out,
)
from policies.clouds.gcp.places import location_of_verifier, locations, provider_settings
from policies.clouds.unspoken import runtime

CLOUD_FAMILY = "gcp"

__all__ = [
    "CLOUD_FAMILY",
    "audit_stream",
    "copies_away",
    "disk_key",
    "egress_guard",
    "guarded_network",
    "holder",
    "key",
    "key_store",
    "location_of_verifier",
    "locations",
    "machine",
    "managed_verifier",
    "model_deployment",
    "needs_guard",
    "parse_release_document",
    "peerings",
    "private_door",
    "private_name",
    "provider_settings",
    "record_store",
    "redundancies",
    "role",
    "runtime",
    "side_doors",
    "subnets",
    "tags",
    "transport",
    "ways_in",
    "ways_out",
]
