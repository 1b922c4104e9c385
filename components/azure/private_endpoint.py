"""The private way to one Azure service: an address in the region's network, and the name that leads to it."""

from collections.abc import Mapping

import pulumi
from pulumi_azure_native import network

import catalog
from components.azure.placement import Placement
from components.naming import azure_name


def private_endpoint(
    name: str,
    *,
    placement: Placement,
    service: str,
    target_id: pulumi.Input[str],
    subnet_id: pulumi.Input[str],
    zone_ids: Mapping[str, pulumi.Input[str]],
    opts: pulumi.ResourceOptions,
) -> "network.PrivateEndpoint":
    """Create a private endpoint for `service` (an id of the catalogue) and its records in the linked private zone.

    `zone_ids` maps a private zone's name to its resource id. Children are `name` and `name-dns`.
    """
    link = catalog.load().private_endpoint("azure", service)
    endpoint = network.PrivateEndpoint(
        name,
        private_endpoint_name=azure_name("private endpoint", name),
        resource_group_name=placement.resource_group_name,
        location=placement.location,
        subnet={"id": subnet_id},  # SubnetArgs would add settings of the subnet to the reference
        private_link_service_connections=[
            network.PrivateLinkServiceConnectionArgs(
                name=service, private_link_service_id=target_id, group_ids=[link.group_id]
            )
        ],
        tags=placement.tag_mapping,
        opts=opts,
    )
    network.PrivateDnsZoneGroup(
        f"{name}-dns",
        private_dns_zone_group_name="default",
        private_endpoint_name=endpoint.name,
        resource_group_name=placement.resource_group_name,
        private_dns_zone_configs=[
            network.PrivateDnsZoneConfigArgs(name=zone.replace(".", "-"), private_dns_zone_id=zone_ids[zone])
            for zone in link.zones
        ],
        opts=opts,
    )
    return endpoint
