"""Kubernetes' resource types in the words of the rules (`pulumi-kubernetes` 4): pods in confidential guests."""

from policies.clouds.kubernetes.data import audit_stream, locations, provider_settings, record_store, tags
from policies.clouds.kubernetes.network import egress_guard, guarded_network, needs_guard, ways_in
from policies.clouds.kubernetes.pods import machine, runtime, side_doors
from policies.clouds.unspoken import (
    copies_away,
    disk_key,
    holder,
    key,
    key_store,
    location_of_verifier,
    managed_verifier,
    model_deployment,
    parse_release_document,
    peerings,
    private_door,
    private_name,
    redundancies,
    role,
    subnets,
    transport,
    ways_out,
)

CLOUD_FAMILY = "kubernetes"

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
