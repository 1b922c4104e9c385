"""Azure's resource types in the words of the rules (`pulumi-azure-native`, API versions of 3.29)."""

from policies.clouds.azure.keys import disk_key, key, key_store, private_door
from policies.clouds.azure.logs import audit_stream, record_store
from policies.clouds.azure.machines import machine
from policies.clouds.azure.network import egress_guard, subnets, ways_in, ways_out
from policies.clouds.azure.places import location_of_verifier, locations, provider_settings
from policies.release.azure import parse as parse_release_document

CLOUD_FAMILY = "azure"

__all__ = [
    "CLOUD_FAMILY",
    "audit_stream",
    "disk_key",
    "egress_guard",
    "key",
    "key_store",
    "location_of_verifier",
    "locations",
    "machine",
    "parse_release_document",
    "private_door",
    "provider_settings",
    "record_store",
    "subnets",
    "ways_in",
    "ways_out",
]
