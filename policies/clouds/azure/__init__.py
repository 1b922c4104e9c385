"""Azure's resource types in the words of the rules (`pulumi-azure-native`, API versions of 3.29)."""

from policies.clouds.azure.access import holder, role
from policies.clouds.azure.data import (
    copies_away,
    managed_verifier,
    model_deployment,
    redundancies,
    tags,
    transport,
)
from policies.clouds.azure.keys import disk_key, key, key_store, private_door
from policies.clouds.azure.logs import audit_stream, record_store
from policies.clouds.azure.machines import machine, side_doors
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
from policies.clouds.unspoken import runtime
from policies.release.azure import parse as parse_release_document

CLOUD_FAMILY = "azure"

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
