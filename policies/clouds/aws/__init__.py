"""AWS's resource types in the words of the rules (`pulumi-aws` 7)."""

from policies.clouds.aws.data import audit_stream, copies_away, record_store, tags
from policies.clouds.aws.keys import key
from policies.clouds.aws.machines import machine, side_doors
from policies.clouds.aws.network import egress_guard, peerings, subnets, ways_in, ways_out
from policies.clouds.aws.places import locations, provider_settings
from policies.clouds.unspoken import (
    disk_key,
    guarded_network,
    holder,
    key_store,
    location_of_verifier,
    managed_verifier,
    model_deployment,
    needs_guard,
    parse_release_document,
    private_door,
    private_name,
    redundancies,
    role,
    runtime,
    transport,
)

CLOUD_FAMILY = "aws"

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
