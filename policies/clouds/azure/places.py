"""Where Azure resources are, and where their provider leads."""

from collections.abc import Iterator

import catalog
from policies.conditions import OneOf
from policies.context import Declared
from policies.subject import Property, Resource
from policies.terms import Setting, Unwanted

# Lists of further locations, by type: the path of the list and the key of the location in each element.
_MORE_LOCATIONS: dict[str, tuple[tuple[tuple[str, ...], str], ...]] = {
    "azure-native:keyvault:ManagedHsm": ((("properties", "regions"), "name"),),
    "azure-native:compute:GalleryImageVersion": ((("publishingProfile", "targetRegions"), "name"),),
    "azure-native:compute:GalleryApplicationVersion": ((("publishingProfile", "targetRegions"), "name"),),
    "azure-native:cosmosdb:DatabaseAccount": ((("locations",), "locationName"),),
    "azure-native:apimanagement:ApiManagementService": ((("additionalLocations",), "location"),),
    "azure-native:servicebus:Namespace": ((("geoDataReplication", "locations"), "locationName"),),
}


def locations(resource: Resource) -> tuple[Property, ...]:
    """Every property of `resource` that names a region."""
    return tuple(
        found
        for found in (
            resource.props.at("location"),
            resource.props.at("extendedLocation", "name"),
            resource.props.at("replication", "location"),
            *(
                element.at(key)
                for path, key in _MORE_LOCATIONS.get(resource.type, ())
                for element in resource.props.at(*path).items()
            ),
        )
        if found.stated
    )


def location_of_verifier(host: str, cloud: catalog.Cloud) -> str | None:
    """The region of an attestation provider, from its host: the label before the cloud's suffix is the region's code.

    One's own provider and the region's shared one differ in the first label only (`sharedweu.weu.attest.azure.net`).
    """
    suffix = cloud.dns.get("attestation")
    labels = host.split(".")
    if suffix is None or len(labels) != len(suffix.split(".")) + 2 or not labels[0]:
        return None
    shared_by = ".".join(labels[1:])
    for region in catalog.load().regions(cloud=cloud.id):
        if region.attestation_host is not None and region.attestation_host.partition(".")[2] == shared_by:
            return region.id
    return None


def provider_settings(props: Property, declared: Declared) -> Iterator[Setting | Unwanted]:
    """What a provider must say to stay in the declared cloud, area and subscription.

    `environment` is Azure's name for a partition. It and the subscription must be stated: without them the provider
    takes what the environment and the login of whoever runs it say (`ARM_ENVIRONMENT`, `az login`).
    """
    cloud = declared.cloud
    if cloud.environment is not None:
        clouds = tuple(c.environment for c in catalog.load().clouds.values() if c.environment)
        yield Setting(props.at("environment"), OneOf((cloud.environment,)), clouds)
    everywhere = tuple(region.id for region in catalog.load().regions(cloud=cloud.id))
    yield Setting(props.at("location"), OneOf(declared.regions), everywhere, unless_stated=True)
    if cloud.resource_manager is not None:
        yield Setting(props.at("metadataHost"), OneOf((cloud.resource_manager,)), unless_stated=True)
    else:
        yield Unwanted(props.at("metadataHost"), "a control plane that the catalogue does not know")
    if declared.account is not None:
        yield Setting(props.at("subscriptionId"), OneOf((declared.account,)))
    if declared.tenant is not None:
        yield Setting(props.at("tenantId"), OneOf((declared.tenant,)), unless_stated=True)
